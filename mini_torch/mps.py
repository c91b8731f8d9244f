"""PyTorch's `torch.mps`. A door: it defines nothing."""

from .hardware import count as device_count  # noqa: F401
from .hardware import is_available as is_available
from .hardware import nothing as empty_cache  # noqa: F401
from .hardware import nothing as manual_seed  # noqa: F401
