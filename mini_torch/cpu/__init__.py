"""PyTorch's `torch.cpu`: what runs on any device runs on this one. A door: it defines nothing."""

from ..hardware import always as is_available  # noqa: F401
from ..hardware import always as is_initialized  # noqa: F401
from ..hardware import cpu_device as current_device  # noqa: F401
from ..hardware import for_a_while as stream  # noqa: F401
from ..hardware import nothing as current_stream  # noqa: F401
from ..hardware import nothing as set_device  # noqa: F401
from ..hardware import nothing as synchronize  # noqa: F401
from ..hardware import one as device_count  # noqa: F401
from . import amp as amp
