"""PyTorch's `torch.cuda.amp.autocast_mode`. A door: it defines nothing."""

from ...mixed_precision import CudaAutocast as autocast  # noqa: F401
from ...mixed_precision import cuda_custom_bwd as custom_bwd  # noqa: F401
from ...mixed_precision import cuda_custom_fwd as custom_fwd  # noqa: F401
