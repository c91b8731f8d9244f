"""PyTorch's `torch.signal`. A door: it defines nothing."""

from . import windows as windows

__all__ = ["windows"]
