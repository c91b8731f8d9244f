"""Indexing and assignment, gather and scatter, masks.

`x[…]` takes ints, slices, None, Ellipsis, masks, index tensors and lists in any mix. With only the first four the
result is a view; with the others it is a copy, and the gradient of an element that is picked twice adds up.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import mode
from ..op import (
    TYPE_NAMES,
    adopt,
    as_operand,
    cast,
    check_writable,
    implements,
    public,
    record,
    row,
    rows,
    type_name,
)
from ..tensor import Tensor, alias, check_dim, make, method, wrap
from .adjoint import add_along, add_at, cut, place, take, take_along
from .elementwise import where

__all__ = [
    "argwhere", "gather", "index_add", "index_copy", "index_fill", "index_put", "index_select", "masked_fill",
    "masked_scatter", "masked_select", "nonzero", "scatter", "scatter_add", "take_along_dim",
]  # fmt: skip


# ---- reading the index -----------------------------------------------------------------------------------------------
def _normalised(index: Any, shape: tuple[int, ...]) -> tuple[tuple[Any, ...], bool]:
    """The index as NumPy takes it, and whether it is basic (ints, slices, None, Ellipsis only).

    Arrays of indices are copied, so that a later change of theirs cannot reach backward.
    """
    parts = index if isinstance(index, tuple) else (index,)
    out: list[Any] = []
    basic = True
    for part in parts:
        if isinstance(part, bool | np.bool_) or (isinstance(part, Tensor) and part._array.dtype.kind == "b"):
            basic = False
            out.append(np.array(part._array if isinstance(part, Tensor) else part))
        elif isinstance(part, slice):
            out.append(_checked_slice(part))
        elif part is None or part is Ellipsis or isinstance(part, int | np.integer):
            out.append(part)
        elif isinstance(part, Tensor | np.ndarray | list | tuple | range):
            array = _index_array(part)
            if array.ndim == 0 and array.dtype.kind in "iu" and isinstance(part, Tensor):
                out.append(int(array))
                continue
            basic = False
            out.append(array)
        else:
            raise IndexError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
                f"(got {type(part).__name__})"
            )
    _check_bounds(out, shape)
    return tuple(out), basic


def _checked_slice(part: slice) -> slice:
    bounds = [None if v is None else v.__index__() for v in (part.start, part.stop, part.step)]
    if bounds[2] is not None and bounds[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*bounds)


def _index_array(part: Any) -> np.ndarray[Any, Any]:
    if isinstance(part, Tensor):
        array = part._array
    elif isinstance(part, np.ndarray):
        array = part
    else:
        array = np.asarray([p._array if isinstance(p, Tensor) else p for p in part])
        array = array.astype(np.int64) if not array.size else array
    if array.dtype == np.uint8:
        array = array.astype(bool)  # PyTorch's old masks
    if array.dtype.kind not in "biu":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return np.array(array, np.int64 if array.dtype.kind != "b" else bool)


def _check_bounds(parts: list[Any], shape: tuple[int, ...]) -> None:
    """IndexError, in PyTorch's words, for what points outside."""
    used = builtins.sum((p.ndim if isinstance(p, np.ndarray) and p.dtype.kind == "b" else 1)
                        for p in parts if p is not None and p is not Ellipsis)  # fmt: skip
    if builtins.sum(p is Ellipsis for p in parts) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > len(shape):
        if not shape and builtins.any(isinstance(p, int | np.integer) for p in parts):
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    axis = 0
    for part in parts:
        if part is None:
            continue
        if part is Ellipsis:
            axis += len(shape) - used
            continue
        if isinstance(part, np.ndarray) and part.dtype.kind == "b":
            for k, n in enumerate(part.shape):
                if n != shape[axis + k]:
                    raise IndexError(
                        f"The shape of the mask {list(part.shape)} at index {k} does not match the shape of the "
                        f"indexed tensor {list(shape)} at index {axis + k}"
                    )
            axis += part.ndim
            continue
        n = shape[axis]
        if isinstance(part, int | np.integer):
            if not -n <= part < n:
                raise IndexError(f"index {part} is out of bounds for dimension {axis} with size {n}")
        elif isinstance(part, np.ndarray) and part.size:
            low, high = int(part.min()), int(part.max())
            if low < -n or high >= n:
                raise IndexError(
                    f"index {high if high >= n else low} is out of bounds for dimension {axis} with size {n}"
                )
        axis += 1


# ---- x[index] and x[index] = value -----------------------------------------------------------------------------------
_select = row(
    "select", lambda x, index: x[index], view=True, x=lambda g, index, shape: place(g, index, shape)
)  # cut, with PyTorch's name for an int


