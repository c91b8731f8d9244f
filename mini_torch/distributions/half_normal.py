"""PyTorch's `torch.distributions.half_normal`. A door: it defines nothing."""

from ..distribution.transformed import HalfNormal as HalfNormal
