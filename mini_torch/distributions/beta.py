"""PyTorch's `torch.distributions.beta`. A door: it defines nothing."""

from ..distribution.gamma import Beta as Beta
