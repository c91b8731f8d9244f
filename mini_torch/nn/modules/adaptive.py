"""PyTorch's `nn.modules.adaptive`. A door: it defines nothing."""

from ...layer import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
from ...layer.adaptive_softmax import ASMoutput as _ASMoutput  # noqa: F401
