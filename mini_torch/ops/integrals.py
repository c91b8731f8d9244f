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
def _axis_of(name: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> int:
    if x is not None and dx is not None:
        raise TypeError(f"{name}(): x and dx exclude each other")
    for each in (y, x):
        if each is not None and each._array.dtype.kind == "b":
            raise RuntimeError(f"{name}: received a bool input for `x` or `y`, but bool is not supported")
    axis = check_dim(dim, y._array.ndim)
    if not y._array.ndim:
        raise IndexError(f"{name}(): y must have a dimension to integrate along, got a 0-d tensor")
    return axis


def _widths(name: str, x: Tensor, y: Tensor, axis: int) -> Tensor:
    """The distances between neighbours among the points x, in a shape that broadcasts with y along `axis`."""
    after = y._array.ndim - axis - 1
    if x._array.ndim == 1:
        if x._array.shape[0] != y._array.shape[axis]:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point: {list(x.shape)} for {list(y.shape)}"
            )
        return (x[1:] - x[:-1]).reshape((-1,) + (1,) * after)
    at = x._array.ndim - after - 1
    return _part(x, at, 1, None) - _part(x, at, None, -1)


@public(method=False)
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral of y along `dim` by the trapezoidal rule, over points x or with spacing dx (1 unless given).

    Errors: RuntimeError for bools. Source: PyTorch's `torch.trapezoid`.
    """
    axis = _axis_of("trapezoid", y, x, dx, dim)
    if not y._array.shape[axis]:
        return wrap(np.zeros(y._array.shape[:axis] + y._array.shape[axis + 1 :], y._array.dtype))
    if x is None:
        ends = y.select(axis, 0) + y.select(axis, -1)
        return (sum(y, axis) - ends * 0.5) * (1.0 if dx is None else dx)
    pairs = _part(y, axis, 1, None) + _part(y, axis, None, -1)
    return sum(pairs * _widths("trapezoid", x, y, axis), axis) / 2.0


@public(method=False)
def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """`trapezoid`. Source: PyTorch's `torch.trapz`."""
    return trapezoid(y, x, dx=dx, dim=dim)


@public(method=False)
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The running integral of y along `dim`, one element shorter. Source: PyTorch's `torch.cumulative_trapezoid`."""
    axis = _axis_of("cumulative_trapezoid", y, x, dx, dim)
    pairs = _part(y, axis, 1, None) + _part(y, axis, None, -1)
    if x is None:
        return cumsum(pairs, axis) * ((1.0 if dx is None else dx) / 2.0)
    return cumsum(pairs * _widths("cumulative_trapezoid", x, y, axis), axis) / 2.0


# ---- slopes ----------------------------------------------------------------------------------------------------------
def _steps(spacing: Any, size: int) -> Any:
    """The distance between neighbours: one number, or `size` − 1 of them."""
    if not isinstance(spacing, Tensor):
        return spacing
    if spacing._array.ndim != 1 or spacing._array.shape[0] != size:
        raise RuntimeError(
            f"torch.gradient expected a tensor of {size} coordinates along the dimension, got {list(spacing.shape)}"
        )
    return spacing[1:] - spacing[:-1]


def _slope(y: Tensor, axis: int, h: Any, edge_order: int) -> Tensor:
    """Second-order central differences inside, `edge_order` one-sided ones at the two ends."""
    left, mid, right = _part(y, axis, None, -2), _part(y, axis, 1, -1), _part(y, axis, 2, None)
    if isinstance(h, Tensor):
        shape = (-1,) + (1,) * (y._array.ndim - axis - 1)
        a, b = h[:-1].reshape(shape), h[1:].reshape(shape)
        inner = (-b / (a * (a + b))) * left + ((b - a) / (a * b)) * mid + (a / (b * (a + b))) * right
    else:
        inner = (right - left) / (2.0 * h)
    return np.concatenate([_end(y, axis, h, edge_order, False), inner, _end(y, axis, h, edge_order, True)], axis)  # type: ignore


def _end(y: Tensor, axis: int, h: Any, order: int, last: bool) -> Tensor:
    """The slope at the first (or last) point from its two or three nearest."""
    points = [_part(y, axis, i, i + 1 or None) for i in ((-1, -2, -3) if last else (0, 1, 2))[: order + 1]]
    a, b = (h[-1 if last else 0], h[-order if last else order - 1]) if isinstance(h, Tensor) else (h, h)
    if last:
        a, b = -a, -b
    if order == 1:
        return (points[1] - points[0]) / a
    return (
        points[0] * (-(2.0 * a + b) / (a * (a + b))) + points[1] * ((a + b) / (a * b)) - points[2] * (a / (b * (a + b)))
    )


@public(method=False)
def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slope along each of the dimensions `dim` (all), by central differences; one-sided ones at the ends.

    `spacing` is the distance of neighbours (1), one per dimension, or the coordinates themselves as 1-d tensors.
    Errors: RuntimeError for fewer than edge_order + 1 points. Source: PyTorch's `torch.gradient`.
    """
    ndim = input._array.ndim
    if input._array.dtype == np.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    dims = [check_dim(d, ndim) for d in (range(ndim) if dim is None else [dim] if isinstance(dim, int) else dim)]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim {max(dims, key=dims.count)} appears multiple times in the list of dims")
    several = isinstance(spacing, tuple | list)
    if several and len(spacing) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list with an element for each of the "
            f"{len(dims)} dimensions, got {len(spacing)}"
        )
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    shape = input._array.shape
    if any(shape[axis] < edge_order + 1 for axis in dims):
        raise RuntimeError(
            f"torch.gradient expected each dimension size to be at least edge_order+1, got {list(shape)}"
        )
    one = 1 if spacing is None else spacing
    steps = [_steps(spacing[i] if several else one, shape[axis]) for i, axis in enumerate(dims)]
    return tuple([_slope(input, axis, h, edge_order) for axis, h in zip(dims, steps)])
