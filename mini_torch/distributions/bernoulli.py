"""PyTorch's `torch.distributions.bernoulli`. A door: it defines nothing."""

from ..distribution.discrete import Bernoulli as Bernoulli
