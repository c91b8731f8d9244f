"""PyTorch's `nn.modules.linear_cross_entropy_options`. A door: it defines nothing."""

from ...ops.linear_cross_entropy import LinearCrossEntropyOptions as LinearCrossEntropyOptions
