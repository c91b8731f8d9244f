"""Pairs of linear maps that are each other's adjoint: what must write in place, so that formulas need not.

If an operation picks elements, its gradient puts them back where they came from, adding up what was picked twice; and
the gradient of putting back is picking. Each pair therefore closes under differentiation of every order:

    take_along  / add_along     elements along one axis, by an array of indices
    take        / add_at        elements by any of NumPy's advanced indices
    cut         / place         a region by ints, slices, None and Ellipsis (a view; nothing is picked twice)
    diagonal    / on_diagonal   the diagonals of two axes
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import contiguous_strides
from ..graph import unit
from ..op.table import row

__all__ = ["add_along", "add_at", "combine_along", "combine_at", "cut", "diagonal_of", "on_diagonal", "place",
           "positions_along", "take", "take_along"]  # fmt: skip

Shape = tuple[int, ...]

_ROUND = 3000  # elements that are combined one by one in the time that the calls of a round take


def positions_along(index: Any, shape: Shape, axis: int) -> Any:
    """Where in the flat memory of an array of `shape` the elements lie that `index` names along `axis`.

    Its other dimensions may be shorter than the array's. One flat index is several times faster than one a dimension.
    """
    if index.dtype != np.int64:
        index = index.astype(np.int64)
    step = math.prod(shape[axis + 1 :])
    starts = (_kept_starts if index.size <= 4096 else _starts)(index.shape, shape, axis)
    return (index if step == 1 else index * step) + starts


def _starts(size: Shape, shape: Shape, axis: int) -> Any:
    """Where in an array of `shape` the lines along `axis` begin, for an index of shape `size`."""
    starts = np.zeros((), np.int64)
    for i, (n, step) in enumerate(zip(size, contiguous_strides(shape))):
        if i != axis and n > 1:
            starts = starts + np.arange(0, n * step, step).reshape((-1,) + (1,) * (len(size) - i - 1))
    return starts


_kept_starts = functools.lru_cache(maxsize=256)(_starts)  # small indices come again and again


def _take_along(x: Any, index: Any, axis: int) -> Any:
    return x.reshape(-1).take(positions_along(index, x.shape, axis))


def combine_along(ufunc: np.ufunc, out: Any, index: Any, axis: int, x: Any) -> Any:
    """`out`, which lies in order, with x combined into it in place, at `index` along `axis`."""
    ufunc.at(out.reshape(-1), positions_along(index, out.shape, axis).reshape(-1), x.reshape(-1))
    return out


def _add_along(x: Any, index: Any, size: Shape, axis: int) -> Any:
    out = np.zeros(size, x.dtype)
    if index.shape[axis] == 1:  # one each: nothing can meet
        out.reshape(-1)[positions_along(index, size, axis)] = x
        return out
    return combine_along(np.add, out, index, axis, x)


take_along = row(
    "take_along", _take_along, grad_name="GatherBackward0",
    x=lambda g, index, shape, axis: add_along(g, index, shape, axis), index=None,
)  # fmt: skip
add_along: Callable[..., Any] = row(
    "add_along", _add_along, grad_name="ScatterBackward0",
    x=lambda g, index, axis: take_along(g, index, axis), index=None,
)  # fmt: skip


def _add_at(x: Any, index: Any, size: Shape) -> Any:
    out = np.zeros(size, x.dtype)
    if x.size and _picks_once(index):
        out[index] = x
        return out
    return combine_at(np.add, out, index, x) if x.size else out  # where nothing is picked, an index may point outside


def combine_at(ufunc: np.ufunc, out: Any, index: Any, x: Any) -> Any:
    """`ufunc.at(out, index, x)` for an `out` that lies in memory in order; returns it.

    Rows take three times as long as the same number of elements in one dimension, so all but little goes that way.
    """
    parts = index if isinstance(index, tuple) else (index,)
    leading = all(isinstance(part, np.ndarray) and part.dtype.kind == "i" for part in parts)
    if out.ndim == 1 or x.size < 256 or (not leading and 16 * x.size < out.size):
        ufunc.at(out, index, x)
        return out
    if leading:
        rows, width = _leading_positions(parts, out.shape)
        x = x.reshape(-1, width)
        if width >= 64 and x.size >= 1 << 14:
            rows, x = _combine_rows(ufunc, out.reshape(-1, width), rows, x)
        positions = rows.reshape(-1, 1) * width + np.arange(width)
    else:
        positions = np.arange(out.size).reshape(out.shape)[index]
    ufunc.at(out.reshape(-1), positions.reshape(-1), x.reshape(-1))
    return out


def _leading_positions(parts: tuple[Any, ...], shape: Shape) -> tuple[Any, int]:
    """Where the rows lie that index arrays for the first dimensions name, counted in rows, and how wide a row is."""
    positions: Any = 0
    for part, n in zip(parts, shape):
        positions = positions * n + np.where(part < 0, part + n, part)
    return positions.reshape(-1), math.prod(shape[len(parts) :])


def _combine_rows(ufunc: np.ufunc, out: Any, rows: Any, x: Any) -> tuple[Any, Any]:
    """Long rows by rounds, in each of which every target is met once, while there are many; gives what is left.

    Whole rows go four times as fast as their elements one by one: the gradient of an embedding of 10,000 words.
    """
    order = np.argsort(rows, kind="stable")
    counts = np.bincount(rows)
    counts = counts[counts > 0]
    rounds = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
    for k in range(counts.max()):
        now = order[rounds == k]
        if now.size * x.shape[1] < _ROUND:
            left = order[rounds >= k]
            return rows[left], x[left]
        targets = rows[now]
        out[targets] = ufunc(out.take(targets, 0), x.take(now, 0))
    return rows[:0], x[:0]


def _picks_once(index: Any) -> bool:
    """Whether no element can be picked twice: a mask does not, an array of indices may."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(p, np.ndarray) and p.dtype.kind != "b" and p.size > 1 for p in parts)


