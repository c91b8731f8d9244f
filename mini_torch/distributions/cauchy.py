"""PyTorch's `torch.distributions.cauchy`. A door: it defines nothing."""

from ..distribution.heavy_tailed import Cauchy as Cauchy
