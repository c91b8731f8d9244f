"""Dropout under `torch.`, where `p` and `train` must be given: `torch.dropout`, `torch.dropout_` …"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..op import public
from ..tensor import Tensor, wrap
from .dropout import alpha_dropout as _alpha
from .dropout import drop_channels, kept_elements
from .dropout import dropout as _dropout
from .dropout import feature_alpha_dropout as _feature_alpha

__all__ = [
    "alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_",
    "feature_dropout", "feature_dropout_", "native_dropout",
]  # fmt: skip


def _short(name: str, function: Callable[..., Tensor]) -> Callable[[Tensor, float, bool], Tensor]:
    def dropped(input: Tensor, p: float, train: bool) -> Tensor:
        return function(input, p, train, name.endswith("_"))

    dropped.__name__ = dropped.__qualname__ = name
    dropped.__doc__ = f"{function.__doc__}\n\nSource: PyTorch's `torch.{name}`."
    return public(dropped, method=False)


def _of_features(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    """Dropout of whole channels, dimension 1."""
    return drop_channels(input, p, training, inplace, True)


dropout, dropout_ = _short("dropout", _dropout), _short("dropout_", _dropout)
alpha_dropout, alpha_dropout_ = _short("alpha_dropout", _alpha), _short("alpha_dropout_", _alpha)
feature_dropout, feature_dropout_ = _short("feature_dropout", _of_features), _short("feature_dropout_", _of_features)
feature_alpha_dropout = _short("feature_alpha_dropout", _feature_alpha)
feature_alpha_dropout_ = _short("feature_alpha_dropout_", _feature_alpha)


@public(method=False)
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout, and the mask of what was kept. Source: PyTorch's `torch.native_dropout`."""
    if not input._array.size:
        return input, wrap(np.empty_like(input._array))
    if train is False:
        return input.clone(), wrap(np.ones(input._array.shape, bool))
    mask = wrap(kept_elements(input, None, p))
    return input * mask * (1 / (1 - p) if p < 1 else 0.0), mask
