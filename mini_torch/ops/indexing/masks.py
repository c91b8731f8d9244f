"""Where a mask holds, and where elements are not 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import public, type_name
from ...op.types import shape_mismatch
from ...tensor import Tensor, wrap
from ..adjoint import take as pick
from ..elementwise import where
from .getitem import number, put_at

__all__ = ["argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero", "nonzero_static"]


def _common_shape(input: Tensor, mask: Tensor) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(input._array.shape, mask._array.shape)
    except ValueError as error:
        raise shape_mismatch(input._array.shape, mask._array.shape) from error


@public(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """input with `value` where the bool mask (broadcast) holds.

    Errors: RuntimeError for a mask of another type, a value of more than 0 dimensions, or one that input's type
    cannot hold. Source: PyTorch's `torch.masked_fill`.
    """
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"masked_fill_ only supports boolean masks, but got mask with dtype {type_name(mask._array.dtype).lower()}"
        )
    kind = input._array.dtype
    if not isinstance(value, Tensor):
        return where(mask, number(value, kind), input)
    if value._array.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if value._array.dtype.kind == "c" != kind.kind:
        raise RuntimeError(f"value cannot be converted to type {type_name(kind).lower()} without overflow")
    return where(mask, value.to(input.dtype), input)


@public(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with source's elements, in order, where the mask holds. Source: PyTorch's `torch.masked_scatter`."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {type_name(mask._array.dtype)}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {type_name(input._array.dtype)} and "
            f"{type_name(source._array.dtype)}"
        )
    shape = _common_shape(input, mask)
    full = np.array(np.broadcast_to(mask._array, shape))
    count = int(full.sum())
    if count > source._array.size:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same number of elements: the mask holds {count} times, "
            f"source has {source._array.size} elements"
        )
    return put_at(input.expand(shape), source.reshape(-1)[:count], (full,), False)


@public(apart=True)
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds (both broadcast), as a vector. Source: PyTorch's `torch.masked_select`."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, but got {type_name(mask._array.dtype)}Tensor")
    shape = _common_shape(input, mask)
    return pick(input.expand(shape), (np.array(np.broadcast_to(mask._array, shape)),))


# ---- nonzero ---------------------------------------------------------------------------------------------------------
@public
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of what is not 0, one row each; or as a tuple of vectors. Source: PyTorch's `torch.nonzero`."""
    array = np.atleast_1d(input._array)
    found = _unravelled(np.flatnonzero(array if array.dtype.kind == "b" else array != 0), array.shape)
    if as_tuple:
        return tuple([wrap(np.ascontiguousarray(column)) for column in found.T])
    return wrap(found[:, : input._array.ndim])


def _unravelled(flat: Any, shape: tuple[int, ...]) -> Any:
    """Positions in the flat array as rows of indices. (`np.nonzero` takes six times as long.)"""
    out = np.empty((len(flat), len(shape)), np.int64)
    for axis in range(len(shape) - 1, 0, -1):
        flat, out[:, axis] = np.divmod(flat, shape[axis])
    out[:, 0] = flat
    return out


@public
def argwhere(input: Tensor) -> Tensor:
    """The indices of what is not 0, one row each. Source: PyTorch's `torch.argwhere`."""
    return nonzero(input)


@public
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """`nonzero` in exactly `size` rows: the first ones, or filled up. Source: PyTorch's `torch.nonzero_static`."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    found = nonzero(input)._array[:size]
    out = np.full((size, input._array.ndim), fill_value, np.int64)
    out[: len(found)] = found
    return wrap(out)
