"""PyTorch's `torch.distributions.weibull`. A door: it defines nothing."""

from ..distribution.powers import Weibull as Weibull
