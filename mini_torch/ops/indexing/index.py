"""Reading an index: what `x[index]` may hold, checked in PyTorch's words and brought into NumPy's form."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from ...graph import mode, verify
from ...tensor import Tensor

__all__ = ["Parts", "explained", "is_mask", "picked_shape", "read_arrays", "read_index"]

Parts = tuple[Any, ...]  # of an index: what stands between the commas


def read_index(index: Any, ndim: int) -> tuple[Parts | None, Parts | None]:
    """The index in two steps, as PyTorch takes it: ints, slices and None first, then arrays in what these leave.

    (NumPy counts an int as one of the arrays, which moves dimensions.) The first part gives a view; it ends in an
    Ellipsis, so that NumPy makes no scalar of a single element. Either is None where it has nothing to do. Arrays of
    indices are copied: a later change of theirs cannot reach backward.

    Errors: IndexError for what is no index, ValueError for a negative step. What points outside, NumPy finds: see
    `explained`.
    """
    read = _read(index)
    for part in read:
        if isinstance(part, np.ndarray):
            return _in_two_steps(read, ndim)
    return (*read, ...) if Ellipsis not in read else tuple(read), None


def _read(index: Any) -> list[Any]:
    parts = index if isinstance(index, tuple) else tuple(index) if _stands_for_tuple(index) else (index,)
    return [part if type(part) is int or part is None or part is Ellipsis else _read_part(part) for part in parts]


def explained(error: IndexError, index: Any, shape: tuple[int, ...]) -> IndexError:
    """NumPy's error in PyTorch's words."""
    parts = _read(index)
    try:
        _check_bounds(parts, shape)
        picked_shape(np.broadcast_to(np.empty((), bool), shape), tuple(parts))
    except IndexError as told:
        return told
    return error


def read_arrays(indices: Any, shape: tuple[int, ...]) -> Parts:
    """The index tensors of `index_put`, of which None stands for a whole dimension, in NumPy's form."""
    for part in indices:
        if part is not None and not isinstance(part, Tensor):
            raise TypeError(
                "index_put(): argument 'indices' must be tuple of Tensors, but found element of type "
                f"{type(part).__name__}"
            )
    parts = [slice(None) if part is None else _index_array(part) for part in indices]
    _check_bounds(parts, shape)
    return tuple(parts)


def _stands_for_tuple(index: Any) -> bool:
    """Whether a list is read as a tuple: if it holds more than numbers. PyTorch warns of it, too."""
    if not isinstance(index, list) or len(index) >= 32:
        return False
    several = Tensor | np.ndarray | slice | list | tuple | range
    if not builtins.any(part is None or part is Ellipsis or isinstance(part, several) for part in index):
        return False
    warnings.warn(
        "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] instead of x[seq].",
        UserWarning,
        stacklevel=5,
    )
    return True


def _read_part(part: Any) -> Any:
    if isinstance(part, slice):
        return _checked_slice(part)
    if isinstance(part, bool | np.bool_):
        return np.array(part)
    if isinstance(part, int | np.integer):
        return int(part)
    if not isinstance(part, Tensor | np.ndarray | list | tuple | range):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(part).__name__})"
        )
    array = _index_array(part)
    return int(array) if not array.ndim and array.dtype.kind == "i" else array


def _checked_slice(part: slice) -> slice:
    start, stop, step = part.start, part.stop, part.step
    if (type(start) is int or start is None) and (type(stop) is int or stop is None) and step is None:
        return part
    bounds = [None if v is None else _slice_bound(v) for v in (start, stop, step)]
    if bounds[2] is not None and bounds[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*bounds)


def _slice_bound(value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    return value.__index__()


def _index_array(part: Any) -> np.ndarray[Any, Any]:
    if isinstance(part, Tensor):
        array = part._array
    elif isinstance(part, np.ndarray):
        array = part
    elif isinstance(part, range):
        array = np.arange(part.start, part.stop, part.step)
    else:
        array = np.asarray([p._array if isinstance(p, Tensor) else p for p in part])
        array = array.astype(np.int64) if not array.size else array
    if array.dtype == np.uint8:
        array = array.astype(bool)  # PyTorch's old masks
    if array.dtype.kind not in "bi" or array.dtype in (np.int8, np.int16):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return array.astype(np.int64 if array.dtype.kind == "i" else bool)


def is_mask(part: Any) -> bool:
    """Whether this part of an index is an array of bools."""
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def _dims_used(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if is_mask(part) else 1


def _check_bounds(parts: list[Any], shape: tuple[int, ...]) -> None:
    used = builtins.sum(map(_dims_used, parts))
    if builtins.sum(part is Ellipsis for part in parts) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > len(shape):
        raise _too_many(parts, shape)
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - used
        elif is_mask(part):
            _check_mask(part, shape, axis)
        elif part is not None and not isinstance(part, slice):
            _check_range(part, shape[axis], axis)
        axis += _dims_used(part)


def _too_many(parts: list[Any], shape: tuple[int, ...]) -> IndexError:
    if not shape and len(parts) == 1 and isinstance(parts[0], int):
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
        )
    if not shape and isinstance(parts[0], slice):
        return IndexError("slice() cannot be applied to a 0-dim tensor.")
    return IndexError(f"too many indices for tensor of dimension {len(shape)}")


def _check_mask(mask: Any, shape: tuple[int, ...], axis: int) -> None:
    for k, n in enumerate(mask.shape):
        if n != shape[axis + k]:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {k} does not match the shape of the indexed "
                f"tensor {list(shape)} at index {axis + k}"
            )


def _check_range(part: Any, n: int, axis: int) -> None:
    """`part` is an int or an array of them."""
    if isinstance(part, int):
        low = high = part
        _check_ends(low, high, n, axis)
    elif part.size:
        verify(lambda part: _check_ends(int(part.min()), int(part.max()), n, axis), part)


def _check_ends(low: int, high: int, n: int, axis: int) -> None:
    if low < -n or high >= n:
        bad = high if high >= n else low
        raise IndexError(f"index {bad} is out of bounds for dimension {axis} with size {n}")


def _in_two_steps(parts: list[Any], ndim: int) -> tuple[Parts | None, Parts]:
    used = builtins.sum(map(_dims_used, parts))
    first: list[Any] = []
    second: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            first += [slice(None)] * _dims_used(part)
            second.append(part)
        elif part is Ellipsis:
            first += [slice(None)] * (ndim - used)
            second += [slice(None)] * (ndim - used)
        else:
            first.append(part)
            if not isinstance(part, int):
                second.append(slice(None))
    plain = builtins.all(isinstance(part, slice) and part == slice(None) for part in first)
    return None if plain else (*first, ...), tuple(second)


def picked_shape(array: Any, index: Parts) -> tuple[int, ...]:
    """The shape of `array[index]`; IndexError where the arrays of the index do not broadcast."""
    try:
        # While a program is recorded, indices have no numbers, which do not matter here; masks do.
        numbers = index if mode.recorder is None else tuple(
            [np.zeros(x.shape, int) if isinstance(x, np.ndarray) and not is_mask(x) else x for x in index]
        )
        return np.broadcast_to(np.empty((), bool), array.shape)[numbers].shape
    except IndexError:
        sizes = [[int(part.sum())] if is_mask(part) else list(part.shape)
                 for part in index if isinstance(part, np.ndarray)]  # fmt: skip
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes " + ", ".join(map(str, sizes))
        ) from None
