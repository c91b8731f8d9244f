"""PyTorch's `torch.distributions.constraints`. A door: it defines nothing."""

from ..distribution.constraint import *  # noqa: F403
from ..distribution.constraint import __all__ as __all__
