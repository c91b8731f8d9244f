"""PyTorch's `nn.modules.activation`. A door: it defines nothing."""

from ...activation import *  # noqa: F403
from ...layer import MultiheadAttention as MultiheadAttention
