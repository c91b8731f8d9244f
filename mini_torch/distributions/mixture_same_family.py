"""PyTorch's `torch.distributions.mixture_same_family`. A door: it defines nothing."""

from ..distribution.mixture import MixtureSameFamily as MixtureSameFamily
