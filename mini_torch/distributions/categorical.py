"""PyTorch's `torch.distributions.categorical`. A door: it defines nothing."""

from ..distribution.discrete import Categorical as Categorical
