"""`compile`: a program recorded once, and then run as straight-line NumPy."""

from .compiled import Compiled as Compiled
from .compiled import reset as reset
from .interface import *  # noqa: F403
