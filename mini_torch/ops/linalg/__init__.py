"""Linear algebra: products, decompositions, equations, norms."""

from . import contraction as _contraction
from . import products as _products
from .contraction import *  # noqa: F403
from .products import *  # noqa: F403
from .products import column_sums as column_sums
from .products import linear as linear

__all__ = [*_contraction.__all__, *_products.__all__]
