"""PyTorch's `torch.onnx.errors`. A door: it defines nothing."""

from ..errors import OnnxExporterError, UnsupportedOperatorError

__all__ = ["OnnxExporterError", "UnsupportedOperatorError"]
