"""PyTorch's `nn.grad`. A door: it defines nothing."""

from ..ops.convolution_gradient import *  # noqa: F403
