"""PyTorch's `nn.modules.upsampling`. A door: it defines nothing."""

from ...layer import Upsample as Upsample
from ...layer import UpsamplingBilinear2d as UpsamplingBilinear2d
from ...layer import UpsamplingNearest2d as UpsamplingNearest2d
