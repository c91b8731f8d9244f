"""Pooling: one number for each window, the mean or the largest; windows by size or by number, or drawn at random."""

from . import adaptive, average, fractional, maximum, unpool
from .adaptive import *  # noqa: F403
from .average import *  # noqa: F403
from .fractional import *  # noqa: F403
from .maximum import *  # noqa: F403
from .unpool import *  # noqa: F403

__all__: list[str] = []
__all__ += adaptive.__all__
__all__ += average.__all__
__all__ += fractional.__all__
__all__ += maximum.__all__
__all__ += unpool.__all__
