"""Views and rearrangements: reshape, transpose, expand, flip, windows, strides."""

from .expand import *  # noqa: F403
from .flip import *  # noqa: F403
from .sizes import listed as listed
from .sizes import sizes_of as sizes_of
from .strided import *  # noqa: F403
from .transpose import *  # noqa: F403
from .unfold import *  # noqa: F403
from .unfold import refold as refold
from .view import *  # noqa: F403
