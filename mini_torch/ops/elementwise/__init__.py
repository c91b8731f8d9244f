"""Elementwise calculus, a file a family."""

from typing import TYPE_CHECKING

from . import arithmetic as _arithmetic
from . import choice as _choice
from . import complexes as _complexes
from . import division as _division
from . import fused as _fused
from . import powers as _powers
from . import rounding as _rounding
from . import trigonometry as _trigonometry
from .arithmetic import *  # noqa: F403
from .choice import *  # noqa: F403
from .complexes import *  # noqa: F403
from .division import *  # noqa: F403
from .fused import *  # noqa: F403
from .powers import *  # noqa: F403
from .rounding import *  # noqa: F403
from .trigonometry import *  # noqa: F403

if not TYPE_CHECKING:  # a checker reads no sums of lists, and takes all that is imported
    __all__ = [*_arithmetic.__all__, *_choice.__all__, *_complexes.__all__, *_division.__all__, *_fused.__all__,
               *_powers.__all__, *_rounding.__all__, *_trigonometry.__all__]  # fmt: skip
