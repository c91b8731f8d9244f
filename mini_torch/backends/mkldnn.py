"""PyTorch's `torch.backends.mkldnn`. A door: it defines nothing."""

from ..hardware import is_available as is_available
from ..hardware import is_available as is_built  # noqa: F401
