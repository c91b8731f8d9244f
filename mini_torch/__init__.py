"""mini_torch: PyTorch's API on nothing but NumPy. This is the door to the `torch.*` names.

>>> import mini_torch as torch
>>> x = torch.tensor([1., 2.], requires_grad=True)
>>> (x ** 2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from importlib import import_module as _import_module
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import TYPE_CHECKING, Any

from . import autograd as autograd
from . import late as _late
from . import random as random
from . import tensor as tensor
from .creation import *  # noqa: F403
from .dtype import *  # noqa: F403
from .formatting import set_printoptions as set_printoptions
from .graph import enable_grad as enable_grad
from .graph import inference_mode as inference_mode
from .graph import is_grad_enabled as is_grad_enabled
from .graph import is_inference_mode_enabled as is_inference_mode_enabled
from .graph import no_grad as no_grad
from .graph import set_grad_enabled as set_grad_enabled
from .heap import keep_freed as _keep_freed
from .ops.comparison import *  # noqa: F403
from .ops.conversion import *  # noqa: F403
from .ops.elementwise import *  # noqa: F403
from .ops.indexing import *  # noqa: F403
from .ops.join import *  # noqa: F403
from .ops.linalg.products import *  # noqa: F403
from .ops.reduction import *  # noqa: F403
from .ops.shape import *  # noqa: F403
from .ops.split import *  # noqa: F403
from .random import *  # noqa: F403
from .tensor import Tensor as Tensor
from .version import __version__ as __version__

if TYPE_CHECKING:
    from . import compiler as compiler
    from . import cpu as cpu
    from . import distributed as distributed
    from . import distributions as distributions
    from . import export as export
    from . import fft as fft
    from . import func as func
    from . import hub as hub
    from . import jit as jit
    from . import linalg as linalg
    from . import multiprocessing as multiprocessing
    from . import nn as nn
    from . import onnx as onnx
    from . import optim as optim
    from . import profiler as profiler
    from . import safetensors as safetensors
    from . import signal as signal
    from . import special as special
    from . import testing as testing
    from . import utils as utils
    from .as_torch import install_as_torch as install_as_torch
    from .capture.interface import compile as compile
    from .func import vmap as vmap
    from .gradcheck import set_detect_anomaly as set_detect_anomaly
    from .ranges import *  # noqa: F403
    from .serialization import load as load
    from .serialization import save as save
    from .settings import *  # noqa: F403


newaxis = None
_keep_freed()

# What not every program uses opens when it is first asked for: it takes as long to import as all the rest.
_ROOMS = (
    "_C", "_dynamo", "_inductor", "accelerator", "amp", "backends", "compiler", "cpu", "cuda", "distributed",
    "distributions", "export", "fft", "func", "hub", "jit", "linalg", "mps", "multiprocessing", "nn", "onnx", "optim",
    "profiler", "safetensors", "serialization", "signal", "special", "testing", "torch_version", "types", "utils",
    "xpu",
)  # fmt: skip
_NAMES = {
    "GradScaler": "mixed_precision", "OutOfMemoryError": "hardware", "TypedStorage": "ops.storage",
    "UntypedStorage": "ops.storage", "_assert": "assertion",
    "autocast": "mixed_precision", "clear_autocast_cache": "mixed_precision", "compile": "capture.interface",
    "get_autocast_cpu_dtype": "mixed_precision", "get_autocast_dtype": "mixed_precision",
    "get_autocast_gpu_dtype": "mixed_precision", "install_as_torch": "as_torch", "is_anomaly_enabled": "gradcheck",
    "is_autocast_cpu_enabled": "mixed_precision", "is_autocast_enabled": "mixed_precision", "load": "serialization",
    "save": "serialization", "set_detect_anomaly": "gradcheck", "vmap": "func",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Opens the room of that name, or the one behind the name, and keeps what it finds."""
    if name in _ROOMS:
        return _import_module(f".{name}", __name__)
    return _late.find(name, globals(), _late.TOP, _NAMES)


def __dir__() -> list[str]:
    """Open or not."""
    return sorted({*globals(), *_ROOMS, *_NAMES, *_late.TOP})
