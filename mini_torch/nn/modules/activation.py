"""PyTorch's `nn.modules.activation`. A door: it defines nothing."""

from ...activation import *  # noqa: F403
