"""Indexing and assignment, gather and scatter, slices by index, masks."""

from . import gather as _gather
from . import getitem as _getitem
from . import masks as _masks
from . import slices as _slices
from .gather import *  # noqa: F403
from .getitem import *  # noqa: F403
from .masks import *  # noqa: F403
from .slices import *  # noqa: F403

__all__ = [*_gather.__all__, *_getitem.__all__, *_masks.__all__, *_slices.__all__]
