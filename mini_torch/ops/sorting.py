"""Order: sort, topk, unique, and where values belong in a sorted sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import as_unit
from ..op import as_operand, common_type, public, refused, type_name
from ..tensor import Tensor, check_dim, wrap
from .adjoint import take_along
from .extremes import Extremes, found

__all__ = [
    "argsort", "bucketize", "isin", "msort", "searchsorted", "sort", "topk", "unique", "unique_consecutive",
]  # fmt: skip


# ---- sorting ---------------------------------------------------------------------------------------------------------
_MANY = 1024


def _order_by_keys(x: Any, axis: int, descending: bool) -> Any:
    """The order of many 32-bit numbers along the last axis: each with its place behind it makes a whole number of 64
    bits, and NumPy sorts these in half the time in which it finds a stable order. None where a NaN spoils it.

    The bits of floats, read as whole numbers, are in the floats' order, but that of negative ones is turned round.
    """
    if axis != x.ndim - 1 or x.shape[axis] < _MANY or x.dtype.char not in "fi":
        return None
    bits = x
    if x.dtype.kind == "f":
        if np.isnan(x).any():
            return None
        bits = (x + 0.0).view(np.int32)  # -0.0 becomes 0.0, its equal
        bits = bits ^ (bits >> 31 & 0x7FFFFFFF)
    keys = (~bits if descending else bits).astype(np.int64) << 32
    keys |= np.arange(x.shape[axis])
    keys.sort(axis=-1)
    keys &= 0xFFFFFFFF
    return keys


def _order(x: Any, axis: int, descending: bool) -> Any:
    order = _order_by_keys(x, axis, descending)
    if order is not None:
        return order
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    turned = np.argsort(x[backwards], axis, kind="stable")[backwards]
    return x.shape[axis] - 1 - turned


@public
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = False) -> Extremes:
    """(values, indices) in order along `dim`; equal elements keep theirs, NaN counts as the largest.

    Errors: RuntimeError for complex numbers. Source: PyTorch's `torch.sort`.
    """
    axis = check_dim(dim, input._array.ndim)
    if input._array.dtype.kind == "c":
        raise RuntimeError(f"Sort does not support complex dtypes on CPU, got {input.dtype}")
    if not input._array.ndim:
        return found("sort", input.clone(), np.zeros((), np.int64))
    order = _order(input._array, axis, descending)
    return found("sort", take_along(input, order, axis), order)


@public
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that would sort along `dim`. Source: PyTorch's `torch.argsort`."""
    return sort(input, dim, descending).indices


@public
def msort(input: Tensor) -> Tensor:
    """Sorted along the first dimension. Source: PyTorch's `torch.msort`."""
    return sort(input, 0).values


_SMALL = 64
_SEVERAL = 16


def _one_by_one(x: Any, k: int, axis: int, largest: bool) -> Any:
    """The k largest, each by a search of what is left. None where a NaN or the type's own limit spoils it."""
    if x.dtype.kind == "f":
        limit = -np.inf if largest else np.inf
        if np.isnan(x).any():
            return None
    else:
        limit = np.iinfo(x.dtype).min if largest else np.iinfo(x.dtype).max
    left = np.array(np.moveaxis(x, axis, -1)).reshape(-1, x.shape[axis])
    rows, find = np.arange(len(left)), np.argmax if largest else np.argmin
    out = np.empty((len(left), k), np.int64)
    for i in range(k):
        out[:, i] = at = find(left, -1)
        if (left[rows, at] == limit).any():
            return None
        left[rows, at] = limit
    shape = [n for i, n in enumerate(x.shape) if i != axis]
    return np.moveaxis(out.reshape(*shape, k), -1, axis)


def _of_vector(x: Any, k: int, largest: bool) -> Any:
    """The k largest of a vector: what reaches the last of them, in order. None where too few numbers do."""
    last = len(x) - k if largest else k - 1
    limit = np.partition(x, last)[last]
    some = np.flatnonzero(~(x < limit) if largest else x <= limit)  # a NaN counts as the largest
    return some[_order(x[some], 0, largest)[:k]] if len(some) >= k else None


def _largest(x: Any, k: int, axis: int, largest: bool) -> Any:
    """The indices of the k largest (or smallest) along `axis`, in order."""
    n = x.shape[axis]
    if n <= _SMALL or not 0 < k <= n // 8:
        return np.ascontiguousarray(_order(x, axis, largest)[(slice(None),) * axis + (slice(k),)])
    if k <= _SEVERAL:
        picked = _one_by_one(x, k, axis, largest)
        if picked is not None:
            return picked
    if x.size == n:
        picked = _of_vector(x.reshape(-1), k, largest)
        if picked is not None:
            return picked.reshape([k if i == axis else 1 for i in range(x.ndim)])
    some = np.argpartition(x, n - k if largest else k - 1, axis)  # without sorting the rest
    some = np.sort(np.take(some, np.arange(n - k, n) if largest else np.arange(k), axis), axis)
    inner = _order(np.take_along_axis(x, some, axis), axis, largest)
    return np.take_along_axis(some, inner, axis)


