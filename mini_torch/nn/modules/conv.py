"""PyTorch's `nn.modules.conv`. A door: it defines nothing."""

from ...layer import Conv1d as Conv1d
from ...layer import Conv2d as Conv2d
from ...layer import Conv3d as Conv3d
from ...layer import ConvTranspose1d as ConvTranspose1d
from ...layer import ConvTranspose2d as ConvTranspose2d
from ...layer import ConvTranspose3d as ConvTranspose3d
from ...layer import LazyConv1d as LazyConv1d
from ...layer import LazyConv2d as LazyConv2d
from ...layer import LazyConv3d as LazyConv3d
from ...layer import LazyConvTranspose1d as LazyConvTranspose1d
from ...layer import LazyConvTranspose2d as LazyConvTranspose2d
from ...layer import LazyConvTranspose3d as LazyConvTranspose3d
from ...layer.conv import _ConvNd as _ConvNd
from ...layer.conv import _ConvTransposeNd as _ConvTransposeNd
from ...layer.conv import _LazyConv as _LazyConvXdMixin  # noqa: F401
