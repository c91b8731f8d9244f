"""PyTorch's `nn.modules.flatten`. A door: it defines nothing."""

from ...layer import Flatten as Flatten
from ...layer import Unflatten as Unflatten
