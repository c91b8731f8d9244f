"""PyTorch's `torch.backends.mkl`. A door: it defines nothing."""

from ..hardware import for_a_while as verbose  # noqa: F401
from ..hardware import is_available as is_available
