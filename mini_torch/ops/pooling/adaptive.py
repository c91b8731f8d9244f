"""Pooling to a given number of windows, which share the input out as evenly as whole elements allow.

Window i of m over n elements is from ⌊i n / m⌋ to ⌈(i + 1) n / m⌉: neighbours may overlap, and differ in length by one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import as_unit, mode
from ...op import rounds_once
from ...tensor import Tensor, wrap
from ..places import pick_places
from ..resampling import Taps, resample
from ..spatial import Shape, need_tensor, need_types, per_dimension
from ..window import Windows, windows_of
from .average import average
from .maximum import largest_only

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices",
]  # fmt: skip

Size = int | None | Sequence[int | None]


@functools.lru_cache(256)
def _shares(n: int, m: int) -> tuple[Any, Any]:
    """Where the windows start, and where they end."""
    steps = np.arange(m, dtype=np.int64)
    return steps * n // m, -(-(steps + 1) * n // m)


def _members(n: int, m: int) -> Any:
    """The elements of each window (m, longest), the last again in shorter ones."""
    starts, ends = _shares(n, m)
    longest = max((ends - starts).max(), 1) if m else 1
    return np.minimum(starts[:, None] + np.arange(longest), ends[:, None] - 1)


@functools.lru_cache(256)
def _mean_taps(n: int, m: int) -> Taps | None:
    if n == m:
        return None
    index = _members(n, m)
    starts, ends = _shares(n, m)
    weights = np.broadcast_to(1.0 / (ends - starts)[:, None], index.shape)
    last = index == ends[:, None] - 1  # shares its weight with its repetitions, lest infinity meet a zero
    return Taps(index, np.where(last, weights / np.add.reduce(last, axis=1, keepdims=True), weights), n)


def _is_even(size: Shape, count: Shape) -> bool:
    """Whether all windows are of one size, side by side."""
    return all(n and m and n % m == 0 for n, m in zip(size, count))


def _even_windows(size: Shape, count: Shape) -> Windows:
    kernel = tuple([n // m for n, m in zip(size, count)])
    return windows_of(size, kernel, count, kernel, (0,) * len(size), (1,) * len(size))


def _check(name: str, dims: int, input: Tensor, output_size: Size, first: int) -> Shape:
    """The output's size, after the checks; dimensions from `first` on (counted from the end) must not be empty."""
    need_tensor(input, name)
    shape = input._array.shape
    if isinstance(output_size, Sequence):
        if len(shape) <= len(output_size):
            raise ValueError(f"Input dimension should be at least {len(output_size) + 1}, got shape {list(shape)}")
        defaults = shape[len(shape) - len(output_size) :]
        output_size = [n if given is None else given for given, n in zip(output_size, defaults)]
    size = per_dimension(output_size, dims, name, "output_size")  # type: ignore[arg-type]
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(shape)}")
    if 0 in shape[first:]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
            f"{list(shape)} with dimension {len(shape) + first + shape[first:].index(0)} being empty"
        )
    if min(size) < 0:
        raise RuntimeError(
            f"{name}(): elements of output_size must be greater than or equal to 0 but received {list(size)}"
        )
    return size


