"""Dropout layers: random zeros in training, nothing in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..network import Module
from ..ops.dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from ..tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """What the dropout layers share. `drop` is the function that they call."""

    drop: Callable[..., Any]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Any:
        return type(self).drop(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, each element becomes 0 with probability p and is divided by 1 - p otherwise.

    Errors: ValueError unless 0 ≤ p ≤ 1. Source: Hinton et al. 2012, "Improving neural networks by preventing
    co-adaptation of feature detectors"; PyTorch's `nn.Dropout`.

    >>> Dropout(0.5).eval()(mini_torch.ones(3))
    tensor([1., 1., 1.])
    """

    drop = dropout


class Dropout1d(_Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L). PyTorch's `nn.Dropout1d`."""

    drop = dropout1d


class Dropout2d(_Dropout):
    """Dropout of whole channels of (N, C, H, W). PyTorch's `nn.Dropout2d`."""

    drop = dropout2d


class Dropout3d(_Dropout):
    """Dropout of whole channels of (N, C, D, H, W). PyTorch's `nn.Dropout3d`."""

    drop = dropout3d


class AlphaDropout(_Dropout):
    """Dropout for networks of selu: keeps mean and variance. Source: Klambauer et al. 2017; `nn.AlphaDropout`."""

    drop = alpha_dropout


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels. PyTorch's `nn.FeatureAlphaDropout`."""

    drop = feature_alpha_dropout
