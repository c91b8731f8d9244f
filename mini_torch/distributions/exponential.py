"""PyTorch's `torch.distributions.exponential`. A door: it defines nothing."""

from ..distribution.continuous import Exponential as Exponential
