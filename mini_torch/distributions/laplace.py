"""PyTorch's `torch.distributions.laplace`. A door: it defines nothing."""

from ..distribution.continuous import Laplace as Laplace
