"""PyTorch's `nn.modules.fold`. A door: it defines nothing."""

from ...layer import Fold as Fold
from ...layer import Unfold as Unfold
