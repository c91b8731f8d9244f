"""PyTorch's `torch.distributions.laplace`. A door: it defines nothing."""

from ..distribution import Laplace as Laplace
