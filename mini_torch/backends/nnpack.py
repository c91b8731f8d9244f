"""PyTorch's `torch.backends.nnpack`. A door: it defines nothing."""

from ..hardware import for_a_while as flags  # noqa: F401
from ..hardware import is_available as is_available
from ..hardware import nothing as set_flags  # noqa: F401
