"""PyTorch's `torch.onnx`. A door: it defines nothing."""

from ..errors import OnnxExporterError
from ..onnx_export import ONNXProgram, TrainingMode, export, is_in_onnx_export
from . import errors as errors

__all__ = ["ONNXProgram", "OnnxExporterError", "TrainingMode", "export", "is_in_onnx_export"]
