"""PyTorch's `torch.distributions.distribution`. A door: it defines nothing."""

from ..distribution.distribution import Distribution as Distribution
