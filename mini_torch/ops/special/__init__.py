"""Special functions, a file a family. What each is computed from stands in its file; `series.py` says how."""

from . import airy as _airy
from . import bessel as _bessel
from . import entropy as _entropy
from . import error as _error
from . import gamma as _gamma
from . import incomplete_gamma as _incomplete_gamma
from . import modified_bessel as _modified_bessel
from . import orthogonal as _orthogonal
from .airy import *  # noqa: F403
from .bessel import *  # noqa: F403
from .entropy import *  # noqa: F403
from .error import *  # noqa: F403
from .gamma import *  # noqa: F403
from .incomplete_gamma import *  # noqa: F403
from .modified_bessel import *  # noqa: F403
from .orthogonal import *  # noqa: F403

__all__ = [
    *_airy.__all__, *_bessel.__all__, *_entropy.__all__, *_error.__all__,
    *_gamma.__all__, *_incomplete_gamma.__all__, *_modified_bessel.__all__, *_orthogonal.__all__,
]  # fmt: skip
