"""PyTorch's `torch.distributions.uniform`. A door: it defines nothing."""

from ..distribution import Uniform as Uniform
