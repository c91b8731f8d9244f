"""The largest element of each window, and where it stands."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ...graph import mode, unit
from ...op import rounds_once, row
from ...tensor import Tensor, wrap
from ..places import pick_places
from ..spatial import Sizes, need_types
from ..window import Windows, framed, opened, taps
from .geometry import disjoint, over_windows, pooling_windows

__all__ = [
    "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d",
    "max_pool3d_with_indices",
]  # fmt: skip

_MANY = 32  # taps, from which on the search for the largest is NumPy's, not ours tap by tap


def lowest(kind: np.dtype[Any]) -> Any:
    """What is never larger than an element of this type."""
    return -np.inf if kind.kind == "f" else np.iinfo(kind).min


def _largest(x: Any, w: Windows) -> Any:
    """The largest element of each window of x (…, *size), NaN if there is one: (…, *counts)."""
    out = over_windows(np.maximum, framed(x, w, lowest(x.dtype)), w)
    return np.array(out, order="C") if w.taps == 1 else out


@unit
def _largest_and_where(x: Any, w: Windows) -> tuple[Any, Any]:
    """The largest element of each window, and its place: the first of equals, the last NaN."""
    frame = framed(x, w, lowest(x.dtype))
    if w.taps > _MANY and disjoint(w) and not any(w.before):
        return _at_once(frame, w)
    best, where = _start(frame, w)
    tap, number_if = np.empty_like(best), np.empty_like(where)
    for number, (_, seen) in enumerate(taps(frame, w)):
        if number:  # numbers rise, so the last that was better is the largest; a masked copy takes four times as long
            np.copyto(tap, seen)  # what does not lie in order takes NumPy ten times as long to compare
            np.maximum(where, np.multiply(tap > best, number, out=number_if, dtype=where.dtype), out=where)
            np.maximum(best, tap, out=best)
    if best.dtype.kind == "f" and np.isnan(best).any():
        for number, (_, seen) in enumerate(taps(frame, w)):
            np.copyto(where, number, where=np.isnan(seen))
    return best, _places(where, w)


def _at_once(frame: Any, w: Windows) -> tuple[Any, Any]:
    """`_largest_and_where` for large windows that do not overlap: each made one line."""
    dims = len(w.size)
    lead, seen = frame.ndim - dims, opened(frame, w)
    order = (*range(lead), *range(lead + dims, lead + 2 * dims), *range(lead, lead + dims))
    lines = seen.transpose(order).reshape(*frame.shape[:lead], *w.counts, w.taps)
    where, best = np.argmax(lines, -1), np.max(lines, -1)
    if best.dtype.kind == "f" and np.isnan(best).any():
        where = np.where(np.isnan(best), w.taps - 1 - np.argmax(np.isnan(lines)[..., ::-1], -1), where)
    return best, _places(where, w)


def _start(frame: Any, w: Windows) -> tuple[Any, Any]:
    """What all windows see through their first tap, and the number of the first tap that is not in the padding."""
    best = np.array(next(taps(frame, w))[1], order="C")
    where = np.zeros(best.shape, np.min_scalar_type(w.taps))
    if any(w.before):
        dims = len(w.size)
        for i, (n, s, p, d) in enumerate(zip(w.counts, w.stride, w.before, w.dilation)):
            first = np.maximum(-(-(p - np.arange(n) * s) // d), 0)  # rounded up
            where *= w.kernel[i]
            where += first.reshape(-1, *[1] * (dims - i - 1)).astype(where.dtype)
    return best, where


def _places(where: Any, w: Windows) -> Any:
    """Numbers of taps as PyTorch's indices: places in the flattened last dimensions."""
    offsets, starts = _offsets(w)
    out = np.take(offsets, where)
    out += starts
    return out


@functools.lru_cache(64)
def _offsets(w: Windows) -> tuple[Any, Any]:
    """The places of a window's taps, counted from its start; and the starts (*counts)."""
    steps = [math.prod(w.size[i + 1 :]) for i in range(len(w.size))]
    offsets = np.zeros((), np.int64)
    starts = np.zeros((), np.int64)
    for k, n, s, p, d, step in zip(w.kernel, w.counts, w.stride, w.before, w.dilation, steps):
        offsets = np.add.outer(offsets, np.arange(k) * (d * step))
        starts = np.add.outer(starts, (np.arange(n) * s - p) * step)
    return offsets.ravel(), starts


largest_only = row("max_pool_values", _largest, x=None)


@rounds_once
def _max_pool_any(
    dims: int, input: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    w = pooling_windows(f"max_pool{dims}d", dims, input, kernel_size, stride, padding, dilation, ceil_mode)
    recorded = mode.enabled and input.requires_grad
    flat_only = dims == 1 and not return_indices and not recorded
    need_types(input, "max_pool1d_impl" if flat_only else f"max_pool{dims}d", "f" if flat_only else "fiu")
    if not return_indices and not recorded:
        return largest_only(input, w)
    values, places = _largest_and_where(input._array, w)
    where = wrap(places)
    out = pick_places(input, where, dims, values, f"MaxPool{max(dims, 2)}DWithIndices")
    return (out, where) if return_indices else out


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window along the last dimension. See `max_pool2d`.

    Shape: (N, C, L) or (C, L) → (N, C, L′). Source: PyTorch's `nn.functional.max_pool1d`.
    """
    return _max_pool_any(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of the last two dimensions, `stride` (by default a window) apart.

    The padding is never the largest. With `return_indices` also its place in the flattened H · W; of equals the first
    counts, and gets the gradient. With `ceil_mode`, windows may reach over the end.
    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′),
    H′ = ⌊(H + 2 padding - dilation (kernel_size - 1) - 1) / stride⌋ + 1. Errors: RuntimeError for shapes and numbers
    that do not fit. Source: PyTorch's `nn.functional.max_pool2d`.

    >>> max_pool2d(mini_torch.arange(8.).reshape(1, 2, 4), 2, return_indices=True)
    (tensor([[[5., 7.]]]), tensor([[[5, 7]]]))
    """
    return _max_pool_any(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of the last three dimensions. See `max_pool2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′). Source: PyTorch's `nn.functional.max_pool3d`.
    """
    return _max_pool_any(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> Any:  # fmt: skip
    """`max_pool1d` with `return_indices`. Source: PyTorch's `torch.max_pool1d_with_indices`."""
    return _max_pool_any(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> Any:  # fmt: skip
    """`max_pool2d` with `return_indices`. Source: PyTorch's `nn.functional.max_pool2d_with_indices`."""
    return _max_pool_any(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = True,
) -> Any:  # fmt: skip
    """`max_pool3d` with `return_indices`. Source: PyTorch's `nn.functional.max_pool3d_with_indices`."""
    return _max_pool_any(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)
