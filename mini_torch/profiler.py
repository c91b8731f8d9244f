"""PyTorch's `torch.profiler`. A door: it defines nothing."""

from .hardware import is_available as kineto_available  # noqa: F401
from .profiling import ProfilerAction as ProfilerAction
from .profiling import ProfilerActivity as ProfilerActivity
from .profiling import profile as profile
from .profiling import record_function as record_function
from .profiling import schedule as schedule
from .profiling import tensorboard_trace_handler as tensorboard_trace_handler
