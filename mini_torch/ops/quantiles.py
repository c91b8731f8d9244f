"""The middle of an order: medians, quantiles, the k-th smallest, and the most frequent."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import verify
from ..op import public, refused, row
from ..tensor import Tensor, check_dim, wrap
from .adjoint import take_along
from .elementwise import lerp, where
from .extremes import Extremes, even_rule, pick_at
from .sorting import sort

__all__ = ["kthvalue", "median", "mode", "nanmedian", "nanquantile", "quantile"]


# ---- medians ---------------------------------------------------------------------------------------------------------
def _nans(x: Any) -> Any:
    return np.isnan(x) if x.dtype.kind == "f" else np.zeros(x.shape, bool)


def _middle(x: Any, axis: int) -> Any:
    """Where the lower of the two middle elements stands; where there is a NaN, the first of them."""
    middle = _kth(x, (x.shape[axis] - 1) // 2, axis)
    if x.dtype.kind != "f":
        return middle
    nans = np.isnan(x)
    return np.where(nans.any(axis), np.argmax(nans, axis), middle)


def _kth(x: Any, k: int, axis: int) -> Any:
    """Where the k-th smallest element stands, from 0; among few elements, the first of equals."""
    if x.shape[axis] <= 64:
        return np.take(np.argsort(x, axis, kind="stable"), k, axis)
    value = np.take(np.partition(x, k, axis), [k], axis)  # (argpartition takes three times as long)
    here = x == value
    if x.dtype.kind == "f" and np.isnan(value).any():
        here = here | (np.isnan(x) & np.isnan(value))
    return np.argmax(here, axis)


def _middle_number(x: Any, axis: int) -> Any:
    """`_middle` of what is not NaN; of nothing but NaN the first."""
    order = np.argsort(x, axis, kind="stable")
    counts = np.sum(~_nans(x), axis, keepdims=True)
    return np.take_along_axis(order, np.maximum(counts - 1, 0) // 2, axis).squeeze(axis)


def _over_all(x: Any, find: Any) -> Any:
    flat = x.reshape(-1)
    if not flat.size:
        with np.errstate(invalid="ignore"):
            return np.array(np.nan).astype(x.dtype)
    return flat[find(flat, 0)]


_median_all = row("median_all", _over_all, grad_name="MedianBackward0", x=even_rule)


def _ordered_only(kernel: str, find: Any, kinds: str = "bc") -> Any:
    """`find`, which refuses types of these kinds."""

    def find_ordered(x: Any, axis: int) -> Any:
        if x.dtype.kind in kinds:
            raise refused(kernel, x.dtype)
        return find(x, axis)

    return find_ordered


def _median(input: Tensor, dim: int | None, keepdim: bool, name: str, find: Any) -> Any:
    if dim is None:
        return _median_all(input, _ordered_only("median_cpu", find))
    return pick_at(input, dim, keepdim, _ordered_only("median_out", find), name)


@public
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, the lower of the two middle ones, NaN if there is one; with `dim` (values, indices).

    Over all elements, those that are equal to it share the gradient. Source: PyTorch's `torch.median`.
    """
    return _median(input, dim, keepdim, "median", _middle)


@public
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of what is not NaN. Source: PyTorch's `torch.nanmedian`."""
    return _median(input, dim, keepdim, "nanmedian", _middle_number)


# ---- the k-th, the most frequent -------------------------------------------------------------------------------------
@public
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Extremes:
    """(value, index) of the k-th smallest along `dim`, counted from 1. Source: PyTorch's `torch.kthvalue`."""
    x = input._array
    axis = check_dim(dim, x.ndim)
    n = x.shape[axis] if x.ndim else 1
    if not 1 <= k <= n:
        if not n:
            raise IndexError(f"kthvalue(): Expected reduction dim {axis} to have non-zero size.")
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}: k = {k}, size {n}")
    find = _ordered_only("kthvalue_cpu", lambda x, axis: _kth(x, k - 1, axis))
    return pick_at(input, dim, keepdim, find, "kthvalue")


