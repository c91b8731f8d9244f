"""PyTorch's `torch.cuda.amp.grad_scaler`. A door: it defines nothing."""

from ...mixed_precision import CudaGradScaler as GradScaler  # noqa: F401
