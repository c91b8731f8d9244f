"""PyTorch's `torch.distributions.gamma`. A door: it defines nothing."""

from ..distribution.gamma import Gamma as Gamma
