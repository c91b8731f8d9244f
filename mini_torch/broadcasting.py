"""The adjoint of broadcasting: a gradient summed over the axes along which its input was repeated.

NumPy's functions only, so that it runs on arrays, on tensors and on what stands for arrays in a recording.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = ["product_to_shape", "sum_to_shape"]

_LARGE = 32768  # elements from which on the ways by BLAS pay
_LONG = 4096  # more than so many in a row it adds up less exactly than NumPy
_rows_dot: Any = getattr(np, "vecdot", None) or functools.partial(np.einsum, "ij,ij->i")  # NumPy 1 has no vecdot


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """Sums `g` over the axes along which an input of `shape` was repeated."""
    axes = _repeated(g.shape, shape)
    if not axes:
        return np.reshape(g, shape)
    form = _as_matrix(g, axes)
    if form is None:
        return np.reshape(np.add.reduce(g, axis=axes), shape)
    matrix = g.reshape(form)
    sums = _ones(form[0], g.dtype) @ matrix if axes[0] == 0 else matrix @ _ones(form[1], g.dtype)
    return sums.reshape(shape)


def product_to_shape(g: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """`sum_to_shape` of g · x, where both are large without the product in between: a third of the time."""
    axes = _repeated(g.shape, shape)
    form = _as_matrix(g, axes) if x.shape == g.shape and x.dtype is g.dtype and _is_in_order(x) else None
    if form is None:
        return sum_to_shape(g * x, shape)
    a, b = g.reshape(form), x.reshape(form)
    return (np.einsum("ij,ij->j", a, b) if axes[0] == 0 else _rows_dot(a, b)).reshape(shape)


def _repeated(to: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    lead = len(to) - len(shape)
    return tuple(range(lead)) + tuple([i for i, n in enumerate(shape, lead) if n == 1 and to[i] != 1])


def _as_matrix(g: Any, axes: tuple[int, ...]) -> tuple[int, int] | None:
    """The shape of a large array as a matrix of which the first `axes`, or the last, are one; None for any other."""
    ndim, count = len(g.shape), len(axes)
    if not count or not hasattr(g, "flags") or g.size < _LARGE or g.dtype.kind != "f" or not _is_in_order(g):
        return None
    if axes == tuple(range(count)):
        return math.prod(g.shape[:count]), math.prod(g.shape[count:])
    if axes == tuple(range(ndim - count, ndim)) and (n := math.prod(g.shape[-count:])) <= _LONG:
        return math.prod(g.shape[:-count]), n
    return None


def _is_in_order(x: Any) -> bool:
    contiguous: bool = x.flags.c_contiguous
    return contiguous


def _ones(n: int, kind: np.dtype[Any]) -> Any:
    return _kept_ones(n, kind) if n <= _LONG else np.ones(n, kind)


@functools.lru_cache(maxsize=64)
def _kept_ones(n: int, kind: np.dtype[Any]) -> Any:
    return np.ones(n, kind)
