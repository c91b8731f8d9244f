"""PyTorch's `torch.cpu.amp`. A door: it defines nothing."""

from ..mixed_precision import CpuAutocast as autocast  # noqa: F401
from ..mixed_precision import CpuGradScaler as GradScaler  # noqa: F401
