"""PyTorch's `torch.distributions.half_cauchy`. A door: it defines nothing."""

from ..distribution.transformed import HalfCauchy as HalfCauchy
