"""Linear algebra: products, decompositions, equations, norms. `__all__` has what PyTorch keeps under `torch.*`."""

from . import added as _added
from . import classic as _classic
from . import contraction as _contraction
from . import distances as _distances
from . import products as _products
from . import statistics as _statistics
from . import vectors as _vectors
from .added import *  # noqa: F403
from .classic import *  # noqa: F403
from .contraction import *  # noqa: F403
from .distances import *  # noqa: F403
from .norms import norm as norm
from .powers import matrix_exp as matrix_exp
from .powers import matrix_power as matrix_power
from .products import *  # noqa: F403
from .products import linear as linear
from .reflections import geqrf as geqrf
from .reflections import orgqr as orgqr
from .reflections import ormqr as ormqr
from .statistics import *  # noqa: F403
from .vectors import *  # noqa: F403

__all__ = [*_added.__all__, *_classic.__all__, *_contraction.__all__, *_distances.__all__, *_products.__all__,
           *_statistics.__all__, *_vectors.__all__, "geqrf", "matrix_exp", "matrix_power", "norm", "orgqr",
           "ormqr"]  # fmt: skip
