"""Indexing with ints, slices, None and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Builder, NoTranslation, Wire
from .table import kernel, numpy, row

__all__ = ["basic_parts", "is_basic", "take"]

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


def advanced(b: Builder, x: Wire, index: Any) -> Wire:
    """x[index] where tensors or lists of numbers are among the index: one after the other if they are for one
    dimension, all together (GatherND) if they are for several."""
    parts = list(index if isinstance(index, tuple) else (index,))
    if any(x is None or x is Ellipsis for x in parts):
        named = sum(p is not None and p is not Ellipsis for p in parts)
        if any(p is None for p in parts):
            raise NoTranslation("it has None beside tensors in its index; use unsqueeze")
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (x.rank - named)
    arrays = {axis: _numbers(b, p) for axis, p in enumerate(parts) if not isinstance(p, slice)}
    for axis, p in enumerate(parts):
        if isinstance(p, slice):
            x = b.slice(x, axis, p.start, p.stop, p.step)
    if len(arrays) == 1:
        ((axis, numbers),) = arrays.items()
        return _gather(b, x, numbers, axis)
    axes = [*arrays]
    adjacent = axes == [*range(axes[0], axes[0] + len(axes))]
    rest = [a for a in range(x.rank) if a not in arrays]
    moved = b.transpose(x, [*axes, *rest])
    shape = np.broadcast_shapes(*[w.shape or () for w in arrays.values()])
    places = b.concat([b.unsqueeze(b.expand(w, shape), [len(shape)]) for w in arrays.values()], len(shape))
    out: Wire = b.op("GatherND", moved, places)
    out.dtype, out.shape = x.dtype, (*shape, *[x.dims[a] for a in rest])
    if not adjacent or axes[0] == 0:
        return out
    first = axes[0]
    order = [*range(len(shape), len(shape) + first), *range(len(shape)), *range(len(shape) + first, out.rank)]
    return b.transpose(out, order)


def _numbers(b: Builder, x: Any) -> Wire:
    wire = x if isinstance(x, Wire) else b.constant(x)
    if wire.dtype == np.bool_:
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


@row("scatter")
def _scatter(b: Builder, x: Wire, src: Wire, index: Wire, axis: int) -> Wire:
    return b.op("ScatterElements", x, index, src, axis=axis)


@row("scatter_add", "scatter_amax", "scatter_amin", "scatter_prod")
def _scatter_reduce(b: Builder, x: Wire, src: Wire, index: Wire, axis: int) -> Wire:
    reduction = {"scatter_add": "add", "scatter_amax": "max", "scatter_amin": "min", "scatter_prod": "mul"}[b.what]
    return b.op("ScatterElements", x, index, src, axis=axis, reduction=reduction)


@kernel("masked_select")
def _masked_select(b: Builder, *_: Any) -> Wire:
    raise NoTranslation("its result has another size at every call; use torch.where")
