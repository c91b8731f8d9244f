"""PyTorch's `torch.distributions.negative_binomial`. A door: it defines nothing."""

from ..distribution.trials import NegativeBinomial as NegativeBinomial
