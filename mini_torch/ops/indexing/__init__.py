"""Indexing and assignment, gather and scatter, slices by index, masks."""

from .gather import *  # noqa: F403
from .getitem import *  # noqa: F403
from .masks import *  # noqa: F403
from .slices import *  # noqa: F403
