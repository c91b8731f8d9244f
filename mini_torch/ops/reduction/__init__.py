"""Sums, means, products and counts along dimensions, and running sums."""

from typing import TYPE_CHECKING

from . import logic as _logic
from . import moments as _moments
from . import products as _products
from . import running as _running
from . import sums as _sums
from .axes import Dims as Dims
from .axes import any_zero as any_zero
from .axes import axes_of as axes_of
from .axes import keep as keep
from .logic import *  # noqa: F403
from .moments import *  # noqa: F403
from .products import *  # noqa: F403
from .running import *  # noqa: F403
from .sums import *  # noqa: F403

if not TYPE_CHECKING:  # a checker reads no sums of lists, and takes all that is imported
    __all__ = [*_logic.__all__, *_moments.__all__, *_products.__all__, *_running.__all__, *_sums.__all__]
