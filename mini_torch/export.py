"""PyTorch's `torch.export`, of which there is what `onnx.export` takes. A door: it defines nothing."""

from .onnx_export import Dim

__all__ = ["Dim"]
