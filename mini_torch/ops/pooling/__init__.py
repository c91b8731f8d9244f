"""Pooling: one number for each window, the mean or the largest; windows by size or by number, or drawn at random."""

from .adaptive import *  # noqa: F403
from .average import *  # noqa: F403
from .fractional import *  # noqa: F403
from .maximum import *  # noqa: F403
from .unpool import *  # noqa: F403
