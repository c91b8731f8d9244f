"""PyTorch's `torch.distributions.continuous_bernoulli`. A door: it defines nothing."""

from ..distribution.continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
