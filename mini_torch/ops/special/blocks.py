"""Special functions of arrays, worked out in double precision over blocks that stay in the processor's cache."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph import mode
from ...op import Forward, refused

__all__ = ["Kernel", "blockwise", "patch"]

BLOCK = 2**18  # bytes: a kernel's few temporary arrays fit the second-level cache, and NumPy's calls cost little


Kernel = Callable[..., Any]


def blockwise(name: str, *, single: Kernel | None = None, half: bool = True) -> Callable[[Kernel], Forward]:
    """Decorator: makes of `kernel(*blocks, eps, **options)` a forward of arrays.

    The blocks are float64 and one-dimensional, `eps` is the precision that the result's type has. With `single`,
    float32 has a kernel of its own that gets float32. `name` is what PyTorch calls the kernel when it refuses a type:
    complex numbers, and float16 without `half`.
    """

    def decorate(kernel: Kernel) -> Forward:
        @functools.cache
        def plan(kind: np.dtype[Any]) -> tuple[Kernel, type, float, int]:
            """For one type: the kernel, the type that it works in, the precision, and a block's number of elements."""
            if kind.kind == "c" or (kind.itemsize == 2 and not half):
                raise refused(name, kind)
            eps = float(np.finfo(np.float32 if kind.itemsize == 2 else kind).eps)
            if single and kind.itemsize < 8:
                return single, np.float32, eps, BLOCK // 4
            return kernel, np.float64, eps, BLOCK // 8

        def forward(*arrays: Any, **options: Any) -> Any:
            if mode.recorder is not None:
                return mode.recorder.kernel(functools.partial(forward, **options), *arrays, title=name)
            kind = arrays[0].dtype
            run, wide, eps, size = plan(kind)
            flat, out, place = _laid_flat(arrays)
            with np.errstate(all="ignore"):  # what overflows or has no value is inf or NaN, and no news
                for start in range(0, out.size, size):
                    block = slice(start, start + size)
                    place[block] = run(*[x[block].astype(wide, copy=False) for x in flat], eps, **options)
            return out

        forward.__name__ = kernel.__name__
        return forward

    return decorate


def _laid_flat(arrays: tuple[Any, ...]) -> tuple[list[Any], Any, Any]:
    """The arrays broadcast and in one dimension, an empty array for the result, and that in one dimension, too.

    The result is laid out in memory as its inputs are, if they all are alike.
    """
    first = arrays[0]
    if len(arrays) > 1 and any(x.shape != first.shape or x.strides != first.strides for x in arrays):
        return _in_order(np.broadcast_arrays(*arrays), None, first.dtype)
    if first.flags.c_contiguous or 0 in first.strides:
        return _in_order(arrays, None, first.dtype)
    return _in_order(arrays, sorted(range(first.ndim), key=lambda i: -first.strides[i]), first.dtype)


def _in_order(arrays: Sequence[Any], axes: list[int] | None, kind: np.dtype[Any]) -> tuple[list[Any], Any, Any]:
    """`_laid_flat`, memory running along the last of the `axes` first."""
    if axes is None:
        out = np.empty(arrays[0].shape, kind)
        return [x.reshape(-1) for x in arrays], out, out.reshape(-1)
    flat, out, place = _in_order([np.transpose(x, axes) for x in arrays], None, kind)
    return flat, np.transpose(out, np.argsort(axes)), place


def patch(out: Any, where: Any, function: Callable[..., Any], *arrays: Any) -> None:
    """Writes `function(*arrays)` into `out` where `where` holds; the function sees those elements only."""
    at = np.flatnonzero(where)
    if at.size == out.size:
        out[...] = function(*arrays)
    elif at.size:
        out[at] = function(*[x[at] for x in arrays])
