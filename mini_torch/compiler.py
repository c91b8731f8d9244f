"""PyTorch's `torch.compiler`. A door: it defines nothing."""

from .capture.compiled import reset as reset
from .capture.interface import allow_in_graph as allow_in_graph
from .capture.interface import assume_constant_result as assume_constant_result
from .capture.interface import compile as compile
from .capture.interface import cudagraph_mark_step_begin as cudagraph_mark_step_begin
from .capture.interface import disable as disable
from .capture.interface import is_compiling as is_compiling
from .capture.interface import is_dynamo_compiling as is_dynamo_compiling
from .capture.interface import is_exporting as is_exporting
from .capture.interface import list_backends as list_backends
from .capture.interface import set_stance as set_stance
from .capture.interface import wrap_numpy as wrap_numpy
