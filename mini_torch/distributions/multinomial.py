"""PyTorch's `torch.distributions.multinomial`. A door: it defines nothing."""

from ..distribution.discrete import Multinomial as Multinomial
