"""PyTorch's `torch._dynamo`, as far as programs set it up. A door: it defines nothing."""

from ..capture.compiled import reset as reset
from ..capture.interface import allow_in_graph as allow_in_graph
from ..capture.interface import disable as disable
from ..capture.interface import is_compiling as is_compiling
from ..capture.interface import list_backends as list_backends
from ..hardware import nothing as mark_dynamic  # noqa: F401
from ..hardware import nothing as mark_static  # noqa: F401
from . import config as config
