"""Elementwise calculus, a file a family."""

from .arithmetic import *  # noqa: F403
from .choice import *  # noqa: F403
from .complexes import *  # noqa: F403
from .division import *  # noqa: F403
from .fused import *  # noqa: F403
from .powers import *  # noqa: F403
from .rounding import *  # noqa: F403
from .trigonometry import *  # noqa: F403
