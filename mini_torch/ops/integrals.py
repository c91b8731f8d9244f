"""Differences and sums over a grid: diff, gradient, the trapezoidal rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import public
from ..tensor import Tensor, check_dim, wrap
from .reduction import cumsum, sum

__all__ = ["cumulative_trapezoid", "gradient", "trapezoid", "trapz"]


def _part(x: Tensor, axis: int, start: int | None, stop: int | None) -> Tensor:
    return x[(slice(None),) * axis + (slice(start, stop),)]


# ---- the trapezoidal rule --------------------------------------------------------------------------------------------
def _slabs(name: str, y: Tensor, x: Any, dx: Any, dim: int) -> tuple[Tensor, int]:
    """The area between each two neighbours along the axis `dim`, and that axis."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}(): x and dx exclude each other")
    axis = check_dim(dim, y._array.ndim)
    pairs = _part(y, axis, 1, None) + _part(y, axis, None, -1)
    if x is None:
        return pairs * ((1.0 if dx is None else dx) / 2), axis
    if x._array.ndim == 1:
        if x._array.shape[0] != y._array.shape[axis]:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point: {list(x.shape)} for {list(y.shape)}"
            )
        return pairs * ((x[1:] - x[:-1]).reshape((-1,) + (1,) * (y._array.ndim - axis - 1)) / 2), axis
    at = check_dim(dim, x._array.ndim) if x._array.ndim == y._array.ndim else x._array.ndim - (y._array.ndim - axis)
    return pairs * ((_part(x, at, 1, None) - _part(x, at, None, -1)) / 2), axis


@public(method=False)
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral of y along `dim` by the trapezoidal rule, over points x or with spacing dx (1 unless given).

    Source: PyTorch's `torch.trapezoid`.
    """
    if not y._array.shape[check_dim(dim, y._array.ndim)] if y._array.ndim else False:
        return sum(y, dim) * 0.0
    slabs, axis = _slabs("trapezoid", y, x, dx, dim)
    return sum(slabs, axis)


@public(method=False)
def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """`trapezoid`. Source: PyTorch's `torch.trapz`."""
    return trapezoid(y, x, dx=dx, dim=dim)


@public(method=False)
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The running integral of y along `dim`, one element shorter. Source: PyTorch's `torch.cumulative_trapezoid`."""
    slabs, axis = _slabs("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(slabs, axis)


# ---- slopes ----------------------------------------------------------------------------------------------------------
def _steps(spacing: Any, count: int, size: int, dtype: Any) -> Any:
    """The distances between neighbours: one number, or `size` − 1 of them."""
    if isinstance(spacing, Tensor):
        if spacing._array.ndim != 1 or spacing._array.shape[0] != size:
            raise RuntimeError(
                f"torch.gradient expected a tensor of {size} coordinates along the dimension, got {list(spacing.shape)}"
            )
        return spacing[1:] - spacing[:-1]
    return spacing


def _slope(y: Tensor, axis: int, h: Any, edge_order: int) -> Tensor:
    """Second-order central differences inside, `edge_order` one-sided ones at the two ends."""
    n = y._array.shape[axis]
    if not isinstance(h, Tensor):
        h = wrap(np.full(n - 1, h, np.result_type(y._array.dtype, np.float32) if y._array.dtype.kind in "biu"
                         else y._array.dtype))  # fmt: skip
    shape = (-1,) + (1,) * (y._array.ndim - axis - 1)
    a, b = h[:-1].reshape(shape), h[1:].reshape(shape)
    left, mid, right = _part(y, axis, None, -2), _part(y, axis, 1, -1), _part(y, axis, 2, None)
    inner = (-b / (a * (a + b))) * left + ((b - a) / (a * b)) * mid + (a / (b * (a + b))) * right
    return _join([_end(y, axis, h, edge_order, False), inner, _end(y, axis, h, edge_order, True)], axis)


def _end(y: Tensor, axis: int, h: Tensor, order: int, last: bool) -> Tensor:
    """The slope at the first (or last) point from its two or three nearest."""
    points = [_part(y, axis, i, i + 1 or None) for i in ((-1, -2, -3) if last else (0, 1, 2))[: order + 1]]
    sign = -1.0 if last else 1.0
    a = h[-1 if last else 0]
    if order == 1:
        return (points[1] - points[0]) / (a * sign)
    b = h[-2 if last else 1]
    return sign * (
        -(2 * a + b) / (a * (a + b)) * points[0] + (a + b) / (a * b) * points[1] - a / (b * (a + b)) * points[2]
    )


def _join(parts: list[Tensor], axis: int) -> Tensor:
    return np.concatenate(parts, axis)  # type: ignore[call-overload,no-any-return]


@public(method=False)
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slope along each of the dimensions `dim` (all), by central differences; one-sided ones at the ends.

    `spacing` is the distance of neighbours, one per dimension, or the coordinates themselves as 1-d tensors.
    Errors: RuntimeError for fewer than edge_order + 1 points. Source: PyTorch's `torch.gradient`.
    """
    ndim = input._array.ndim
    dims = [check_dim(d, ndim) for d in (range(ndim) if dim is None else [dim] if isinstance(dim, int) else dim)]
    several = isinstance(spacing, tuple | list)
    if several and len(spacing) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
            f"{ndim}', or to that of dim {dims}; got {len(spacing)}"
        )
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    slopes = []
    for i, axis in enumerate(dims):
        size = input._array.shape[axis]
        if size < edge_order + 1:
            raise RuntimeError(
                f"torch.gradient expected each dimension size to be at least edge_order+1, got {list(input.shape)}"
            )
        slopes.append(_slope(input, axis, _steps(spacing[i] if several else spacing, i, size, None), edge_order))
    return tuple(slopes)