def _most_frequent(x: Any, axis: int) -> Any:
    """Where the last of the most frequent element stands; of several such elements, of the smallest."""
    order = np.argsort(x, axis, kind="stable")
    ordered = np.moveaxis(np.take_along_axis(x, order, axis), axis, -1)
    steps = np.arange(ordered.shape[-1])
    first = np.ones(ordered.shape, bool)
    first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    length = steps - np.maximum.accumulate(np.where(first, steps, 0), -1)
    end = np.expand_dims(np.argmax(length, -1), axis)
    return np.take_along_axis(order, end, axis).squeeze(axis)


@public
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Extremes:
    """(values, indices) of the most frequent element along `dim`, the smallest of several.

    Source: PyTorch's `torch.mode`.
    """
    return pick_at(input, dim, keepdim, _ordered_only("mode_cpu", _most_frequent, "c"), "mode")


# ---- quantiles -------------------------------------------------------------------------------------------------------
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name: str, x: Any, q: Any, interpolation: str) -> None:
    if not x.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if x.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor) and q._array.dtype != x.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if isinstance(q, Tensor) and q._array.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    values = q._array if isinstance(q, Tensor) else np.asarray(q)
    verify(_check_shares, values, name)


def _check_shares(values: Any, name: str) -> None:
    if not ((values >= 0) & (values <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")


def _last_ranks(x: Any, skip_nan: bool) -> tuple[Any, Any]:
    """For each row in order, the place of its last number, and whether a NaN decides; both (rows, 1)."""
    nans = np.isnan(x).sum(-1, keepdims=True)
    last = x.shape[-1] - 1
    if skip_nan:
        return np.maximum(last - nans, 0).astype(x.dtype), np.zeros(nans.shape, bool)
    return np.full(nans.shape, last, x.dtype), nans > 0


def _quantile(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip_nan: bool
) -> Tensor:
    x = input._array
    _check_quantile(name, x, q, interpolation)
    axis = 0 if dim is None else check_dim(dim, x.ndim)
    rows = input.reshape(1, -1) if dim is None or not x.ndim else input.movedim(axis, -1).reshape(-1, x.shape[axis])
    quantiles = q if isinstance(q, Tensor) else wrap(np.asarray(q, x.dtype))
    ordered = sort(rows, -1).values
    last, by_nan = _last_ranks(ordered._array, skip_nan)
    ranks = where(wrap(by_nan), wrap(last), quantiles.reshape(1, -1) * wrap(last))
    out = _between(ordered, ranks, interpolation).T  # (len(q), rows)
    kept = [1 if dim is None or i == axis else n for i, n in enumerate(x.shape)]
    if not keepdim:
        kept = [] if dim is None else [n for i, n in enumerate(kept) if i != axis]
    return out.reshape(*([len(out)] if quantiles._array.ndim else []), *kept)


def _between(ordered: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    """The elements at the ranks, of which those between two elements are made of both."""
    if interpolation == "nearest":
        return take_along(ordered, np.rint(ranks._array).astype(np.int64), 1)
    below = np.floor(ranks._array)
    low = take_along(ordered, below.astype(np.int64), 1)
    if interpolation == "lower":
        return low
    high = take_along(ordered, np.ceil(ranks._array).astype(np.int64), 1)
    if interpolation == "higher":
        return high
    return lerp(low, high, 0.5 if interpolation == "midpoint" else ranks - wrap(below))


@public
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The q-th quantiles (0 ≤ q ≤ 1, a number or 1-d tensor) of all elements or along `dim`; NaN where there is one.

    For several q the result has them as its first dimension. Between two elements, `interpolation` is 'linear',
    'lower', 'higher', 'midpoint' or 'nearest'. Source: PyTorch's `torch.quantile`.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@public
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """`quantile` of what is not NaN. Source: PyTorch's `torch.nanquantile`."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
