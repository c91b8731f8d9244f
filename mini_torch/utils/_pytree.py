"""PyTorch's `utils._pytree`, as far as libraries use it. A door: it defines nothing."""

from ..pytree import *  # noqa: F403
from ..pytree import __all__ as __all__
