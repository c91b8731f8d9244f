"""PyTorch's `nn.modules.loss`. A door: it defines nothing."""

from ...loss import *  # noqa: F403
from ...loss import _Loss as _Loss
from ...loss import _WeightedLoss as _WeightedLoss
