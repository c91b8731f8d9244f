"""PyTorch's `torch.distributions.inverse_gamma`. A door: it defines nothing."""

from ..distribution.powers import InverseGamma as InverseGamma
