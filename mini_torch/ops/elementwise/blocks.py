"""Long formulas in pieces that stay in the processor's cache.

A formula of six NumPy calls reads and writes a large array six times, and each new array of megabytes costs the system
more than the arithmetic. In pieces of a few thousand elements all of that happens in the cache: a tenth of the time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["blocks_of", "in_blocks", "in_steps"]

_BLOCK = 32768


def blocks_of(x: Any) -> Iterator[slice]:
    """Slices of a flat array, each of a size that the cache likes."""
    for start in range(0, len(x), _BLOCK):
        yield slice(start, start + _BLOCK)


def in_blocks(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of arrays, elementwise and of the first's type, block by block where they are large and alike."""

    @functools.wraps(function)
    def blocked(*arrays: Any) -> Any:
        first = arrays[0]
        if first.size <= _BLOCK or not all(x.shape == first.shape and x.flags.c_contiguous for x in arrays):
            return function(*arrays)
        out = np.empty_like(first)
        flat, place = [x.reshape(-1) for x in arrays], out.reshape(-1)
        for part in blocks_of(place):
            place[part] = function(*[x[part] for x in flat])
        return out

    return blocked


def in_steps(steps: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: where its arrays are large and alike, the function is computed by `steps(place, *arrays)`.

    That writes one ufunc's result after the other into `place`, block by block, so that it all happens in the cache.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def stepped(*arrays: Any) -> Any:
            first = arrays[0]
            if type(first) is not np.ndarray or first.size <= 4 * _BLOCK or not all(_alike(x, first) for x in arrays):
                return function(*arrays)
            out = np.empty_like(first)
            flat, place = [x.reshape(-1) for x in arrays], out.reshape(-1)
            for start in range(0, len(place), 4 * _BLOCK):  # few calls: they count, too
                part = slice(start, start + 4 * _BLOCK)
                steps(place[part], *[x[part] for x in flat])
            return out

        return stepped

    return decorate


def _alike(x: Any, first: Any) -> bool:
    alike: bool = x.shape == first.shape and x.dtype is first.dtype and x.flags.c_contiguous and x.dtype.char in "fd"
    return alike
