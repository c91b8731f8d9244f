"""Models as files of ONNX: `export` records a forward and writes it down, operation by operation.

    trace      runs the model, and notes rows and NumPy calls         table      which translation is for which
    translate  one run as a graph                                     writes     writes into memory as new arrays
    merge      several runs as one graph                              varying    what differs between them, as nodes
    open_sizes the sizes of the runs, and formulas of them            file       the graph as an onnx.ModelProto

The translations are in files as the operations are in `ops`: elementwise, reduction, shape, index, layers, activation,
recurrent, attention, resampling.
"""

from . import activation, attention, elementwise, index, layers, recurrent, reduction, resampling, shape
from .dimension import Dim
from .export import TrainingMode, export
from .program import ONNXProgram
from .trace import is_in_onnx_export

__all__ = [
    "Dim", "ONNXProgram", "TrainingMode", "activation", "attention", "elementwise", "export", "index",
    "is_in_onnx_export", "layers", "recurrent", "reduction", "resampling", "shape",
]  # fmt: skip
