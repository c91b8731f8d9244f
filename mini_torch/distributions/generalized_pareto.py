"""PyTorch's `torch.distributions.generalized_pareto`. A door: it defines nothing."""

from ..distribution.heavy_tailed import GeneralizedPareto as GeneralizedPareto
