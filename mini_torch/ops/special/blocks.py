"""Special functions of arrays, worked out in double precision over blocks that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import Forward, refused

__all__ = ["Kernel", "blockwise", "patch"]

BLOCK = 2**17  # bytes: a kernel's few temporary arrays fit the second-level cache, and NumPy's calls cost little


Kernel = Callable[..., Any]


def blockwise(name: str, *, single: Kernel | None = None, half: bool = True) -> Callable[[Kernel], Forward]:
    """Decorator: makes of `kernel(*blocks, eps, **options)` a forward of arrays.

    The blocks are float64 and one-dimensional, `eps` is the precision that the result's type has. With `single`,
    float32 has a kernel of its own that gets float32. `name` is what PyTorch calls the kernel when it refuses a type:
    complex numbers, and float16 without `half`.
    """

    def decorate(kernel: Kernel) -> Forward:
        def forward(*arrays: Any, **options: Any) -> Any:
            kind = arrays[0].dtype
            if kind.kind == "c" or (kind.itemsize == 2 and not half):
                raise refused(name, kind)
            run, wide = (single, np.float32) if single and kind.itemsize < 8 else (kernel, np.float64)
            eps = float(np.finfo(np.float32 if kind.itemsize == 2 else kind).eps)
            size = BLOCK // np.dtype(wide).itemsize
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
    """The arrays broadcast and in one dimension, an empty array for the result, and that in one dimension, too."""
    if len(arrays) == 1:
        out = np.empty_like(arrays[0])  # laid out in memory as its input is
        return [np.ravel(arrays[0], order="K")], out, np.ravel(out, order="K")
    together = np.broadcast_arrays(*arrays)
    out = np.empty(together[0].shape, arrays[0].dtype)
    return [np.ravel(x) for x in together], out, np.ravel(out)


def patch(out: Any, where: Any, function: Callable[..., Any], *arrays: Any) -> None:
    """Writes `function(*arrays)` into `out` where `where` holds; the function sees those elements only."""
    at = np.flatnonzero(where)
    if at.size == out.size:
        out[...] = function(*arrays)
    elif at.size:
        out[at] = function(*[x[at] for x in arrays])
