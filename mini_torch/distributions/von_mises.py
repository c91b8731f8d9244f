"""PyTorch's `torch.distributions.von_mises`. A door: it defines nothing."""

from ..distribution.von_mises import VonMises as VonMises
