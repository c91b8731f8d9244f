"""PyTorch's `torch.distributions.kl`. A door: it defines nothing."""

from ..distribution.divergence import kl_divergence as kl_divergence
from ..distribution.divergence import register_kl as register_kl
