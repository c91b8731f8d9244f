"""PyTorch's `torch.fft`: Fourier transforms. A door: it defines nothing."""

from .ops.fourier import *  # noqa: F403
from .ops.fourier import __all__ as __all__
