"""PyTorch's `torch.distributions.independent`. A door: it defines nothing."""

from ..distribution.independent import Independent as Independent
