"""PyTorch's `torch.distributions.independent`. A door: it defines nothing."""

from ..distribution import Independent as Independent
