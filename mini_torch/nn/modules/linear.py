"""PyTorch's `nn.modules.linear`. A door: it defines nothing."""

from ...layer import Bilinear as Bilinear
from ...layer import Identity as Identity
from ...layer import LazyLinear as LazyLinear
from ...layer import Linear as Linear
from ...layer.attention import NonDynamicallyQuantizableLinear as NonDynamicallyQuantizableLinear
from ...network import Module as Module
