"""PyTorch's `nn.utils.weight_norm`. A door: it defines nothing."""

from ...layer.weight_norm import _WeightNormHook as WeightNorm  # noqa: F401
from ...layer.weight_norm import remove_weight_norm as remove_weight_norm
from ...layer.weight_norm import weight_norm as weight_norm
