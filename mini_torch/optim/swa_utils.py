"""PyTorch's door `optim.swa_utils`."""

from ..optimizer.averaging import *  # noqa: F403
from ..optimizer.averaging import __all__ as __all__
