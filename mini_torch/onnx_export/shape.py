"""Other shapes, other orders, copies side by side, what is put together, borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops.window import Windows
from .graph import Builder, NoTranslation, Wire
from .table import kernel, numpy, row

__all__: list[str] = []


# ---- the same numbers in another shape -------------------------------------------------------------------------------
@numpy("reshape", "ravel", "flatten", "squeeze", "expand_dims", "atleast_1d", "atleast_2d")
@row("view", "unsafe_view")
def _reshape(b: Builder, x: Wire, *given: Any, order: str = "C", **_: Any) -> Wire:
    if "F" in (order, *[v for v in given if isinstance(v, str)]):
        raise NoTranslation("it reads its elements in Fortran's order")
    return b.reshape(x, b.outs[0][0])


@row("squeeze")
def _squeeze(b: Builder, x: Wire, axes: Any) -> Wire:
    return b.squeeze(x, [a for a in axes if x.dims[a] == 1])


@row("unsqueeze")
def _unsqueeze(b: Builder, x: Wire, axis: int) -> Wire:
    return b.unsqueeze(x, [axis])


@numpy("transpose", "permute_dims")
@row("permute", "t")
def _transpose(b: Builder, x: Wire, *axes: Any) -> Wire:
    order = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)) else axes
    return b.transpose(x, order if order else [*range(x.rank)][::-1])


@numpy("swapaxes")
@row("transpose")
def _swap(b: Builder, x: Wire, i: int, k: int) -> Wire:
    return b.swap(x, i, k) if x.rank else x


@numpy("moveaxis")
def _moveaxis(b: Builder, x: Wire, source: Any, target: Any) -> Wire:
    places = [[int(a) % x.rank for a in ([v] if isinstance(v, int) else v)] for v in (source, target)]
    order = [a for a in range(x.rank) if a not in places[0]]
    for at, axis in sorted(zip(places[1], places[0])):
        order.insert(at, axis)
    return b.transpose(x, order)


@numpy("broadcast_to", "_broadcast")
@row("expand")
def _expand(b: Builder, x: Wire, *_: Any, **__: Any) -> Wire:
    return b.expand(x, b.outs[0][0])


# ---- copies, order ---------------------------------------------------------------------------------------------------
@numpy("tile")
@row("repeat")
def _tile(b: Builder, x: Wire, repeats: Any) -> Wire:
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    repeats = [1] * (x.rank - len(repeats)) + repeats
    x = b.unsqueeze(x, range(len(repeats) - x.rank))
    return b.op("Tile", x, b.ints(repeats))


@numpy("repeat")
def _repeat(b: Builder, x: Wire, repeats: Any, axis: Any = None) -> Wire:
    """Each element several times: a new dimension behind the axis, expanded, and merged with it."""
    if isinstance(repeats, Wire) and repeats.kind == "constant" and repeats.size == 1:
        repeats = int(repeats.array.reshape(()))
    if not isinstance(repeats, int | np.integer):
        raise NoTranslation("its counts are a tensor, and so is the size of its result")
    if axis is None:
        x, axis = b.reshape(x, (x.size,)), 0
    axis %= x.rank
    shape = list(x.dims)
    wide = b.expand(b.unsqueeze(x, [axis + 1]), [*shape[: axis + 1], int(repeats), *shape[axis + 1 :]])
    shape[axis] *= int(repeats)
    return b.reshape(wide, shape)


@numpy("flip")
@row("flip")
def _flip(b: Builder, x: Wire, axes: Any = None) -> Wire:
    for axis in range(x.rank) if axes is None else [axes] if isinstance(axes, int) else axes:
        x = b.slice(x, axis % x.rank, None, None, -1)
    return x


@row("roll")
@numpy("roll")
def _roll(b: Builder, x: Wire, shifts: Any, axes: Any = None) -> Wire:
    shape = x.shape or ()
    if axes is None or axes == ():
        flat = _roll(b, b.reshape(x, (x.size,)), [shifts] if isinstance(shifts, int) else shifts, [0])
        return b.reshape(flat, shape)
    for shift, axis in zip([shifts] if isinstance(shifts, int) else shifts, [axes] if isinstance(axes, int) else axes):
        if shift:
            x = b.concat([b.slice(x, axis, -shift, None), b.slice(x, axis, None, -shift)], axis)
    return x


@row("tril", "triu")
def _trilu(b: Builder, x: Wire, k: int) -> Wire:
    upper = int(b.what == "triu")
    if x.dtype == bool:  # which runtimes take as numbers alone
        return b.cast(b.op("Trilu", b.cast(x, np.int64), b.constant(k, np.int64), upper=upper), bool)
    return b.op("Trilu", x, b.constant(k, np.int64), upper=upper)


@kernel("diagonal", "_diagonal")
def _diagonal(b: Builder, x: Wire, offset: int, axis1: int, axis2: int) -> Wire:
    """Elements of the two axes made one, size + 1 apart."""
    if offset:
        raise NoTranslation("it is a diagonal beside the main one; index with two vectors of places")
    shape = x.shape or ()
    rest = [a for a in range(x.rank) if a not in (axis1, axis2)]
    rows, columns = shape[axis1], shape[axis2]
    count = min(rows, columns)
    x = b.transpose(x, [*rest, axis1, axis2])
    flat = b.reshape(x, [*[shape[a] for a in rest], rows * columns])
    places = b.constant(np.arange(count) * (columns + 1), np.int64)
    return b.op("Gather", flat, places, axis=len(rest))


# ---- put together ----------------------------------------------------------------------------------------------------
@row("cat")
def _cat(b: Builder, *given: Any) -> Wire:
    parts = [x for x in given if isinstance(x, Wire)]
    axis = given[len(parts)]
    kind = b.outs[0][1]
    return b.concat([b.cast(x, kind) for x in parts], axis)


@numpy("concatenate")
def _concatenate(b: Builder, parts: Sequence[Any], axis: int = 0, **_: Any) -> Wire:
    kind = b.outs[0][1]
    return b.concat([b.wire(x, kind) for x in parts], axis)


@row("stack")
def _stack(b: Builder, *given: Any) -> Wire:
    parts = [x for x in given if isinstance(x, Wire)]
    return _stacked(b, parts, given[len(parts)])


@numpy("stack")
def _np_stack(b: Builder, parts: Sequence[Any], axis: int = 0, **_: Any) -> Wire:
    return _stacked(b, parts, axis)


def _stacked(b: Builder, parts: Sequence[Any], axis: int) -> Wire:
    shape, kind = b.outs[0]
    return b.concat([b.unsqueeze(b.wire(x, kind), [axis]) for x in parts], axis % len(shape))


# ---- borders ---------------------------------------------------------------------------------------------------------
@row("constant_pad_nd")
def _constant_pad(b: Builder, x: Wire, sides: Any, value: Any) -> Wire:
    before, after = zip(*sides)
    number = value if isinstance(value, Wire) else b.constant(value, x.dtype)
    if x.dtype == bool:
        return b.cast(b.op("Pad", b.cast(x, np.int32), b.ints([*before, *after]), b.cast(number, np.int32)), bool)
    return b.op("Pad", x, b.ints([*before, *after]), number)


@numpy("pad")
def _pad(b: Builder, x: Wire, width: Any, mode: str = "constant", constant_values: Any = 0, **_: Any) -> Wire:
    if mode != "constant" or not isinstance(constant_values, int | float):
        raise NoTranslation(f"its border is of the kind {mode}")
    sides = np.broadcast_to(np.array(width), (x.rank, 2)).tolist()
    return _constant_pad(b, x, sides, constant_values)


# ---- windows ---------------------------------------------------------------------------------------------------------
def _along(b: Builder, x: Wire, axis: int, index: Any) -> Wire:
    """x with the axis made two, those of the index."""
    shape = (*x.dims[:axis], *index.shape, *x.dims[axis + 1 :])
    out: Wire = b.op("Gather", x, b.constant(index, np.int64), axis=axis)
    out.shape = shape
    return out


@row("unfold")
def _unfold(b: Builder, x: Wire, axis: int, size: int, step: int) -> Wire:
    count = (x.dims[axis] - size) // step + 1
    out = _along(b, x, axis, np.arange(count)[:, None] * step + np.arange(size))
    return b.transpose(out, [a for a in range(out.rank) if a != axis + 1] + [axis + 1])


@row("windows")
def _windows(b: Builder, x: Wire, w: Windows) -> Wire:
    """Borders of zeros, a Gather for each dimension, and all taps together, all windows together."""
    dims, lead = len(w.size), x.rank - len(w.size)
    behind = [max(span - before - size, 0) for span, before, size in zip(w.span, w.before, w.size)]
    if any(w.before) or any(behind):
        sides = [(0, 0)] * lead + list(zip(w.before, behind))
        padded = _constant_pad(b, x, sides, 0)
        padded.shape = tuple([n + p + q for n, (p, q) in zip(x.dims, sides)])
        x = padded
    for i in range(dims):
        index = np.arange(w.kernel[i])[:, None] * w.dilation[i] + np.arange(w.counts[i]) * w.stride[i]
        x = _along(b, x, lead + 2 * i, index)
    taps, places = ([*range(lead + k, lead + 2 * dims, 2)] for k in (0, 1))
    return b.reshape(b.transpose(x, [*range(lead), *taps, *places]), b.outs[0][0])


@row("overlap_add")
def _overlap_add(b: Builder, x: Wire, w: Windows) -> Wire:
    batched, single = (x, False) if x.rank == 3 else (b.unsqueeze(x, [0]), True)
    out: Wire = b.op("Col2Im", batched, b.ints(w.size), b.ints(w.kernel), dilations=list(w.dilation),
                     pads=[*w.before, *w.before], strides=list(w.stride))  # fmt: skip
    out.shape = (1, *b.outs[0][0]) if single else b.outs[0][0]
    return b.squeeze(out, [0]) if single else out


# ---- shuffled --------------------------------------------------------------------------------------------------------
@row("pixel_shuffle", "pixel_unshuffle")
def _pixel_shuffle(b: Builder, x: Wire, r: int) -> Wire:
    """(…, C r r, H, W) ↔ (…, C, H r, W r), by a dimension for each factor."""
    *lead, c, h, w = x.dims
    n = len(lead)
    if b.what == "pixel_shuffle":
        parts, order = (c // (r * r), r, r, h, w), (0, 3, 1, 4, 2)
    else:
        parts, order = (c, h // r, r, w // r, r), (0, 2, 4, 1, 3)
    wide = b.reshape(x, (*lead, *parts))
    return b.reshape(b.transpose(wide, [*range(n), *[n + i for i in order]]), b.outs[0][0])


@row("channel_shuffle")
def _channel_shuffle(b: Builder, x: Wire, groups: int) -> Wire:
    n, c, *rest = x.dims
    return b.reshape(b.swap(b.reshape(x, (n, groups, c // groups, *rest)), 1, 2), x.dims)


@row("on_diagonal")
def _on_diagonal(b: Builder, x: Wire, size: Any, offset: int, axis1: int, axis2: int) -> Wire:
    n = x.dims[-1]
    if (axis1, axis2) != (x.rank - 1, x.rank) or tuple(size[-2:]) != (n, n):
        raise NoTranslation("it is a diagonal beside the main one, or not of the last two dimensions")
    whole = b.expand(b.constant(1, x.dtype), (n, n))
    for upper in (0, 1):
        whole = b.op("Trilu", whole, None, upper=upper)
    return b.op("Where", b.cast(whole, bool), b.unsqueeze(x, [x.rank]), b.constant(0, x.dtype))


# ---- filled ----------------------------------------------------------------------------------------------------------
@numpy("fresh")
def _fresh(b: Builder, shape: Any, dtype: Any, strides: Any, value: Any) -> Wire:
    """What `zeros_like` and its kin are recorded as."""
    return b.expand(b.wire(0 if value is None else value, dtype), tuple(shape))


@numpy("full_like")
@row("fill")
def _full_like(b: Builder, x: Wire, value: Any, *_: Any, **__: Any) -> Wire:
    shape, kind = b.outs[0]
    return b.expand(b.wire(value, kind), shape)
