"""PyTorch's `torch.distributions.normal`. A door: it defines nothing."""

from ..distribution import Normal as Normal
