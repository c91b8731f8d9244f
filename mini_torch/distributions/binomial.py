"""PyTorch's `torch.distributions.binomial`. A door: it defines nothing."""

from ..distribution import Binomial as Binomial
