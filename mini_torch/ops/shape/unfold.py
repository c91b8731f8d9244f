"""Windows along one dimension, as a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import public, row
from ...tensor import Tensor, check_dim
from .view import reshape

__all__ = ["unfold"]


def _windows(x: Any, axis: int, size: int, step: int) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=True)
    return view[(slice(None),) * axis + (slice(None, None, step),)]


def _refold(x: Any, whole: tuple[int, ...], axis: int, size: int, step: int) -> Any:
    """Windows (…, count, …, size) added up where they came from, a step's width of all of them at a time."""
    if not x.size:
        return np.zeros(whole, x.dtype)
    x, length = np.moveaxis(x, axis, -2), whole[axis]
    count, step = x.shape[-2], min(step, length)
    widths = range(0, size, step)
    out = np.zeros((*x.shape[:-2], max((count + len(widths) - 1) * step, length)), x.dtype)
    filled = count + len(widths) - 1
    steps = out[..., : filled * step].reshape(*x.shape[:-2], filled, step)
    for k, start in enumerate(widths):
        part = x[..., start : start + step]
        steps[..., k : k + count, : part.shape[-1]] += part
    return np.moveaxis(out[..., :length], -1, axis)


_unfold = row(
    "unfold", _windows, view=True, x=lambda g, shape, axis, size, step: refold(g, shape, axis, size, step)
)
refold: Callable[..., Any] = row(
    "refold", _refold, x=lambda g, axis, size, step: _unfold(g, axis, size, step),
    grad_name="UnfoldBackwardBackward0",
)  # fmt: skip


@public(function_too=False)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dimension, `step` apart, as a last dimension; a view.

    Source: PyTorch's `Tensor.unfold`.

    >>> from mini_torch import arange
    >>> arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    axis = check_dim(dimension, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not input._array.ndim:
        return reshape(input, 1)[:size]
    return _unfold(input, axis, size, step)
