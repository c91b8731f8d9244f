"""PyTorch's `torch.distributions.categorical`. A door: it defines nothing."""

from ..distribution import Categorical as Categorical
