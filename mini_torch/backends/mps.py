"""PyTorch's `torch.backends.mps`. A door: it defines nothing."""

from ..hardware import is_available as is_available
from ..hardware import is_available as is_built  # noqa: F401
from ..hardware import is_available as is_macos13_or_newer  # noqa: F401
from ..hardware import is_available_for as is_macos_or_newer  # noqa: F401
