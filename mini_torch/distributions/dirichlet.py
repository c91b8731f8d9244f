"""PyTorch's `torch.distributions.dirichlet`. A door: it defines nothing."""

from ..distribution.gamma import Dirichlet as Dirichlet
