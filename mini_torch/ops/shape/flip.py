"""Elements in another order along dimensions: flip, roll, rot90. All are copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...op import implements, public, row
from ...tensor import Tensor, check_dim, method
from .sizes import listed, sizes_of
from .transpose import transpose
from .view import check_dims

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]

_flip = row("flip", lambda x, axes: np.flip(x, axes).copy(), x=lambda g, axes: np.flip(g, axes))


@public
@listed("dims")
def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with the order along `dims` reversed. Source: PyTorch's `torch.flip`."""
    axes = check_dims(sizes_of(dims), input._array.ndim)
    return _flip(input, axes if input._array.ndim else ())


method("__reversed__", lambda self: flip(self, 0) if self._array.ndim else self)


@public
def fliplr(input: Tensor) -> Tensor:
    """Left and right exchanged. Source: PyTorch's `torch.fliplr`."""
    if input._array.ndim < 2:
        raise RuntimeError(f"Input must be >= 2-d. (got {input._array.ndim}-d)")
    return flip(input, 1)


@public
def flipud(input: Tensor) -> Tensor:
    """Top and bottom exchanged. Source: PyTorch's `torch.flipud`."""
    if not input._array.ndim:
        raise RuntimeError("Input must be >= 1-d. (got 0-d)")
    return flip(input, 0)


def _back(shifts: Any) -> Any:
    return tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts


def _rolled(x: Any, shifts: Any, axes: Any) -> Any:
    """np.roll, along a single axis as the two pieces that change places, in a third of its time."""
    if axes is None or len(axes) > 1 or not x.size:
        return np.roll(x, shifts, axes)
    before, cut = (slice(None),) * axes[0], -shifts[0] % x.shape[axes[0]]
    return np.concatenate((x[(*before, slice(cut, None))], x[(*before, slice(cut))]), axes[0])


_roll: Callable[..., Any] = row("roll", _rolled, x=lambda g, shifts, axes: _roll(g, _back(shifts), axes))


@public
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted along `dims`, what falls off coming back in front; without `dims` the flattened tensor.

    Errors: RuntimeError unless there is a dimension per shift. Source: PyTorch's `torch.roll`.
    """
    steps = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None or (not isinstance(dims, int) and not len(dims)):
        if len(steps) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:0")
        return _roll(input, steps[0], None)
    axes = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(steps) != len(axes):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    if not input._array.ndim:
        raise IndexError(f"Dimension specified as {axes[0]} but tensor has no dimensions")
    return _roll(input, steps, tuple(check_dim(d, input._array.ndim) for d in axes))


@public
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k · 90° in the plane of `dims`, from the first to the second. Source: PyTorch's `torch.rot90`."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    n = input._array.ndim
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == n:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    for i, d in enumerate(dims):
        if not -n <= d < n:
            raise RuntimeError(f"Rotation dim{i} out of range, dim{i} = {d}")
    a, b = dims
    k %= 4
    if k == 2:
        return flip(input, a, b)
    if k == 1:
        return transpose(flip(input, b), a, b)
    return transpose(flip(input, a), a, b) if k == 3 else input.clone()


@implements(np.flip)
def _numpy_flip(m: Tensor, axis: Any = None) -> Tensor:
    return flip(m, tuple(range(m._array.ndim)) if axis is None else axis)


implements(np.roll)(roll)
