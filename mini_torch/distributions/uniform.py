"""PyTorch's `torch.distributions.uniform`. A door: it defines nothing."""

from ..distribution.continuous import Uniform as Uniform
