"""PyTorch's `torch.distributions.pareto`. A door: it defines nothing."""

from ..distribution.powers import Pareto as Pareto
