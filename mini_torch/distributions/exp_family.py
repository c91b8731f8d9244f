"""PyTorch's `torch.distributions.exp_family`. A door: it defines nothing."""

from ..distribution.distribution import ExponentialFamily as ExponentialFamily
