"""PyTorch's `nn.modules.adaptive`. A door: it defines nothing."""

from ...layer import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
