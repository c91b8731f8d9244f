"""The door to `torch.amp`: it defines nothing."""

from ..mixed_precision import GradScaler as GradScaler
