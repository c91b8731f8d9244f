"""PyTorch's `nn.functional`. A door: it defines nothing, and opens each room when a name of it is first asked for."""

from typing import TYPE_CHECKING, Any

from .. import late as _late

if TYPE_CHECKING:
    from ..ops.activation import *  # noqa: F403
    from ..ops.attention import *  # noqa: F403
    from ..ops.batch_norm import *  # noqa: F403
    from ..ops.convolution import *  # noqa: F403
    from ..ops.cross_entropy import *  # noqa: F403
    from ..ops.ctc import *  # noqa: F403
    from ..ops.distance import *  # noqa: F403
    from ..ops.dropout import *  # noqa: F403
    from ..ops.elementwise.trigonometry import tanh as tanh
    from ..ops.embedding import *  # noqa: F403
    from ..ops.embedding_bag import *  # noqa: F403
    from ..ops.grid import *  # noqa: F403
    from ..ops.interpolation import *  # noqa: F403
    from ..ops.likelihood import *  # noqa: F403
    from ..ops.linalg.contraction import bilinear as bilinear
    from ..ops.linalg.products import linear as linear
    from ..ops.linear_cross_entropy import linear_cross_entropy as linear_cross_entropy
    from ..ops.loss import *  # noqa: F403
    from ..ops.margin import *  # noqa: F403
    from ..ops.multi_head import *  # noqa: F403
    from ..ops.normalization import *  # noqa: F403
    from ..ops.padding import *  # noqa: F403
    from ..ops.pooling import *  # noqa: F403
    from ..ops.shuffle import *  # noqa: F403
    from ..ops.softmax import *  # noqa: F403
    from ..ops.thresholds import *  # noqa: F403
    from ..ops.window import *  # noqa: F403

__all__ = sorted(_late.FUNCTIONS)


def __getattr__(name: str) -> Any:
    """The function of that name."""
    return _late.find(name, globals(), _late.FUNCTIONS)


def __dir__() -> list[str]:
    """Open or not."""
    return sorted({*globals(), *_late.FUNCTIONS})
