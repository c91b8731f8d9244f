"""PyTorch's `nn.modules.pixelshuffle`. A door: it defines nothing."""

from ...layer import PixelShuffle as PixelShuffle
from ...layer import PixelUnshuffle as PixelUnshuffle
