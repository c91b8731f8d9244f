"""PyTorch's `nn.modules.padding`. A door: it defines nothing."""

from ...layer import CircularPad1d as CircularPad1d
from ...layer import CircularPad2d as CircularPad2d
from ...layer import CircularPad3d as CircularPad3d
from ...layer import ConstantPad1d as ConstantPad1d
from ...layer import ConstantPad2d as ConstantPad2d
from ...layer import ConstantPad3d as ConstantPad3d
from ...layer import ReflectionPad1d as ReflectionPad1d
from ...layer import ReflectionPad2d as ReflectionPad2d
from ...layer import ReflectionPad3d as ReflectionPad3d
from ...layer import ReplicationPad1d as ReplicationPad1d
from ...layer import ReplicationPad2d as ReplicationPad2d
from ...layer import ReplicationPad3d as ReplicationPad3d
from ...layer import ZeroPad1d as ZeroPad1d
from ...layer import ZeroPad2d as ZeroPad2d
from ...layer import ZeroPad3d as ZeroPad3d
from ...layer.padding import _CircularPadNd as _CircularPadNd
from ...layer.padding import _ConstantPadNd as _ConstantPadNd
from ...layer.padding import _ReflectionPadNd as _ReflectionPadNd
from ...layer.padding import _ReplicationPadNd as _ReplicationPadNd
