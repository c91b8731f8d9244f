"""PyTorch's `torch.distributions.normal`. A door: it defines nothing."""

from ..distribution.continuous import Normal as Normal
