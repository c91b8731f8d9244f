"""Views and rearrangements: reshape, transpose, expand, flip, windows, strides."""

from . import expand as _expand
from . import flip as _flip
from . import strided as _strided
from . import transpose as _transpose
from . import view as _view
from .expand import *  # noqa: F403
from .flip import *  # noqa: F403
from .sizes import listed as listed
from .sizes import sizes_of as sizes_of
from .strided import *  # noqa: F403
from .transpose import *  # noqa: F403
from .unfold import refold as refold
from .unfold import unfold as unfold
from .view import *  # noqa: F403

__all__ = [*_expand.__all__, *_flip.__all__, *_strided.__all__, *_transpose.__all__, *_view.__all__]
