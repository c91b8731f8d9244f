"""PyTorch's `torch.distributions.multinomial`. A door: it defines nothing."""

from ..distribution import Multinomial as Multinomial
