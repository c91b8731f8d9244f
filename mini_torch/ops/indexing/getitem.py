"""`x[index]`, `x[index] = value`, and their named forms: index_put, take, put."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import mode, verify
from ...op import adopt, as_operand, cast, check_writable, number_as, public, record, row, rows, type_name
from ...op.types import as_type
from ...tensor import Tensor, alias, make, method, wrap
from ..adjoint import combine_at, cut, place
from ..adjoint import take as pick
from .index import Parts, explained, is_mask, picked_shape, read_arrays, read_index

__all__ = ["index_put", "put", "take"]


# ---- x[index] --------------------------------------------------------------------------------------------------------
_select = row(
    "select", lambda x, index: x[index], view=True, x=lambda g, index, shape: place(g, index, shape)
)  # cut, with PyTorch's name for an int


def getitem(self: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view for ints, slices, None and Ellipsis alone, else a copy of what the arrays pick."""
    if type(index) is int and self._array.ndim:  # x[i], the most frequent form
        if not -len(self._array) <= index < len(self._array):
            raise IndexError(f"index {index} is out of bounds for dimension 0 with size {len(self._array)}")
        return _select(self, (index, ...))
    region, arrays = read_index(index, self._array.ndim)
    try:
        x = self if region is None else cut(self, region)
        if arrays is None:
            return x
        if mode.recorder is not None:
            mode.recorder.check_index(arrays)
        return pick(x, arrays)
    except IndexError as error:
        raise explained(error, index, self._array.shape) from None


