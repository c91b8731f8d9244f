"""PyTorch's `torch.distributions.gumbel`. A door: it defines nothing."""

from ..distribution.transformed import Gumbel as Gumbel
