"""PyTorch's `nn.parameter`. A door: it defines nothing."""

from ..network import Buffer as Buffer
from ..network import Parameter as Parameter
from ..network import UninitializedBuffer as UninitializedBuffer
from ..network import UninitializedParameter as UninitializedParameter
from ..network import is_lazy as is_lazy
from ..network.parameter import _Uninitialized as UninitializedTensorMixin  # noqa: F401
