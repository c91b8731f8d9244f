"""PyTorch's `torch.distributions.poisson`. A door: it defines nothing."""

from ..distribution.discrete import Poisson as Poisson
