"""PyTorch's `nn.utils.prune`. A door: it defines nothing."""

from ...network.pruning import *  # noqa: F403
