"""PyTorch's `torch.cuda.amp`. A door: it defines nothing."""

from ..mixed_precision import CudaAutocast as autocast  # noqa: F401
from ..mixed_precision import CudaGradScaler as GradScaler  # noqa: F401
