"""PyTorch's `nn.utils.memory_format`. A door: it defines nothing."""

from ...layer.memory_format import convert_conv2d_weight_memory_format as convert_conv2d_weight_memory_format
from ...layer.memory_format import convert_conv3d_weight_memory_format as convert_conv3d_weight_memory_format
