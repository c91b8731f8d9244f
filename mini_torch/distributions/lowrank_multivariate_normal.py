"""PyTorch's `torch.distributions.lowrank_multivariate_normal`. A door: it defines nothing."""

from ..distribution.low_rank import LowRankMultivariateNormal as LowRankMultivariateNormal