# ---- x[index] = value ------------------------------------------------------------------------------------------------
def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`; value is broadcast, and converted where the index is basic, as PyTorch does."""
    if isinstance(index, bool):
        if not index:
            return
        index = None
    region, arrays = read_index(index, self._array.ndim)
    try:
        if mode.enabled and (self.requires_grad or (isinstance(value, Tensor) and value.requires_grad)):
            _write_recorded(self, region, arrays, value)
        else:
            _write(self, region, arrays, value)
    except IndexError as error:
        raise explained(error, index, self._array.shape) from None


def _write(self: Tensor, region: Parts | None, arrays: Parts | None, value: Any) -> None:
    """The assignment outside the graph."""
    target = self._array if region is None else self._array[region]
    if type(self._cell) is not list or not target.flags.writeable or 0 in target.strides:
        check_writable(self if region is None else cut(self, region))
    source = _source(value, target, arrays)
    try:
        target[... if arrays is None else arrays] = source
    except ValueError:
        _fitted(wrap(source), target, arrays)
        raise
    self._bump()


def _write_recorded(self: Tensor, region: Parts | None, arrays: Parts | None, value: Any) -> None:
    target = self if region is None else cut(self, region)
    check_writable(target)
    array = target._array
    source = value if isinstance(value, Tensor) else wrap(_source(value, array, arrays))
    if mode.recorder is not None and arrays is not None and _is_one_mask(arrays) and not source._array.ndim:
        (mask,) = [part for part in arrays if is_mask(part)]
        if mask is arrays[0]:  # a plan cannot have shapes that depend on a mask, and this needs none
            mask = mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
            _write_recorded(target, None, None, target.masked_fill(wrap(mask), source))
            return
    source = _fitted(source, array, arrays)
    if source._array.dtype != array.dtype:
        if arrays is not None:
            _source(value, array, arrays)
        source = cast(source, array.dtype)
    old, new = alias(target), make(Tensor, array)
    array[... if arrays is None else arrays] = source._array
    if arrays is None:
        record(rows["clone"], (source,), (), new)
    else:
        record(rows["index_put"], (old, source), (arrays, False), new)
    adopt(target, new)


def _source(value: Any, target: np.ndarray[Any, Any], arrays: Parts | None) -> Any:
    """The value as an array or number; RuntimeError or TypeError for a type that PyTorch does not convert here."""
    if not isinstance(value, Tensor):
        return number(value, target.dtype)._array
    array = value._array
    if array.dtype != target.dtype:
        if arrays is not None and not (array.size == 1 and _is_one_mask(arrays)):
            _fitted(value, target, arrays)
            _check_types(target.dtype, array.dtype)
        array = as_type(array, target.dtype)
    return array


def _fitted(source: Tensor, target: np.ndarray[Any, Any], arrays: Parts | None) -> Tensor:
    """The source expanded to what the index picks; RuntimeError if it does not fit."""
    if arrays is None:
        return fit(source, target.shape)
    return fit(source, picked_shape(target, arrays), "shape mismatch: value tensor")


def _is_one_mask(arrays: Parts) -> bool:
    """Whether the index is a single mask: PyTorch converts a single value for these."""
    masks = [is_mask(part) and part.ndim > 0 for part in arrays if isinstance(part, np.ndarray)]
    return masks == [True]


def _check_types(target: np.dtype[Any], value: np.dtype[Any]) -> None:
    if value != target:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {type_name(target)} for the destination "
            f"and {type_name(value)} for the source."
        )


def number(value: Any, kind: np.dtype[Any]) -> Tensor:
    """A Python number (or NumPy's) as a tensor of the type; RuntimeError where it does not fit in."""
    if not isinstance(value, bool | int | float | complex | np.generic | np.ndarray):
        raise TypeError(f"can't assign a {type(value).__name__} to a torch.{type_name(kind)}Tensor")
    if isinstance(value, np.ndarray):
        return as_operand(value, kind)
    return wrap(number_as(value.item() if isinstance(value, np.generic) else value, kind))


def fit(source: Tensor, shape: tuple[int, ...], what: str = "") -> Tensor:
    """`source` expanded to `shape`; leading ones may be dropped, as in assignment. `what` begins an error's text."""
    while source._array.ndim > len(shape) and source._array.shape[0] == 1:
        source = source[0]
    if source._array.shape == shape:
        return source
    try:
        return source.expand(shape)
    except RuntimeError as error:
        if not what:
            raise
        raise RuntimeError(
            f"{what} of shape {list(source.shape)} cannot be broadcast to indexing result of shape {list(shape)}"
        ) from error


method("__getitem__", getitem)
method("__setitem__", setitem)


# ---- index_put -------------------------------------------------------------------------------------------------------
def _index_put_forward(x: Any, value: Any, index: Any, accumulate: bool) -> Any:
    out = np.array(x, order="C")
    if accumulate:
        return combine_at(np.add, out, index, value)
    out[index] = value
    return out


def _without(x: Any, index: Any) -> Any:
    out = np.array(x, order="C")
    out[index] = 0
    return out


_cleared: Callable[..., Any] = row("index_clear", _without, x=lambda g, index: _cleared(g, index))
put_at = row(
    "index_put", _index_put_forward, broadcasts=False,
    x=lambda g, index, accumulate: g if accumulate else _cleared(g, index),
    value=lambda g, index, accumulate: pick(g, index),
)  # fmt: skip


@public(inplace=True)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """input with `values` written (or added) where the index tensors say; None takes a whole dimension.

    Source: PyTorch's `torch.index_put`.
    """
    parts = read_arrays(indices, input._array.shape)
    _check_types(input._array.dtype, values._array.dtype)
    values = fit(values, picked_shape(input._array, parts), "shape mismatch: value tensor")
    return put_at(input, values, parts, accumulate)


# ---- by position in the flat tensor ----------------------------------------------------------------------------------
def _positions(input: Tensor, index: Tensor, name: str) -> np.ndarray[Any, Any]:
    array, n = index._array, input._array.size
    if array.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {type_name(array.dtype)}")
    if array.size and not n:
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    verify(_check_positions, array, n)
    return array.copy()


def _check_positions(array: Any, n: int) -> None:
    if array.size and (array.min() < -n or array.max() >= n):
        bad = array.max() if array.max() >= n else array.min()
        raise IndexError(f"out of range: tried to access index {bad} on a tensor of {n} elements.")


@public(apart=True)
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at positions of the flattened tensor, in the shape of `index`. Source: PyTorch's `torch.take`."""
    return pick(input.reshape(-1), (_positions(input, index, "take"),))


@public(inplace=True)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """input with `source` written (or added) at positions of the flattened tensor. Source: PyTorch's `torch.put`."""
    positions = _positions(input, index, "put_")
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input.dtype} and "
            f"source.dtype = {source.dtype}"
        )
    if source._array.size != positions.size:
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._array.size}, index.numel() = {positions.size}"
        )
    flat = put_at(input.reshape(-1), source.reshape(-1), (positions.reshape(-1),), accumulate)
    return flat.reshape(input._array.shape)
