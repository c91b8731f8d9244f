"""PyTorch's `torch.distributions.utils`. A door: it defines nothing."""

from ..distribution.distribution import broadcast_all as broadcast_all
from ..distribution.distribution import lazy_property as lazy_property
