"""PyTorch's `torch.backends.cudnn`: switches that programs set. They turn nothing."""

from ..hardware import is_available as is_available
from ..hardware import nothing as version  # noqa: F401

enabled = True
benchmark = deterministic = allow_tf32 = False
