"""PyTorch's `torch.distributions.relaxed_bernoulli`. A door: it defines nothing."""

from ..distribution.relaxed import LogitRelaxedBernoulli as LogitRelaxedBernoulli
from ..distribution.relaxed import RelaxedBernoulli as RelaxedBernoulli
