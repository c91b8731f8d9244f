"""PyTorch's `nn.attention`. A door: it defines nothing."""

from ...ops.attention_kernels import SDPBackend as SDPBackend
from ...ops.attention_kernels import sdpa_kernel as sdpa_kernel
