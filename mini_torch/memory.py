"""How elements lie in memory: strides as PyTorch counts them, and views by size, stride and offset.

PyTorch speaks of a storage, the whole block of memory, in which a tensor is a size, a stride per dimension and an
offset, all counted in elements. NumPy's arrays say the same in bytes; the storage is what the array views in the end.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from .graph import mode

__all__ = ["Layout", "apart", "in_format", "is_in_format", "layout_of", "offset_of", "order_of", "positions",
           "storage_of", "strided", "strides_of", "viewed_strides"]  # fmt: skip

Array = np.ndarray[Any, Any]
Layout = tuple[tuple[int, ...], tuple[int, ...], int]  # size, stride, offset


def strides_of(array: Array) -> tuple[int, ...]:
    """Elements from one index to the next along each dimension.

    NumPy gives a new dimension of size 1 the stride 0; PyTorch, that of a dimension in order with the one behind it.
    """
    itemsize, shape = array.itemsize, array.shape
    strides = [s // itemsize for s in array.strides]
    for i in range(len(shape) - 1, -1, -1):
        if shape[i] == 1 and not strides[i]:
            strides[i] = shape[i + 1] * strides[i + 1] if i + 1 < len(shape) else 1
    return tuple(strides)


def viewed_strides(shape: tuple[int, ...], strides: tuple[int, ...], size: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of the same memory in another size; None where that needs a copy.

    Neighbouring dimensions whose elements follow each other evenly make one run; each new dimension must divide a run.
    """
    runs: list[list[int]] = []  # [elements, stride], first to last
    for n, step in zip(shape, strides):
        if n == 1:
            continue
        if runs and runs[-1][1] == n * step:
            runs[-1] = [runs[-1][0] * n, step]
        else:
            runs.append([n, step])
    out: list[int] = []
    left, step = runs.pop() if runs else (1, 1)
    for n in reversed(size):
        if left == 1 and n != 1 and runs:
            left, step = runs.pop()
        if left % n:
            return None
        out.append(step)
        left, step = left // n, step * n
    return tuple(reversed(out))


def storage_of(array: Array) -> Array:
    """The bytes of the whole block of memory that `array` is a part of."""
    owner = array
    while owner.base is not None:
        behind = owner.base if isinstance(owner.base, np.ndarray) else getattr(owner.base, "base", None)
        if not isinstance(behind, np.ndarray):
            break
        owner = behind
    order = sorted(range(owner.ndim), key=lambda axis: -owner.strides[axis])
    in_order = owner.transpose(order)
    if not in_order.flags.c_contiguous:  # memory of somebody else, with gaps
        extent = sum((n - 1) * s for n, s in zip(owner.shape, owner.strides)) // owner.itemsize + 1
        in_order = np.lib.stride_tricks.as_strided(owner, (extent,), (owner.itemsize,))
    return in_order.reshape(-1).view(np.uint8)


def apart(part: Array) -> Array:
    """The same memory as an array that has no other behind it: its `storage_of` is itself. For one part of a block that
    only happens to lie beside the others. `part` is contiguous."""
    if not part.size:
        return part
    return np.frombuffer(part.reshape(-1).view(np.uint8).data, np.uint8).view(part.dtype).reshape(part.shape)


def _address(array: Array) -> int:
    if mode.recorder is not None:
        array = mode.recorder.seen(array, "where in memory they lie")
    return array.__array_interface__["data"][0]


def offset_of(array: Array) -> int:
    """Elements from the start of the storage to the first one of `array`."""
    return (_address(array) - _address(storage_of(array))) // array.itemsize


def layout_of(array: Array) -> Layout:
    """(size, stride, offset), in elements."""
    return array.shape, strides_of(array), offset_of(array)


def strided(
    array: Array, size: tuple[int, ...], stride: tuple[int, ...], offset: int, kind: np.dtype[Any] | None = None
) -> Array:
    """The storage of `array` seen by this size, stride and offset, in elements of its type or of `kind`.

    Errors: RuntimeError where that reaches outside.
    """
    storage, kind = storage_of(array), kind or array.dtype
    itemsize = kind.itemsize
    start, full = offset * itemsize, math.prod(size)
    try:
        if full and not storage.size:
            raise ValueError
        if not full:
            start = 0
        return np.ndarray(size, kind, storage, start, tuple([s * itemsize for s in stride]))
    except (TypeError, ValueError):
        needed = (offset + sum((n - 1) * s for n, s in zip(size, stride)) + 1) * itemsize
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {itemsize} "
            f"requiring a storage size of {needed} are out of bounds for storage of size {storage.size}"
        ) from None


def positions(layout: Layout) -> Array:
    """Where in the storage each element of the layout lies, counted in elements."""
    size, stride, offset = layout
    out = np.full(size, offset, np.int64)
    for axis, (n, step) in enumerate(zip(size, stride)):
        out += (np.arange(n) * step).reshape((-1,) + (1,) * (len(size) - axis - 1))
    return out


def order_of(array: Array) -> Literal["K", "C"]:
    """The order for a copy: that of the array, but C for an expanded one, whose repeats NumPy would put innermost."""
    return "C" if 0 in array.strides else "K"


# ---- memory formats --------------------------------------------------------------------------------------------------
_ORDERS = {"channels_last": (0, 2, 3, 1), "channels_last_3d": (0, 2, 3, 4, 1)}


def _order_of(array: Array, memory_format: Any) -> tuple[int, ...] | None:
    """The order of the dimensions in memory, outermost first; None for the usual one."""
    return _ORDERS.get(getattr(memory_format, "name", ""))


def in_format(array: Array, memory_format: Any) -> Array:
    """The array's elements in the memory format (`channels_last` …): itself where they lie so, else a copy.

    Errors: RuntimeError where the format is for another number of dimensions.
    """
    order = _order_of(array, memory_format)
    if order is None:
        kept = memory_format is None or memory_format.name == "preserve_format"
        return array if kept else np.ascontiguousarray(array)
    if array.ndim != len(order):
        raise RuntimeError(
            f"required rank {len(order)} tensor to use {memory_format.name} format, but got {list(array.shape)}"
        )
    return np.ascontiguousarray(array.transpose(order)).transpose(np.argsort(order))


def is_in_format(array: Array, memory_format: Any) -> bool:
    """Whether the elements lie in memory in the format's order, without gaps."""
    order = _order_of(array, memory_format)
    if order is None:
        return array.flags.c_contiguous
    return array.ndim == len(order) and array.transpose(order).flags.c_contiguous
