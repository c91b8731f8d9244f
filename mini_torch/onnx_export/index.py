"""Indexing with ints, slices, None and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Builder, NoTranslation, Wire
from .table import numpy, row

__all__ = ["basic_parts", "is_basic", "put_at", "take"]

Part = tuple[Any, bool, int]  # an int or a slice, whether it is a new dimension, the axis


def is_basic(index: Any) -> bool:
    """Whether an index has only ints, slices, None and the dots in it."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = int | np.integer | slice | None
    return all(x is Ellipsis or (isinstance(x, plain) and not isinstance(x, bool)) for x in parts)


def basic_parts(index: Any, shape: tuple[int, ...]) -> list[Part]:
    """What a basic index says of each dimension in order, those that it does not name, too."""
    parts = list(index if isinstance(index, tuple) else (index,))
    named = sum(x is not None and x is not Ellipsis for x in parts)
    if not any(x is Ellipsis for x in parts):
        parts.append(Ellipsis)
    at = next(i for i, x in enumerate(parts) if x is Ellipsis)
    parts[at : at + 1] = [slice(None)] * (len(shape) - named)
    out: list[Part] = []
    axis = 0
    for x in parts:
        if x is None:
            out.append((0, True, axis))
            continue
        out.append((x if isinstance(x, slice) else int(x), False, axis))
        axis += 1
    return out


def take(b: Builder, x: Wire, index: Any) -> Wire:
    """x[index] for a basic index."""
    new, gone = [], []
    place = 0
    for part, is_new, axis in basic_parts(index, x.dims):
        if is_new:
            new.append(place)
        elif isinstance(part, int):
            gone.append((axis, part))
            continue
        else:
            x = b.slice(x, axis, part.start, part.stop, part.step)
        place += 1
    for axis, i in reversed(gone):
        x = b.pick(x, axis, i)
    return b.unsqueeze(x, new)


@row("cut", "select")
def _cut(b: Builder, x: Wire, index: Any) -> Wire:
    if not is_basic(index):
        raise NoTranslation("its index is not known")
    return take(b, x, index)


@numpy("_getitem")
def _getitem(b: Builder, x: Wire, index: Any) -> Wire:
    return take(b, x, index) if is_basic(index) else advanced(b, x, index)


@row("take")
def _take(b: Builder, x: Wire, index: Any) -> Wire:
    return advanced(b, x, index)


class _Picked:
    """What an index with tensors or lists of numbers picks of x: `places` (*shape, dimensions) along `axes`."""

    def __init__(self, b: Builder, x: Wire, index: Any) -> None:
        parts = list(index if isinstance(index, tuple) else (index,))
        named = sum(p is not None and p is not Ellipsis for p in parts)
        if any(p is None for p in parts):
            raise NoTranslation("it has None beside tensors in its index; use unsqueeze")
        if any(p is Ellipsis for p in parts):
            at = next(i for i, p in enumerate(parts) if p is Ellipsis)
            parts[at : at + 1] = [slice(None)] * (x.rank - named)
        self.slices = {axis: p for axis, p in enumerate(parts) if isinstance(p, slice) and p != slice(None)}
        self.arrays = {axis: _numbers(b, p) for axis, p in enumerate(parts) if not isinstance(p, slice)}
        self.axes = [*self.arrays]
        self.rest = [a for a in range(x.rank) if a not in self.arrays]
        self.order = [*self.axes, *self.rest]  # of x's dimensions, those of the places in front
        self.shape = np.broadcast_shapes(*[w.dims for w in self.arrays.values()])
        # NumPy has the result's new dimensions where the axes were, if these are neighbours, else in front.
        first, count = self.axes[0], len(self.shape)
        front = first if self.axes == [*range(first, first + len(self.axes))] else 0
        self.back = [*range(count, count + front), *range(count), *range(count + front, count + len(self.rest))]

    def places(self, b: Builder) -> Wire:
        """All dimensions' numbers side by side."""
        count = len(self.shape)
        each = [b.unsqueeze(b.expand(w, self.shape), [count]) for w in self.arrays.values()]
        return b.concat([b.cast(w, np.int64) for w in each], count)


