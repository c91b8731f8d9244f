"""PyTorch's `torch.accelerator`. A door: it defines nothing."""

from .hardware import count as device_count  # noqa: F401
from .hardware import is_available as is_available
from .hardware import nothing as current_accelerator  # noqa: F401
