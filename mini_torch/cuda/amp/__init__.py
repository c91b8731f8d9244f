"""PyTorch's `torch.cuda.amp`. A door: it defines nothing."""

from ...mixed_precision import CudaAutocast as autocast  # noqa: F401
from ...mixed_precision import CudaGradScaler as GradScaler  # noqa: F401
from ...mixed_precision import cuda_custom_bwd as custom_bwd  # noqa: F401
from ...mixed_precision import cuda_custom_fwd as custom_fwd  # noqa: F401
from . import autocast_mode as autocast_mode
from . import grad_scaler as grad_scaler