def advanced(b: Builder, x: Wire, index: Any) -> Wire:
    """x[index] where tensors or lists of numbers are among the index: a Gather if they are for one dimension, a
    GatherND if they are for several."""
    picked = _Picked(b, x, index)
    for axis, p in picked.slices.items():
        x = b.slice(x, axis, p.start, p.stop, p.step)
    if len(picked.arrays) == 1:
        ((axis, numbers),) = picked.arrays.items()
        return _gather(b, x, numbers, axis)
    out: Wire = b.op("GatherND", b.transpose(x, picked.order), picked.places(b))
    out.dtype, out.shape = x.dtype, (*picked.shape, *[x.dims[a] for a in picked.rest])
    return b.transpose(out, picked.back)


def put_at(b: Builder, x: Wire, index: Any, value: Wire, accumulate: bool = False) -> Wire:
    """x after `x[index] = value`, or `+=`, where numbers are among the index."""
    picked = _Picked(b, x, index)
    if picked.slices:
        raise NoTranslation("it writes through slices and numbers at once; write in two steps")
    shape = (*picked.shape, *[x.dims[a] for a in picked.rest])
    spread = b.expand(value, [shape[i] for i in picked.back])
    updates = b.transpose(spread, [int(i) for i in np.argsort(picked.back)])
    out: Wire = b.op("ScatterND", b.transpose(x, picked.order), picked.places(b), updates,
                     reduction="add" if accumulate else None)  # fmt: skip
    out.shape = tuple([x.dims[a] for a in picked.order])
    return b.transpose(out, [int(i) for i in np.argsort(picked.order)])


@row("index_put")
def _index_put(b: Builder, x: Wire, value: Wire, index: Any, accumulate: bool) -> Wire:
    return put_at(b, x, index, value, accumulate)


def _numbers(b: Builder, x: Any) -> Wire:
    wire = x if isinstance(x, Wire) else b.constant(x)
    if wire.kind == "constant" and wire.dtype == bool and wire.rank == 1:
        return b.constant(np.flatnonzero(wire.array))
    if wire.dtype == bool:
        raise NoTranslation("an index of bools picks another number of elements at every call; use torch.where")
    return b.cast(wire, np.int64) if wire.dtype not in (np.int32, np.int64) else wire


def _gather(b: Builder, x: Wire, index: Wire, axis: int) -> Wire:
    out: Wire = b.op("Gather", x, index, axis=axis)
    out.dtype, out.shape = x.dtype, b.outs[0][0] if len(b.outs) == 1 else None
    return out


@numpy("take")
def _np_take(b: Builder, x: Wire, index: Any, axis: Any = None) -> Wire:
    if axis is None:
        x, axis = b.reshape(x, (x.size,)), 0
    return _gather(b, x, _numbers(b, index), axis)


@row("take_along")
def _take_along(b: Builder, x: Wire, index: Wire, axis: int) -> Wire:
    out: Wire = b.op("GatherElements", x, b.cast(index, np.int64), axis=axis)
    out.dtype = x.dtype
    return out


@row("embedding", "embedding_pick")
def _embedding(b: Builder, weight: Wire, index: Wire, *_: Any) -> Wire:
    return _gather(b, weight, _numbers(b, index), 0)


@row("max_along", "min_along", "median_along", "nanmedian_along", "kthvalue_along", "mode_along")
def _along(b: Builder, x: Wire, index: Wire, axis: int, keepdim: bool) -> Wire:
    out: Wire = b.op("GatherElements", x, b.reshape(index, _kept(x, axis)), axis=axis)
    out.dtype, out.shape = x.dtype, _kept(x, axis)
    return out if keepdim else b.squeeze(out, [axis])


def _kept(x: Wire, axis: int) -> tuple[int, ...]:
    return tuple([1 if i == axis % x.rank else n for i, n in enumerate(x.dims)])


def _like_index(b: Builder, src: Wire, index: Wire) -> Wire:
    """The source cropped to the index' shape, which ONNX asks for."""
    for axis, (n, m) in enumerate(zip(src.dims, index.dims)):
        src = src if n == m else b.slice(src, axis, None, m)
    return src


@row("scatter")
def _scatter(b: Builder, x: Wire, src: Wire, index: Wire, axis: int) -> Wire:
    return b.op("ScatterElements", x, index, _like_index(b, src, index), axis=axis)


@row("scatter_add", "scatter_amax", "scatter_amin", "scatter_prod")
def _scatter_reduce(b: Builder, x: Wire, src: Wire, index: Wire, axis: int) -> Wire:
    reduction = {"scatter_add": "add", "scatter_amax": "max", "scatter_amin": "min", "scatter_prod": "mul"}[b.what]
    return b.op("ScatterElements", x, index, _like_index(b, src, index), axis=axis, reduction=reduction)
