"""Special functions, a file a family. What each is computed from stands in its file; `series.py` says how."""

from . import error as _error
from . import gamma as _gamma
from .blocks import keeps_type as keeps_type
from .error import *  # noqa: F403
from .gamma import *  # noqa: F403

__all__ = [*_error.__all__, *_gamma.__all__]
