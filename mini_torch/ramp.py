"""Evenly spaced numbers, `arange` and `linspace`, with the roundings of PyTorch's loops.

The processor's vector loops decide the last bits: PyTorch is compiled for vectors of 32 bytes and fused
multiply-adds (see `rounding.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .rounding import Array, fma32, fma64

__all__ = ["counted", "spread"]

_VECTOR = 32  # bytes
_PIECE = 1 << 13  # numbers at a time, so that what is between stays in the cache


def counted(start: float, step: float, count: int, kind: np.dtype[Any]) -> Array:
    """start + k step for k < count, in the floating type `kind`.

    A vector's first number is computed and rounded, and the others count on from it; vectors come in pairs, and what
    is left at the end is computed number by number.
    """
    if _all_exact(start, step, count, kind):
        return (start + step * np.arange(count)).astype(kind)
    lanes = _VECTOR // kind.itemsize
    left = count - count % (2 * lanes)

    def piece(k: Array) -> Array:
        first = np.where(k < left, k - k % lanes, k)
        base = _fused(first, step, start, kind).astype(kind).astype(np.float64)
        return _fused(k - first, step, base, kind)

    return _in_pieces(piece, count, kind)


def _in_pieces(values: Callable[[Array], Array], count: int, kind: np.dtype[Any]) -> Array:
    """`values(k)` for k from 0 to count - 1, in the type `kind`."""
    out = np.empty(count, kind)
    with np.errstate(all="ignore"):
        for start in range(0, count, _PIECE):
            k = np.arange(start, min(start + _PIECE, count))
            part = values(k)
            out[start : start + _PIECE] = part.astype(np.int64) if kind.kind in "iu" else part
    return out


def _all_exact(start: float, step: float, count: int, kind: np.dtype[Any]) -> bool:
    """Whether the numbers are integers that the type holds."""
    if not (float(start).is_integer() and float(step).is_integer()):
        return count == 0
    return abs(start) + abs(step) * count <= 1 << np.finfo(kind).nmant


def _fused(k: Array, step: float, origin: Any, kind: np.dtype[Any]) -> Array:
    """origin + k step in float64; rounded once where that is the type, as otherwise the second rounding hides it."""
    if kind != np.float64:
        return origin + step * k
    return fma64(k.astype(np.float64), float(step), np.asarray(origin, np.float64))


def spread(start: Any, end: Any, count: int, kind: np.dtype[Any]) -> Array:
    """`count` numbers of type `kind` from start to end: from the front in the first half, from the back in the second.

    Integers are cut off from float64.
    """
    if kind.kind == "c":
        parts = [spread(a, b, count, np.empty(0, kind).real.dtype) for a, b in _parts(start, end)]
        return (parts[0] + 1j * parts[1]).astype(kind)
    start, end = kind.type(start), kind.type(end)
    wide = np.dtype(np.float64) if kind.kind in "iub" else kind
    step = (wide.type(end) - wide.type(start)) / wide.type(count - 1) if count > 1 else wide.type(0)

    def piece(k: Array) -> Array:
        ahead = k < max(count // 2, 1)
        return _along(np.where(ahead, k, k - (count - 1)), step, np.where(ahead, start, end).astype(wide))

    return _in_pieces(piece, count, kind)


def _parts(start: Any, end: Any) -> list[tuple[float, float]]:
    a, b = complex(start), complex(end)
    return [(a.real, b.real), (a.imag, b.imag)]


def _along(steps: Array, step: Any, origin: Array) -> Array:
    """origin + steps · step in the type of `step`."""
    if step.dtype == np.float32:
        return fma32(steps.astype(np.float32), step, origin)
    if step.dtype == np.float64:
        return fma64(steps.astype(np.float64), float(step), origin)
    # of 16 bits both results are rounded
    return origin + (steps.astype(np.float32) * np.float32(step)).astype(step.dtype)
