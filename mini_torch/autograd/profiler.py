"""PyTorch's `autograd.profiler`. A door: it defines nothing."""

from ..hardware import for_a_while as emit_itt  # noqa: F401
from ..hardware import for_a_while as emit_nvtx  # noqa: F401
from ..profiling import profile as profile
from ..profiling import record_function as record_function
