"""PyTorch's `torch.distributions.wishart`. A door: it defines nothing."""

from ..distribution.matrices import Wishart as Wishart
