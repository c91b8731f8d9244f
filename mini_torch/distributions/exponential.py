"""PyTorch's `torch.distributions.exponential`. A door: it defines nothing."""

from ..distribution import Exponential as Exponential