@public
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extremes:
    """(values, indices) of the k largest (or smallest) along `dim`, in order. Source: PyTorch's `torch.topk`."""
    axis = check_dim(dim, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k = {k}, size {n}")
    if input._array.dtype.kind in "bc":
        raise refused("topk_impl_loop", input._array.dtype)
    if not input._array.ndim:
        return found("topk", input.clone(), np.zeros((), np.int64)) if k else found(
            "topk", input.reshape(1)[:0], np.zeros(0, np.int64))  # fmt: skip
    order = as_unit(_largest, input._array, k, axis, largest)
    return found("topk", take_along(input, order, axis), order)


# ---- the different ones ----------------------------------------------------------------------------------------------
@public
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different elements in order (or slices along `dim`); on request where they went and how many.

    Source: PyTorch's `torch.unique`.
    """
    x = input._array
    axis = None if dim is None else check_dim(dim, x.ndim)
    _check_unique(x, axis)
    found = np.unique(x, return_inverse=return_inverse, return_counts=return_counts, axis=axis, equal_nan=False)
    parts = list(found) if return_inverse or return_counts else [found]
    if return_inverse:
        parts[1] = parts[1].reshape(x.shape if axis is None else -1)
    return wrap(parts[0]) if len(parts) == 1 else tuple([wrap(part) for part in parts])


def _check_unique(x: Any, axis: int | None) -> None:
    if x.dtype.kind == "c":
        raise refused("unique" if axis is None else "unique_dim", x.dtype)
    if axis is not None and 0 in x.shape[:axis] + x.shape[axis + 1 :]:
        raise RuntimeError(
            f"There are 0 sized dimensions in {list(x.shape)}, and they aren't selected, so unique cannot be applied"
        )


@public
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of every run of equal elements (or slices along `dim`); on request which run each is in, and lengths.

    Source: PyTorch's `torch.unique_consecutive`.
    """
    x = input._array
    axis = 0 if dim is None else check_dim(dim, x.ndim)
    _check_unique(x, None if dim is None else axis)
    rows = x.reshape(-1) if dim is None else np.moveaxis(np.atleast_1d(x), axis, 0)
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(first)
    parts = [wrap(np.ascontiguousarray(rows[starts] if dim is None else np.moveaxis(rows[starts], 0, axis)))]
    if return_inverse:
        run = np.cumsum(first) - 1
        parts.append(wrap(run.reshape(x.shape) if dim is None else run))
    if return_counts:
        parts.append(wrap(np.diff(np.append(starts, len(rows)))))
    return parts[0] if len(parts) == 1 else tuple(parts)


# ---- places in an order ----------------------------------------------------------------------------------------------
def _side(right: bool, side: str | None) -> Any:
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    return side or ("right" if right else "left")


def _check_search(rows: Any, values: Any, given: Any) -> None:
    """RuntimeError unless the values can be looked up in the rows."""
    if rows.ndim != 1 and not (rows.ndim and isinstance(given, Tensor)):
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we "
            f"got boundaries tensor dim({rows.ndim})"
        )
    if isinstance(given, Tensor) and rows.dtype != values.dtype:
        raise RuntimeError(
            "torch.searchsorted(): boundary tensor and input value tensor should have same dtype, but got boundary "
            f"tensor dtype {type_name(rows.dtype)} and input value tensor dtype {type_name(values.dtype)}"
        )
    if rows.ndim != 1 and rows.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(rows.shape)} and input "
            f"value tensor {list(values.shape)}"
        )
    if rows.dtype.kind in "bc" and values.size:
        raise refused("searchsorted_out_cpu", rows.dtype)


@public(method=False)
def searchsorted(
    sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where each value would go to keep the (last dimension's) order; behind its equals with `right`.

    sorted_sequence (*, n), input (*, m) of the same type, or a 1-d sequence and anything → indices like input.
    Source: PyTorch's `torch.searchsorted`.
    """
    rows = sorted_sequence._array
    wanted = input._array if isinstance(input, Tensor) else np.asarray(input)
    where = _side(right, side)
    _check_search(rows, wanted, input)
    if sorter is not None:
        if sorter._array.shape != rows.shape:
            raise RuntimeError(
                f"torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(rows.shape)} and got sorter tensor {list(sorter.shape)}"
            )
        if sorter._array.dtype != np.int64:
            raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got {sorter.dtype}")
        rows = np.take_along_axis(rows, sorter._array, -1)
    return wrap(as_unit(_searched, rows, wanted, where, np.int32 if out_int32 else np.int64))


def _searched(rows: Any, wanted: Any, where: Any, kind: Any) -> Any:
    if rows.ndim == 1:
        return np.asarray(np.searchsorted(rows, wanted, where)).astype(kind)
    pairs = zip(rows.reshape(-1, rows.shape[-1]), wanted.reshape(-1, wanted.shape[-1])) if wanted.size else ()
    places = [np.searchsorted(row, values, where) for row, values in pairs]
    return np.array(places, kind).reshape(wanted.shape)


@public(method=False)
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket between boundaries that each value falls in. Source: PyTorch's `torch.bucketize`."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    if isinstance(input, Tensor) and input._array.dtype != boundaries._array.dtype:
        kind = common_type(input, boundaries)
        input, boundaries = as_operand(input, kind), as_operand(boundaries, kind)
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public(method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is among the test elements. Source: PyTorch's `torch.isin`."""
    a, b = (x._array if isinstance(x, Tensor) else np.asarray(x) for x in (elements, test_elements))
    for x in (a, b):
        if x.dtype.kind in "bc":
            raise RuntimeError(f"Unsupported input type encountered for isin(): {type_name(x.dtype)}")
    return wrap(as_unit(_is_in, a, b, assume_unique, invert))


def _is_in(a: Any, b: Any, assume_unique: bool, invert: bool) -> Any:
    return np.asarray(np.isin(a, b, assume_unique=assume_unique, invert=invert))
