"""PyTorch's `nn.modules.normalization`. A door: it defines nothing."""

from ...layer import CrossMapLRN2d as CrossMapLRN2d
from ...layer import GroupNorm as GroupNorm
from ...layer import LayerNorm as LayerNorm
from ...layer import LocalResponseNorm as LocalResponseNorm
from ...layer import RMSNorm as RMSNorm
