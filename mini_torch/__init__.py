"""mini_torch: PyTorch's API on nothing but NumPy. This is the door to the `torch.*` names.

>>> import mini_torch as torch
>>> x = torch.tensor([1., 2.], requires_grad=True)
>>> (x ** 2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import TYPE_CHECKING, Any

from . import autograd as autograd
from . import linalg as linalg
from . import random as random
from . import tensor as tensor
from .creation import *  # noqa: F403
from .dtype import *  # noqa: F403
from .formatting import set_printoptions as set_printoptions
from .gradcheck import set_detect_anomaly as set_detect_anomaly
from .graph import enable_grad as enable_grad
from .graph import inference_mode as inference_mode
from .graph import is_grad_enabled as is_grad_enabled
from .graph import is_inference_mode_enabled as is_inference_mode_enabled
from .graph import no_grad as no_grad
from .graph import set_grad_enabled as set_grad_enabled
from .op import TYPE_NAMES as _TYPE_NAMES
from .ops.activation import celu as celu
from .ops.activation import celu_ as celu_
from .ops.activation import hardshrink as hardshrink
from .ops.activation import prelu as prelu
from .ops.activation import relu as relu
from .ops.activation import relu_ as relu_
from .ops.activation import rrelu as rrelu
from .ops.activation import rrelu_ as rrelu_
from .ops.activation import selu as selu
from .ops.activation import selu_ as selu_
from .ops.activation import sigmoid as sigmoid
from .ops.activation import threshold as threshold
from .ops.activation import threshold_ as threshold_
from .ops.comparison import *  # noqa: F403
from .ops.complex_view import *  # noqa: F403
from .ops.conversion import *  # noqa: F403
from .ops.convolution import *  # noqa: F403
from .ops.copies import *  # noqa: F403
from .ops.diagonal import *  # noqa: F403
from .ops.diff import *  # noqa: F403
from .ops.distance import *  # noqa: F403
from .ops.elementwise import *  # noqa: F403
from .ops.extremes import *  # noqa: F403
from .ops.grid import affine_grid_generator as affine_grid_generator
from .ops.grid import grid_sampler as grid_sampler
from .ops.grid import grid_sampler_2d as grid_sampler_2d
from .ops.grid import grid_sampler_3d as grid_sampler_3d
from .ops.histograms import *  # noqa: F403
from .ops.indexing import *  # noqa: F403
from .ops.inplace import *  # noqa: F403
from .ops.integrals import *  # noqa: F403
from .ops.into import *  # noqa: F403
from .ops.join import *  # noqa: F403
from .ops.linalg import *  # noqa: F403
from .ops.native import *  # noqa: F403
from .ops.normalization import norm_except_dim as norm_except_dim
from .ops.padding import constant_pad_nd as constant_pad_nd
from .ops.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from .ops.pooling import avg_pool1d as avg_pool1d
from .ops.pooling import max_pool1d as max_pool1d
from .ops.pooling import max_pool1d_with_indices as max_pool1d_with_indices
from .ops.pooling import max_pool2d as max_pool2d
from .ops.pooling import max_pool3d as max_pool3d
from .ops.quantiles import *  # noqa: F403
from .ops.reduction import *  # noqa: F403
from .ops.shape import *  # noqa: F403
from .ops.short_dropout import *  # noqa: F403
from .ops.shuffle import channel_shuffle as channel_shuffle
from .ops.shuffle import native_channel_shuffle as native_channel_shuffle
from .ops.shuffle import pixel_shuffle as pixel_shuffle
from .ops.shuffle import pixel_unshuffle as pixel_unshuffle
from .ops.softmax import log_softmax as log_softmax
from .ops.softmax import softmax as softmax
from .ops.sorting import *  # noqa: F403
from .ops.special import digamma as digamma
from .ops.special import erf as erf
from .ops.special import erfc as erfc
from .ops.special import erfinv as erfinv
from .ops.special import i0 as i0
from .ops.special import igamma as igamma
from .ops.special import igammac as igammac
from .ops.special import lgamma as lgamma
from .ops.special import mvlgamma as mvlgamma
from .ops.special import polygamma as polygamma
from .ops.spectrogram import *  # noqa: F403
from .ops.split import *  # noqa: F403
from .ops.window_function import *  # noqa: F403
from .random import *  # noqa: F403
from .ranges import *  # noqa: F403
from .tensor import Tensor as Tensor

if TYPE_CHECKING:
    from . import fft as fft
    from . import func as func
    from . import nn as nn
    from . import optim as optim
    from . import signal as signal
    from . import special as special
    from . import testing as testing
    from . import utils as utils
    from .func import vmap as vmap
    from .serialization import load as load
    from .serialization import save as save

__version__ = "0.1.0"


# The rooms that not every program enters open when they are first asked for: a third of the import's time.
_ROOMS = ("accelerator", "amp", "backends", "cuda", "fft", "func", "mps", "nn", "optim", "serialization", "signal",
          "special", "testing", "utils", "xpu")  # fmt: skip
_ON_DEMAND = {name: name for name in _ROOMS} | {"load": "serialization", "save": "serialization", "vmap": "func"}
_ON_DEMAND |= {f"{kind}Tensor": "typed" for kind in _TYPE_NAMES.values() if not kind.startswith("Complex")}
_ON_DEMAND["set_default_tensor_type"] = "typed"


def __getattr__(name: str) -> Any:
    """Opens the room behind the name."""
    from importlib import import_module

    room = _ON_DEMAND.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{room}", __name__)
    return module if room == name else getattr(module, name)
