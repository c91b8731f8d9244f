"""PyTorch's `nn.modules.batchnorm`. A door: it defines nothing."""

from ...layer import BatchNorm1d as BatchNorm1d
from ...layer import BatchNorm2d as BatchNorm2d
from ...layer import BatchNorm3d as BatchNorm3d
from ...layer import LazyBatchNorm1d as LazyBatchNorm1d
from ...layer import LazyBatchNorm2d as LazyBatchNorm2d
from ...layer import LazyBatchNorm3d as LazyBatchNorm3d
from ...layer import SyncBatchNorm as SyncBatchNorm
from ...layer.batch_norm import _BatchNorm as _BatchNorm
from ...layer.batch_norm import _LazyNorm as _LazyNormBase  # noqa: F401
from ...layer.batch_norm import _Norm as _NormBase  # noqa: F401
