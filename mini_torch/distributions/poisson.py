"""PyTorch's `torch.distributions.poisson`. A door: it defines nothing."""

from ..distribution import Poisson as Poisson
