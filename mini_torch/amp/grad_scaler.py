"""PyTorch's `amp.grad_scaler`. A door: it defines nothing."""

from ..mixed_precision import GradScaler as GradScaler
