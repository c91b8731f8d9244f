"""PyTorch's `nn.utils`. A door: it defines nothing, and opens what few programs use when it is asked for."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING, Any

from ... import late as _late
from ...network.clipping import clip_grad_norm as clip_grad_norm
from ...network.clipping import clip_grad_norm_ as clip_grad_norm_
from ...network.clipping import clip_grad_value_ as clip_grad_value_
from ...network.clipping import clip_grads_with_norm_ as clip_grads_with_norm_
from ...network.clipping import get_total_norm as get_total_norm
from ...network.clipping import parameters_to_vector as parameters_to_vector
from ...network.clipping import vector_to_parameters as vector_to_parameters

# Opened at once: these files have the names of their functions, and the function must be bound after the file.
from .spectral_norm import remove_spectral_norm as remove_spectral_norm
from .spectral_norm import spectral_norm as spectral_norm
from .weight_norm import remove_weight_norm as remove_weight_norm
from .weight_norm import weight_norm as weight_norm

if TYPE_CHECKING:
    from ...layer.fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
    from ...layer.fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
    from ...layer.fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
    from ...layer.fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
    from ...layer.memory_format import convert_conv2d_weight_memory_format as convert_conv2d_weight_memory_format
    from ...layer.memory_format import convert_conv3d_weight_memory_format as convert_conv3d_weight_memory_format
    from ...network.skip_init import skip_init as skip_init
    from . import clip_grad as clip_grad
    from . import convert_parameters as convert_parameters
    from . import fusion as fusion
    from . import init as init
    from . import memory_format as memory_format
    from . import parametrizations as parametrizations
    from . import parametrize as parametrize
    from . import prune as prune
    from . import rnn as rnn
    from . import stateless as stateless

_ROOMS = ("clip_grad", "convert_parameters", "fusion", "init", "memory_format", "parametrizations", "parametrize",
          "prune", "rnn", "stateless")  # fmt: skip
_NAMES = {
    **dict.fromkeys(("fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"),
                    "layer.fusion"),
    **dict.fromkeys(("convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"),
                    "layer.memory_format"),
    "skip_init": "network.skip_init",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """The door or function of that name."""
    if name in _ROOMS:
        return _import_module(f".{name}", __name__)
    return _late.find(name, globals(), _NAMES)


def __dir__() -> list[str]:
    """Open or not."""
    return sorted({*globals(), *_ROOMS, *_NAMES})
