"""PyTorch's `torch.distributions.log_normal`. A door: it defines nothing."""

from ..distribution.transformed import LogNormal as LogNormal
