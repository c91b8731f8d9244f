"""PyTorch's `torch.backends.mkldnn`: NumPy has its own BLAS. A door: it defines nothing."""

from ..hardware import for_a_while as flags  # noqa: F401
from ..hardware import is_available as is_available
from ..hardware import is_available as is_built  # noqa: F401
from ..hardware import nothing as set_flags  # noqa: F401

enabled = True
deterministic = allow_tf32 = False
