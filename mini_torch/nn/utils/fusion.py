"""PyTorch's `nn.utils.fusion`. A door: it defines nothing."""

from ...layer.fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from ...layer.fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from ...layer.fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from ...layer.fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
