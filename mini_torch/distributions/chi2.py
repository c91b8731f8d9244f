"""PyTorch's `torch.distributions.chi2`. A door: it defines nothing."""

from ..distribution.gamma import Chi2 as Chi2
