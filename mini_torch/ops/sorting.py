"""Order: sort, topk, unique, and where values belong in a sorted sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import public
from ..tensor import Tensor, check_dim, wrap
from .adjoint import take_along
from .extremes import Extremes, found

__all__ = [
    "argsort", "bucketize", "isin", "kthvalue", "searchsorted", "sort", "topk", "unique",
]  # fmt: skip


def _order(x: Any, axis: int, descending: bool) -> Any:
    if not descending:
        return np.argsort(x, axis, kind="stable")
    turned = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    return x.shape[axis] - 1 - turned


@public
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Extremes:
    """(values, indices) in order along `dim`; equal elements keep theirs. Source: PyTorch's `torch.sort`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        return found("sort", input.clone(), np.zeros((), np.int64))
    order = _order(input._array, axis, descending)
    return found("sort", take_along(input, order, axis), order)


@public
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that would sort along `dim`. Source: PyTorch's `torch.argsort`."""
    return sort(input, dim, descending).indices


@public
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extremes:
    """(values, indices) of the k largest (or smallest) along `dim`, in order. Source: PyTorch's `torch.topk`."""
    axis = check_dim(dim, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if not input._array.ndim:
        return found("topk", input.clone(), np.zeros((), np.int64))
    order = np.take(_order(input._array, axis, largest), np.arange(k), axis)
    return found("topk", take_along(input, order, axis), order)


@public
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Extremes:
    """(value, index) of the k-th smallest along `dim`, counted from 1. Source: PyTorch's `torch.kthvalue`."""
    axis = check_dim(dim, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(dim))
    values, indices = sort(input, dim)
    if input._array.ndim:
        at = (slice(None),) * axis + (slice(k - 1, k) if keepdim else k - 1,)
        values, indices = values[at], indices[at]
    return found("kthvalue", values, indices._array)


@public
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different elements in order (or slices along `dim`); on request where they went and how many.

    Source: PyTorch's `torch.unique`.
    """
    out = np.unique(input._array, return_inverse=True, return_counts=True, axis=dim)
    values, inverse, counts = out
    inverse = inverse.reshape(input._array.shape if dim is None else -1)
    parts = [wrap(values), *([wrap(inverse)] if return_inverse else []), *([wrap(counts)] if return_counts else [])]
    return parts[0] if len(parts) == 1 else tuple(parts)


@public(method=False)
def searchsorted(
    sorted_sequence: Tensor, values: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where each value would go to keep the (last dimension's) order. Source: PyTorch's `torch.searchsorted`."""
    kind = np.int32 if out_int32 else np.int64
    side_: Any = side or ("right" if right else "left")
    rows_ = sorted_sequence._array if sorter is None else np.take_along_axis(sorted_sequence._array, sorter._array, -1)
    wanted = np.asarray(values._array if isinstance(values, Tensor) else values)
    if rows_.ndim == 1:
        return wrap(np.asarray(np.searchsorted(rows_, wanted, side_)).astype(kind))
    if not wanted.size:
        return wrap(np.zeros(wanted.shape, kind))
    flat = [
        np.searchsorted(r, w, side_)
        for r, w in zip(rows_.reshape(-1, rows_.shape[-1]), wanted.reshape(-1, wanted.shape[-1]))
    ]
    return wrap(np.array(flat, kind).reshape(wanted.shape))


@public(method=False)
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The number of the bucket between boundaries that each value falls in. Source: PyTorch's `torch.bucketize`."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public(method=False)
def isin(elements: Any, test_elements: Any, *, invert: bool = False) -> Tensor:
    """Whether each element is among the test elements. Source: PyTorch's `torch.isin`."""
    a, b = (x._array if isinstance(x, Tensor) else np.asarray(x) for x in (elements, test_elements))
    return wrap(np.asarray(np.isin(a, b, invert=invert)))