def _is_everything(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


def _picked(x: Any, index: Any) -> Any:
    *before, last = index
    if isinstance(last, np.ndarray) and last.dtype.kind == "i" and all(map(_is_everything, before)):
        return x.take(last, len(before))  # two to three times as fast as brackets
    return np.ascontiguousarray(x[index])


take = row(
    "take", _picked, grad_name="IndexBackward0", x=lambda g, index, shape: add_at(g, index, shape)
)
add_at: Callable[..., Any] = row("add_at", _add_at, grad_name="IndexPutBackward0", x=lambda g, index: take(g, index))


def _place(x: Any, index: Any, size: Shape) -> Any:
    out = np.zeros(size, x.dtype)
    out[index] = x
    return out


cut = row(
    "cut", lambda x, index: x[index], grad_name="SliceBackward0", view=True,
    x=lambda g, index, shape: place(g, index, shape),
)  # fmt: skip
place: Callable[..., Any] = row("place", _place, grad_name="SliceBackwardBackward0", x=lambda g, index: cut(g, index))


def _on_diagonal(x: Any, size: Shape, offset: int, axis1: int, axis2: int) -> Any:
    out = np.zeros(size, x.dtype)
    inner = np.moveaxis(out, (axis1, axis2), (-2, -1))
    n = x.shape[-1]
    rows, columns = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    inner[..., rows, columns] = x
    return out


@unit
def _diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    out = np.diagonal(x, offset, axis1, axis2)
    out.flags.writeable = x.flags.writeable  # NumPy marks it read-only out of habit
    return out


diagonal_of = row(
    "diagonal", _diagonal, view=True,
    x=lambda g, shape, offset, axis1, axis2: on_diagonal(g, shape, offset, axis1, axis2),
)  # fmt: skip
on_diagonal: Callable[..., Any] = row(
    "on_diagonal", _on_diagonal, grad_name="DiagonalBackwardBackward0",
    x=lambda g, offset, axis1, axis2: diagonal_of(g, offset, axis1, axis2),
)  # fmt: skip
