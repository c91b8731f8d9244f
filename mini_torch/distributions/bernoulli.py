"""PyTorch's `torch.distributions.bernoulli`. A door: it defines nothing."""

from ..distribution import Bernoulli as Bernoulli
