"""Which dimensions a reduction is along, and its result's way back to the shape before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...op import cast
from ...tensor import Tensor, check_dim

__all__ = ["Dims", "any_zero", "axes_of", "count_of", "in_type", "keep", "numpy_reduction", "spread", "wide_type"]

Dims = int | tuple[int, ...] | list[int] | None

_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front: all for None or ()."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        return (check_dim(dim, ndim),) if ndim else (check_dim(dim, 0),)[:0]
    axes = tuple(check_dim(d, ndim) for d in dim)
    if len(set(axes)) != len(axes):
        raise RuntimeError(
            f"dim {next(d for d in axes if axes.count(d) > 1)} appears multiple times in the list of dims"
        )
    return axes if axes and ndim else tuple(range(ndim))


def spread(g: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A reduction's gradient, repeated to the shape before it. The adjoint of a sum over `axes`."""
    if len(g.shape) != len(shape):
        g = np.reshape(g, tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return np.broadcast_to(g, shape)


def keep(x: Any, ndim: int, axes: tuple[int, ...]) -> Any:
    """A reduction's result with the reduced axes back in as 1."""
    if len(x.shape) == ndim:
        return x
    rest = iter(x.shape)
    return np.reshape(x, tuple([1 if i in axes else next(rest) for i in range(ndim)]))


def count_of(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    """How many elements each of the results is made of."""
    return math.prod([shape[a] for a in axes])


def any_zero(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether one of the axes is empty."""
    return 0 in [shape[a] for a in axes]


def wide_type(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The type to add up in: float32 for float16 and bfloat16, else the type itself."""
    return _SINGLE if kind is _HALF or kind.kind == "V" else kind


def in_type(x: Tensor, kind: np.dtype[Any]) -> Tensor:
    """x, cast where it has another type."""
    return x if x._array.dtype == kind else cast(x, kind)


def numpy_reduction(function: Any) -> Any:
    """NumPy's signature around a reduction `function(a, axis, keepdims)`."""

    def entry(a: Any, axis: Dims = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return function(a, axis, keepdims)

    return entry
