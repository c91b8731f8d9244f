"""PyTorch's `nn.modules.channelshuffle`. A door: it defines nothing."""

from ...layer import ChannelShuffle as ChannelShuffle
