"""PyTorch's `nn`: layers, losses, containers. A door: it defines nothing, and opens each room when it is asked for."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from .. import late as _late
from .. import network as _network
from ..network import *  # noqa: F403
from . import parameter as parameter

if TYPE_CHECKING:
    from ..activation import *  # noqa: F403
    from ..layer import *  # noqa: F403
    from ..loss import *  # noqa: F403
    from ..ops.linear_cross_entropy import LinearCrossEntropyOptions as LinearCrossEntropyOptions
    from . import attention as attention
    from . import common_types as common_types
    from . import functional as functional
    from . import grad as grad
    from . import init as init
    from . import modules as modules
    from . import parallel as parallel
    from . import utils as utils

_ROOMS = ("attention", "common_types", "functional", "grad", "init", "modules", "parallel", "utils")
__all__ = [*_network.__all__, *_late.CLASSES]


def __getattr__(name: str) -> Any:
    """The door or class of that name."""
    return _import_module(f".{name}", __name__) if name in _ROOMS else _late.find(name, globals(), _late.CLASSES)


def __dir__() -> list[str]:
    """Open or not."""
    return sorted({*globals(), *_ROOMS, *_late.CLASSES})
