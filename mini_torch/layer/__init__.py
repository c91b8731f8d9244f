"""Layers: modules with parameters, or that act differently in training."""

from typing import TYPE_CHECKING, Any

from .. import late as _late

if TYPE_CHECKING:
    from .adaptive_softmax import *  # noqa: F403
    from .attention import *  # noqa: F403
    from .batch_norm import *  # noqa: F403
    from .conv import *  # noqa: F403
    from .distance import *  # noqa: F403
    from .dropout import *  # noqa: F403
    from .embedding import *  # noqa: F403
    from .linear import *  # noqa: F403
    from .norm import *  # noqa: F403
    from .padding import *  # noqa: F403
    from .parallel import *  # noqa: F403
    from .pooling import *  # noqa: F403
    from .recurrent import *  # noqa: F403
    from .resampling import *  # noqa: F403
    from .shape import *  # noqa: F403
    from .transformer import *  # noqa: F403

_LAYERS = {name: room for name, room in _late.CLASSES.items() if room.startswith("layer.")}
__all__ = [*_LAYERS]


def __getattr__(name: str) -> Any:
    """A layer's file opens when the layer is first asked for."""
    return _late.find(name, globals(), _LAYERS)
