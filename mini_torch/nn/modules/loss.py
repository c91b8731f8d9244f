"""PyTorch's `nn.modules.loss`. A door: it defines nothing."""

from ...loss import *  # noqa: F403