# ---- mean ------------------------------------------------------------------------------------------------------------
@rounds_once
def _adaptive_avg(dims: int, input: Tensor, output_size: Size) -> Tensor:
    name = f"adaptive_avg_pool{dims}d"
    count = _check(name, dims, input, output_size, -dims - (dims == 3))
    need_types(input, "adaptive_avg_pool2d" if dims == 1 else name)
    size, node = input._array.shape[-dims:], f"AdaptiveAvgPool{max(dims, 2)}D"
    if _is_even(size, count):
        w = _even_windows(size, count)
        return average(input, w, w.taps, node)
    return resample(input, tuple([_mean_taps(n, m) for n, m in zip(size, count)]), node)


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """The means of `output_size` windows along the last dimension. See `adaptive_avg_pool2d`.

    Shape: (N, C, L) or (C, L) → (N, C, output_size). Source: PyTorch's `nn.functional.adaptive_avg_pool1d`.
    """
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Size) -> Tensor:
    """The means of as many windows as `output_size` says: one number, or (H′, W′), where None keeps the input's.

    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Errors: RuntimeError for other shapes and a negative size.
    Source: PyTorch's `nn.functional.adaptive_avg_pool2d`.

    >>> adaptive_avg_pool2d(mini_torch.arange(6.).reshape(1, 2, 3), 1)
    tensor([[[2.5000]]])
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Size) -> Tensor:
    """The means of as many windows as `output_size` says. See `adaptive_avg_pool2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′).
    Source: PyTorch's `nn.functional.adaptive_avg_pool3d`.
    """
    return _adaptive_avg(3, input, output_size)


# ---- largest ---------------------------------------------------------------------------------------------------------
def _choice(seen: Any) -> Any:
    """The first of the largest, or the last NaN."""
    choice, bad = np.argmax(seen, -1), np.isnan(seen)
    if bad.any():
        choice = np.where(bad.any(-1), seen.shape[-1] - 1 - np.argmax(bad[..., ::-1], -1), choice)
    return choice


def largest_among(input: Tensor, index: Any, size: Shape, count: Shape, node: str) -> tuple[Tensor, Tensor]:
    """The largest of the elements that each window may choose from, and its place.

    `index` (*, windows, choices) has places in the flattened last dimensions of `input` (*, *size), or is the same for
    all (windows, choices). Of equals the first counts, of several NaN the last. `node` is PyTorch's name for this.
    """
    lead = input._array.shape[: input._array.ndim - len(size)]
    flat = input._array.reshape(*lead, math.prod(size))
    if index.ndim == 2:
        seen = flat[..., index]
    else:
        places = index.reshape(*lead, math.prod(index.shape[-2:]))
        seen = np.take_along_axis(flat, places, -1).reshape(index.shape)
    choice = as_unit(_choice, seen)
    where = np.take_along_axis(np.broadcast_to(index, seen.shape), choice[..., None], -1)
    found = wrap(where.reshape(*lead, *count))
    return pick_places(input, found, len(size), np.max(seen, -1).reshape(*lead, *count), node), found


def _choices(size: Shape, count: Shape) -> Any:
    """The elements of each window (windows, choices), as places in the flattened dimensions."""
    index: Any = np.zeros((1, 1), np.int64)
    for n, m in zip(size, count):
        along = _members(n, m)
        index = (index * n)[:, None, :, None] + along[None, :, None, :]
        index = index.reshape(index.shape[0] * m, index.shape[2] * along.shape[1])
    return index


@rounds_once
def _adaptive_max(dims: int, input: Tensor, output_size: Size, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{dims}d"
    count = _check(name, dims, input, output_size, -dims - 1)
    need_types(input, f"adaptive_max_pool{max(dims, 2)}d")
    size = input._array.shape[-dims:]
    if not return_indices and not (mode.enabled and input.requires_grad) and _is_even(size, count):
        return largest_only(input, _even_windows(size, count))
    result = largest_among(input, _choices(size, count), size, count, f"AdaptiveMaxPool{max(dims, 2)}D")
    return result if return_indices else result[0]


def adaptive_max_pool1d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` windows along the last dimension. See `adaptive_max_pool2d`.

    Shape: (N, C, L) or (C, L) → (N, C, output_size). Source: PyTorch's `nn.functional.adaptive_max_pool1d`.
    """
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The largest elements of as many windows as `output_size` says: one number, or (H′, W′), None keeping the input's.

    With `return_indices` also their places in the flattened H · W.
    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Errors: RuntimeError for other shapes and a negative size.
    Source: PyTorch's `nn.functional.adaptive_max_pool2d`.
    """
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Tensor, output_size: Size, return_indices: bool = False) -> Any:
    """The largest elements of as many windows as `output_size` says. See `adaptive_max_pool2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′).
    Source: PyTorch's `nn.functional.adaptive_max_pool3d`.
    """
    return _adaptive_max(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Size, return_indices: bool = True) -> Any:
    """`adaptive_max_pool1d` with `return_indices`. Source: PyTorch's `nn.functional`."""
    return _adaptive_max(1, input, output_size, True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Size, return_indices: bool = True) -> Any:
    """`adaptive_max_pool2d` with `return_indices`. Source: PyTorch's `nn.functional`."""
    return _adaptive_max(2, input, output_size, True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Size, return_indices: bool = True) -> Any:
    """`adaptive_max_pool3d` with `return_indices`. Source: PyTorch's `nn.functional`."""
    return _adaptive_max(3, input, output_size, True)
