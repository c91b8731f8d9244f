"""The door to `torch.autograd`: it defines nothing."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from .. import late as _late
from ..backward import backward as backward
from ..backward import grad as grad
from ..function import Function as Function
from ..function import FunctionCtx as FunctionCtx
from ..graph import enable_grad as enable_grad
from ..graph import inference_mode as inference_mode
from ..graph import no_grad as no_grad
from ..graph import set_grad_enabled as set_grad_enabled
from . import function as function

if TYPE_CHECKING:
    from ..gradcheck import GradcheckError as GradcheckError
    from ..gradcheck import detect_anomaly as detect_anomaly
    from ..gradcheck import gradcheck as gradcheck
    from ..gradcheck import gradgradcheck as gradgradcheck
    from ..gradcheck import set_detect_anomaly as set_detect_anomaly
    from ..typed import Variable as Variable
    from . import functional as functional
    from . import graph as graph

_CHECKS = ("GradcheckError", "detect_anomaly", "gradcheck", "gradgradcheck", "set_detect_anomaly")
_ROOM_OF = {**dict.fromkeys(_CHECKS, "gradcheck"), "Variable": "typed"}


def __getattr__(name: str) -> Any:
    """The rooms, the checks of gradients and the old names open when they are first asked for."""
    if name in ("functional", "grad_mode", "graph", "profiler"):
        return _import_module(f".{name}", __name__)
    return _late.find(name, globals(), _ROOM_OF)
