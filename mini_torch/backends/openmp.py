"""PyTorch's `torch.backends.openmp`. A door: it defines nothing."""

from ..hardware import is_available as is_available
