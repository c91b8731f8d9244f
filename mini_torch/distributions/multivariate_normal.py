"""PyTorch's `torch.distributions.multivariate_normal`. A door: it defines nothing."""

from ..distribution.multivariate_normal import MultivariateNormal as MultivariateNormal
