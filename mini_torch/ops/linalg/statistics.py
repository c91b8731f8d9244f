"""Covariances and correlations of variables."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...dtype import default_numpy_dtype
from ...graph import verify
from ...op import cast, public, type_name
from ...tensor import Tensor
from .matrices import is_complex, kind_of, mH, only_diagonal

__all__ = ["corrcoef", "cov"]


def _check_weights(w: Tensor, count: int, name: str, integral: bool) -> None:
    if w._array.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w._array.ndim} dimensions"
        )
    if (kind_of(w).kind in "iu") != integral or kind_of(w).kind not in "iuf":
        words = "integral" if integral else "floating point"
        raise RuntimeError(
            f"cov(): expected {name} to have {words} dtype but got {name} with {type_name(kind_of(w))} dtype"
        )
    if w._array.size != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{w._array.size} != {count}"
        )
    if count:
        verify(_check_signs, w._array, name)


def _check_signs(w: Any, name: str) -> None:
    if w.min() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


@public
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariance matrix of variables in rows: (v, n) → (v, v), (n) → (). Observations in columns, counted
    `fweights` times and weighted with `aweights`; the divisor is n − correction. Source: PyTorch's `torch.cov`.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input._array.ndim} "
            "dimensions"
        )
    if kind_of(input).kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x: Any = input if input._array.ndim == 2 else input.reshape((1, -1))
    count = x.shape[1]
    weights: Any = None
    for w, name in ((fweights, "fweights"), (aweights, "aweights")):
        if w is not None:
            _check_weights(w, count, name, name == "fweights")
            weights = w if weights is None else weights * w
    total = count if weights is None else weights.sum()
    if weights is not None and count and float(total._array) == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    if kind_of(x).kind in "iu":
        x = cast(x, default_numpy_dtype())
    mean = (x if weights is None else x * weights).sum(1, keepdim=True) / total
    divisor = _divisor(count, total, weights, aweights, correction)
    centred = x - mean
    weighted = centred if weights is None else centred * weights
    if kind_of(weighted) != kind_of(centred):
        centred = cast(centred, kind_of(weighted))
    return np.squeeze(np.matmul(weighted, mH(centred)) / divisor)


def _divisor(count: int, total: Any, weights: Any, aweights: Tensor | None, correction: int) -> Any:
    """n − correction, where weights count for n; never negative."""
    divisor = total - correction
    if aweights is not None and correction != 0:
        divisor = total - correction * (weights * aweights).sum() / total
    plain = float(divisor._array if isinstance(divisor, Tensor) else divisor)
    if plain <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            stacklevel=4,
        )
        return divisor * 0
    return divisor


@public
def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of variables in rows: (v, n) → (v, v), (n) → (). Source: PyTorch's `torch.corrcoef`.
    """
    if input._array.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input._array.ndim} "
            "dimensions"
        )
    c: Any = cov(input)
    if not c.ndim:
        return c / c
    d = np.real(only_diagonal(c)) if is_complex(c) else only_diagonal(c)
    spread = np.sqrt(d)
    c = c / spread[:, None] / spread[None, :]
    if is_complex(c):
        return np.real(c).clip(-1, 1) + 1j * np.imag(c).clip(-1, 1)
    return c.clip(-1, 1)
