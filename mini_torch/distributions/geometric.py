"""PyTorch's `torch.distributions.geometric`. A door: it defines nothing."""

from ..distribution.trials import Geometric as Geometric
