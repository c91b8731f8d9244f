"""PyTorch's `torch.distributions.binomial`. A door: it defines nothing."""

from ..distribution.discrete import Binomial as Binomial
