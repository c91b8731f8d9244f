"""Weighted sums of a few elements along each of the last dimensions, as an adjoint pair.

    resample / unsample     (…, *sizes) ↔ (…, *counts)

Interpolation and adaptive means are separable: along each dimension an output element is made of some input elements,
its taps, each with a weight. Short dimensions go as one product with the (sparse) matrix of all weights; BLAS is faster
there than picking. But a matrix's zeros would spread NaN and infinity, so then, too, elements are picked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..op import row

__all__: list[str] = []

_SHORT = 40  # a product may take so many times as many multiplications as picking
_SMALL = 1 << 17  # elements of a matrix that is worth while for the adjoint


class Taps(NamedTuple):
    """What each output element is made of, along one dimension of `size` elements."""

    index: Any  # (out, K)
    weights: Any  # (out, K), None if all are 1
    size: int
    factor: float | None = None  # output elements for each of the input's, if that is how the size was given


def _matrix(taps: Taps, kind: np.dtype[Any]) -> Any:
    """The weights as a matrix (out, size)."""
    count, size = len(taps.index), taps.size
    matrix = np.zeros(count * size, kind)
    weights = np.ones(taps.index.shape, kind) if taps.weights is None else taps.weights.astype(kind)
    np.add.at(matrix, (np.arange(count)[:, None] * size + taps.index).ravel(), weights.ravel())
    return matrix.reshape(count, size)


def _product(matrix: Any, x: Any, axis: int) -> Any:
    """The matrix times each line of x along `axis`; None where the zeros would make NaN."""
    if axis == -1:
        out = np.matmul(x, matrix.T)
    elif axis == -2:
        out = np.matmul(matrix, x)
    else:
        lead, last = x.shape[:axis], x.shape[axis:][1:]
        flat = np.matmul(matrix, x.reshape(*lead, x.shape[axis], int(np.prod(last))))
        out = flat.reshape(*lead, len(matrix), *last)
    return out if np.isfinite(out).all() else None


def _column(weights: Any, axis: int) -> Any:
    return weights.reshape(-1, *[1] * (-axis - 1))


def sampled(x: Any, taps: Taps, axis: int) -> Any:
    """The sums along `axis`, which counts from the end."""
    if taps.weights is None:
        return np.take(x, taps.index[:, 0], axis)
    count = taps.index.shape[1]
    if x.dtype.kind == "f" and taps.size <= _SHORT * count:
        with np.errstate(invalid="ignore", over="ignore"):
            out = _product(_matrix(taps, x.dtype), x, axis)
        if out is not None:
            return out
    total = np.take(x, taps.index[:, 0], axis) * _column(taps.weights[:, 0], axis)
    for k in range(1, count):
        total += np.take(x, taps.index[:, k], axis) * _column(taps.weights[:, k], axis)
    return total


def _unsampled(g: Any, taps: Taps, axis: int) -> Any:
    """The adjoint. What was taken from one input element is put side by side, and summed in one go."""
    if len(taps.index) * taps.size <= _SMALL:
        with np.errstate(invalid="ignore", over="ignore"):
            out = _product(_matrix(taps, g.dtype).T, g, axis)
        if out is not None:
            return out
    index, k = taps.index.ravel(), taps.index.shape[1]
    order = np.argsort(index, kind="stable")
    parts = np.take(g, order // k, axis)
    if taps.weights is not None:
        parts *= _column(taps.weights.ravel()[order], axis)
    found, starts = np.unique(index[order], return_index=True)
    out = np.zeros((*g.shape[:axis], taps.size, *g.shape[g.ndim + axis + 1 :]), g.dtype)
    place: tuple[Any, ...] = (..., found, *[slice(None)] * (-axis - 1))
    out[place] = np.add.reduceat(parts, starts, axis)
    return out


def _over_axes(along: Callable[..., Any]) -> Callable[..., Any]:
    """`along` for each of the last dimensions; None leaves one as it is. Halves are summed in float32."""

    def forward(x: Any, taps: Any, node: str) -> Any:
        kind = x.dtype
        y = x.astype(np.float32) if kind == np.float16 else x
        for axis, each in zip(range(-len(taps), 0), taps):
            y = y if each is None else along(y, each, axis)
        return np.array(y) if y is x else y.astype(kind, copy=False)

    return forward


# `node` is the name of what resamples.
resample = row(
    "resample", _over_axes(sampled), grad_name="{node}Backward0", x=lambda g, taps, node: unsample(g, taps, node)
)
unsample: Callable[..., Any] = row(
    "unsample", _over_axes(_unsampled), grad_name="{node}BackwardBackward0",
    x=lambda g, taps, node: resample(g, taps, node),
)  # fmt: skip
