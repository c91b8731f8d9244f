"""PyTorch's `nn.modules.instancenorm`. A door: it defines nothing."""

from ...layer import InstanceNorm1d as InstanceNorm1d
from ...layer import InstanceNorm2d as InstanceNorm2d
from ...layer import InstanceNorm3d as InstanceNorm3d
from ...layer import LazyInstanceNorm1d as LazyInstanceNorm1d
from ...layer import LazyInstanceNorm2d as LazyInstanceNorm2d
from ...layer import LazyInstanceNorm3d as LazyInstanceNorm3d
from ...layer.batch_norm import _InstanceNorm as _InstanceNorm
from ...layer.batch_norm import _LazyNorm as _LazyNormBase  # noqa: F401
from ...layer.batch_norm import _Norm as _NormBase  # noqa: F401