def getitem(self: Tensor, index: Any) -> Tensor:
    """`x[index]`."""
    if type(index) is int and self._array.ndim:  # x[i], the most frequent form
        if not -len(self._array) <= index < len(self._array):
            raise IndexError(f"index {index} is out of bounds for dimension 0 with size {len(self._array)}")
        return _select(self, (index, ...))
    parts, basic = _normalised(index, self._array.shape)
    if basic:
        return cut(self, _with_ellipsis(parts))
    basic_part, arrays = _split(parts, self._array.ndim)
    x = self if basic_part is None else cut(self, basic_part)
    try:
        return take(x, arrays)
    except IndexError as error:
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together: {error}") from error


def _split(parts: tuple[Any, ...], ndim: int) -> tuple[tuple[Any, ...] | None, tuple[Any, ...]]:
    """A mixed index in two steps, as PyTorch takes it: first ints, slices and None, then the arrays in what is left.

    (NumPy counts an int as one of the arrays, which moves dimensions.) The first is None where it does nothing.
    """
    used = builtins.sum(p.ndim if _is_mask(p) else 1 for p in parts if p is not None and p is not Ellipsis)
    first: list[Any] = []
    second: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * (part.ndim if _is_mask(part) else 1)
            second.append(part)
        elif part is Ellipsis:
            first += [slice(None)] * (ndim - used)
            second += [slice(None)] * (ndim - used)
        else:
            first.append(part)
            if not isinstance(part, int | np.integer):
                second.append(slice(None))
    plain = builtins.all(isinstance(p, slice) and p == slice(None) for p in first)
    return None if plain else (*first, ...), tuple(second)


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def _with_ellipsis(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same index; the Ellipsis makes NumPy give a view even of a single element."""
    return parts if builtins.any(p is Ellipsis for p in parts) else (*parts, ...)


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`; value is broadcast and converted to the tensor's type."""
    parts, basic = _normalised(index, self._array.shape)
    check_writable(cut(self, _with_ellipsis(parts)) if basic else self)
    source = value if isinstance(value, Tensor) else as_operand(_numeric(self, value), self._array.dtype)
    if source._array.dtype != self._array.dtype:
        source = cast(source, self._array.dtype)
    basic_part, arrays = (_with_ellipsis(parts), None) if basic else _split(parts, self._array.ndim)
    target = self if basic_part is None else cut(self, basic_part)
    old = alias(target)
    new = make(Tensor, target._array)
    if arrays is None:
        source = _fit(source, target._array.shape)
        target._array[...] = source._array
        record_if_on("clone", (source,), (), new)
    else:
        source = _fit(source, _picked_shape(target._array, arrays))
        target._array[arrays] = source._array
        record_if_on("index_put", (old, source), (arrays, False), new)
    if old._requires_grad or new._requires_grad:
        adopt(target, new)
    else:
        self._bump()


def record_if_on(name: str, inputs: tuple[Tensor, ...], options: tuple[Any, ...], out: Tensor) -> None:
    """Records a row whose forward was already done in place."""
    if mode.enabled:
        record(rows[name], inputs, options, out)


def _numeric(self: Tensor, value: Any) -> Any:
    if isinstance(value, bool | int | float | complex | np.generic | np.ndarray):
        return value
    raise TypeError(f"can't assign a {type(value).__name__} to a torch.{type_name(self._array.dtype)}Tensor")


def _picked_shape(array: Any, parts: tuple[Any, ...]) -> tuple[int, ...]:
    return np.broadcast_to(np.empty((), bool), array.shape)[parts].shape


def _fit(source: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`source` expanded to `shape`; leading ones may be dropped, as in assignment."""
    while source._array.ndim > len(shape) and source._array.shape[0] == 1:
        source = source[0]
    if source._array.shape == shape:
        return source
    try:
        return source.expand(shape)
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(source.shape)} cannot be broadcast to indexing result of "
            f"shape {list(shape)}.  Target sizes: {list(shape)}.  Tensor sizes: {list(source.shape)}"
        ) from None


method("__getitem__", getitem)
method("__setitem__", setitem)


def _index_put_forward(x: Any, value: Any, index: Any, accumulate: bool) -> Any:
    out = x.copy()
    if accumulate:
        np.add.at(out, index, value)
    else:
        out[index] = value
    return out


def _without(x: Any, index: Any) -> Any:
    out = x.copy()
    out[index] = 0
    return out


_cleared: Callable[..., Any] = row("index_clear", _without, x=lambda g, index: _cleared(g, index))
_index_put = row(
    "index_put", _index_put_forward, broadcasts=False,
    x=lambda g, index, accumulate: g if accumulate else _cleared(g, index),
    value=lambda g, index, accumulate: take(g, index),
)  # fmt: skip


@public(inplace=True)
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """input with `values` written (or added) at the index tensors. Source: PyTorch's `torch.index_put`."""
    parts, _ = _normalised(tuple(indices), input._array.shape)
    if values._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {TYPE_NAMES[input._array.dtype.name]} "
            f"for the destination and {TYPE_NAMES[values._array.dtype.name]} for the source."
        )
    return _index_put(input, _fit(values, _picked_shape(input._array, parts)), parts, accumulate)


# ---- gather and scatter ----------------------------------------------------------------------------------------------
def _check_index(input: Tensor, index: Tensor, axis: int, name: str) -> np.ndarray[Any, Any]:
    array = index._array
    if array.dtype not in (np.int64, np.int32) and array.size:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if array.ndim != input._array.ndim and array.size and not (array.ndim <= 1 and input._array.ndim <= 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    n = input._array.shape[axis] if input._array.ndim else 1
    if array.size and (array.min() < 0 or array.max() >= n):
        bad = int(array.min()) if array.min() < 0 else int(array.max())
        raise RuntimeError(f"index {bad} is out of bounds for dimension {axis} with size {n}")
    return array


@public
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on. `index` may be smaller than input off `dim`.

    Errors: RuntimeError for an index out of range or of another type. Source: PyTorch's `torch.gather`.
    """
    axis = check_dim(dim, input._array.ndim)
    array = _check_index(input, index, axis, "gather")
    if not input._array.ndim:
        return input.reshape(1).expand(array.shape) if array.ndim else input.clone()
    for i, (n, m) in enumerate(zip(array.shape, input._array.shape)):
        if i != axis and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(array.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )
    return take_along(input, index, axis)


@public
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with broadcasting; without `dim` from the flattened tensor. Source: PyTorch's `torch.take_along_dim`."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    axis = check_dim(dim, input._array.ndim)
    a, b = list(input._array.shape), list(indices._array.shape)
    shape = [builtins.max(m, n) for m, n in zip(a, b)]
    shape[axis] = a[axis]
    wide = input.expand(shape)
    shape[axis] = b[axis]
    index = indices.expand(shape)
    return gather(wide, axis, where(index < 0, index + a[axis], index))


def _scatter_forward(x: Any, src: Any, index: Any, axis: int) -> Any:
    out = x.copy()
    np.put_along_axis(out[_corner(index, axis, out)], index, src[tuple(slice(n) for n in index.shape)], axis)
    return out


def _corner(index: Any, axis: int, x: Any) -> tuple[slice, ...]:
    """The part of x that an index smaller than it reaches."""
    return tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape))


def _scatter_clear(x: Any, index: Any, axis: int) -> Any:
    out = x.copy()
    np.put_along_axis(out[_corner(index, axis, out)], index, 0, axis)
    return out


_scattered_out: Callable[..., Any] = row(
    "scatter_clear", _scatter_clear, x=lambda g, index, axis: _scattered_out(g, index, axis), index=None
)
_padded = row(
    "pad_to", lambda x, size: _place_corner(x, size), grad_name="PadBackward0",
    x=lambda g, shape: cut(g, _corner_of(shape)),
)  # fmt: skip


def _corner_of(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(n) for n in shape)


def _place_corner(g: Any, size: tuple[int, ...]) -> Any:
    out = np.zeros(size, g.dtype)
    out[_corner_of(g.shape)] = g
    return out


_scatter = row(
    "scatter", _scatter_forward,
    x=lambda g, index, axis: _scattered_out(g, index, axis),
    src=lambda g, index, shape, axis: _padded(take_along(g, index, axis), shape), index=None,
)  # fmt: skip


def _scatter_add_forward(x: Any, src: Any, index: Any, axis: int) -> Any:
    added = add_along(src[_corner_of(index.shape)], index, _reach(x, index, axis), axis)
    return x + _widened(np.asarray(added), x.shape)


_scatter_add = row(
    "scatter_add", _scatter_add_forward,
    x=lambda g: g,
    src=lambda g, index, shape, axis: _padded(take_along(g, index, axis), shape), index=None,
)  # fmt: skip


def _reach(x: Any, index: Any, axis: int) -> tuple[int, ...]:
    return tuple(m if i == axis else n for i, (m, n) in enumerate(zip(x.shape, index.shape)))


def _widened(part: Any, shape: tuple[int, ...]) -> Any:
    return part if part.shape == shape else _place_corner(part, shape)


@public(inplace=True)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """input with src (tensor or number) written at `index` along `dim`: the opposite of `gather`.

    `reduce` 'add' or 'multiply' combines instead. Source: PyTorch's `torch.scatter`.
    """
    axis = check_dim(dim, input._array.ndim)
    _check_index(input, index, axis, "scatter")
    source = value if src is None else src
    if not isinstance(source, Tensor):
        source = make(Tensor, np.full(index._array.shape, source, input._array.dtype))
    if source._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if reduce == "add":
        return scatter_add(input, dim, index, source)
    if reduce == "multiply":
        ones = scatter(input.new_ones(input.shape), dim, index, 1.0)
        factors = ones._array.copy()
        part = factors[_corner(index._array, axis, factors)]
        mesh: Any = np.indices(index._array.shape, sparse=True)
        np.multiply.at(part, tuple(index._array if i == axis else m for i, m in enumerate(mesh)), source._array)
        return input * wrap(factors)
    if not input._array.ndim:
        return scatter(input.reshape(1), 0, index.reshape(-1), source.reshape(-1)).reshape(())
    return _scatter(input, source, index, axis)


@public(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src added at `index` along `dim`; what meets adds up. Source: PyTorch's `torch.scatter_add`."""
    axis = check_dim(dim, input._array.ndim)
    _check_index(input, index, axis, "scatter_add")
    if src._array.dtype != input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not input._array.ndim:
        return scatter_add(input.reshape(1), 0, index.reshape(-1), src.reshape(-1)).reshape(())
    return _scatter_add(input, src, index, axis)


def _one_axis(index: Tensor, axis: int, input: Tensor, name: str) -> tuple[Any, ...]:
    array = index._array
    if array.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {array.ndim}")
    if array.dtype not in (np.int64, np.int32):
        raise IndexError(f"{name}(): Expected dtype int32 or int64 for index but got: {index.dtype}")
    n = input._array.shape[axis] if input._array.ndim else 1
    if array.size and (array.min() < 0 or array.max() >= n):
        raise IndexError("index out of range in self")
    return (slice(None),) * axis + (np.array(array.reshape(-1)),)


@public
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along `dim` that the vector `index` names, copied. Source: PyTorch's `torch.index_select`."""
    axis = check_dim(dim, input._array.ndim)
    at = _one_axis(index, axis, input, "index_select")
    return take(input, at) if input._array.ndim else input.clone()


@public(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """input with the slices of alpha · source added at `index` along `dim`. Source: PyTorch's `torch.index_add`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        return index_add(input.reshape(1), 0, index, source.reshape(-1), alpha=alpha).reshape(())
    at = _one_axis(index, axis, input, "index_add")
    return input + add_at(source if alpha == 1 else source * alpha, at, input._array.shape)


@public(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with its slices at `index` replaced by those of source. Source: PyTorch's `torch.index_copy`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        return index_copy(input.reshape(1), 0, index, source.reshape(-1)).reshape(())
    return _index_put(input, source, _one_axis(index, axis, input, "index_copy"), False)


@public(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """input with its slices at `index` filled with a number. Source: PyTorch's `torch.index_fill`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        return index_fill(input.reshape(1), 0, index, value).reshape(())
    at = _one_axis(index, axis, input, "index_fill")
    at = (*at[:-1], np.unique(at[-1]))  # a slice named twice counts once for the gradient of value
    filler = as_operand(value, input._array.dtype)
    return _index_put(input, _fit(filler, _picked_shape(input._array, at)), at, False)


# ---- masks -----------------------------------------------------------------------------------------------------------
@public(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """input with `value` where the bool mask (broadcast) holds. Source: PyTorch's `torch.masked_fill`."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{TYPE_NAMES[mask._array.dtype.name].lower()}"
        )
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    return where(mask, as_operand(value, input._array.dtype), input)


@public(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with source's elements, in order, where the mask holds. Source: PyTorch's `torch.masked_scatter`."""
    input = input.expand(np.broadcast_shapes(input._array.shape, mask._array.shape))
    full = np.broadcast_to(mask._array, input._array.shape)
    count = int(full.sum())
    if count > source._array.size:
        raise RuntimeError("masked_scatter: expected self and source to have enough elements")
    return _index_put(input, source.reshape(-1)[:count], (full,), False)


@public
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, as a vector. Source: PyTorch's `torch.masked_select`."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = np.broadcast_shapes(input._array.shape, mask._array.shape)
    return take(input.expand(shape), (np.array(np.broadcast_to(mask._array, shape)),))


@public
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of what is not 0, one row each; or as a tuple of vectors. Source: PyTorch's `torch.nonzero`."""
    found = np.nonzero(np.atleast_1d(input._array))
    if as_tuple:
        return tuple(wrap(i.astype(np.int64)) for i in found)
    return wrap(np.argwhere(input._array).astype(np.int64))


@public
def argwhere(input: Tensor) -> Tensor:
    """The indices of what is not 0, one row each. Source: PyTorch's `torch.argwhere`."""
    return nonzero(input)


@implements(np.take_along_axis)
def _numpy_take_along(arr: Tensor, indices: Any, axis: int) -> Tensor:
    return take_along(arr, indices, axis)
