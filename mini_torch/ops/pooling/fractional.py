"""Max pooling to a given number of windows whose places are drawn at random.

Source: Graham 2014, "Fractional max-pooling"; the pseudo-random sequences are PyTorch's: start i of window i is
⌊(i + u) α⌋ - ⌊u α⌋ with α = (n - kernel) / (m - 1) and one random u per channel and dimension; the last window ends at
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import unit
from ...op import rounds_once
from ...random import rand
from ...tensor import Tensor
from ..spatial import Shape, Sizes, need_tensor, need_types, per_dimension
from .adaptive import largest_among

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]  # fmt: skip

Ratio = float | Sequence[float]


@unit
def _starts(u: Any, n: int, m: int, kernel: int) -> Any:
    """Where the m windows of each u (…) start: (…, m). In u's own type, as PyTorch rounds."""
    starts = np.full((*u.shape, m), n - kernel, np.int64)
    if m > 1:
        alpha = u.dtype.type((n - kernel) / u.dtype.type(m - 1))
        steps = np.arange(m - 1, dtype=u.dtype)
        starts[..., :-1] = np.trunc((steps + u[..., None]) * alpha) - np.trunc(u * alpha)[..., None]
    return starts


def _choices(samples: Any, size: Shape, count: Shape, kernel: Shape) -> Any:
    """The elements of each window, as places in the flattened dimensions: (N, C, windows, choices)."""
    dims = len(size)
    index = np.zeros((*samples.shape[:2], 1, 1), np.int64)
    for axis in range(dims):
        # In 2 dimensions the first random number is the width's, in 3 the depth's: so it is in PyTorch.
        u = samples[..., dims - 1 - axis if dims == 2 else axis]
        starts = _starts(u, size[axis], count[axis], kernel[axis])
        along = starts[..., None] + np.arange(kernel[axis])
        index = (index * size[axis])[:, :, :, None, :, None] + along[:, :, None, :, None, :]
        index = index.reshape(*samples.shape[:2], index.shape[2] * count[axis], index.shape[4] * kernel[axis])
    return index


def _output_size(name: str, dims: int, input: Tensor, output_size: Sizes | None, output_ratio: Ratio | None) -> Shape:
    if output_size is not None:
        if isinstance(output_size, Sequence) and len(output_size) != dims:
            raise RuntimeError(f"{name}: output_size must either be a single int or {dims} of them, got {output_size}")
        return per_dimension(output_size, dims, name, "output_size")
    if output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    ratios = tuple(output_ratio) if isinstance(output_ratio, Sequence) else (output_ratio,) * dims
    if len(ratios) != dims:
        raise ValueError(f"{name} requires output_ratio to be one number or {dims} of them, got {output_ratio}")
    return tuple([int(n * ratio) for n, ratio in zip(input._array.shape[-dims:], ratios)])


@rounds_once
def _fractional(
    dims: int, input: Tensor, kernel_size: Sizes, output_size: Sizes | None, output_ratio: Ratio | None,
    return_indices: bool, samples: Tensor | None,
) -> Any:  # fmt: skip
    name = f"fractional_max_pool{dims}d"
    need_tensor(input, name)
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[-dims - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor with non-zero size for non-batch dimensions, got "
            f"{list(shape)}"
        )
    count = _output_size(name, dims, input, output_size, output_ratio)
    kernel = per_dimension(kernel_size, dims, name, "kernel_size")
    need_types(input, "check_uniform_bounds")
    size = shape[-dims:]
    for n, m, k in zip(size, count, kernel):
        if m < 1 or k < 1 or m + k - 1 > n:
            raise RuntimeError(
                f"{name}(): pool size {kernel} too large relative to input size {size} for output size {count}"
            )
    batch, channels = (shape[0] if len(shape) == dims + 2 else 1), shape[-dims - 1]
    if samples is None:
        samples = rand(batch, channels, dims, dtype=input.dtype)
    given = samples._array
    if given.ndim != 3 or len(given) < batch or given.shape[1:] != (channels, dims) or samples.dtype != input.dtype:
        raise RuntimeError(
            f"Expect _random_samples of shape {[batch, channels, dims]} and type {input.dtype}; got "
            f"{list(given.shape)} and {samples.dtype}"
        )
    index = _choices(given[:batch], size, count, kernel)
    batched = len(shape) == dims + 2
    result = largest_among(input, index if batched else index[0], size, count, f"FractionalMaxPool{dims}D")
    return result if return_indices else result[0]


def fractional_max_pool2d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest elements of windows of `kernel_size` at random places, as many as `output_size` says.

    `output_ratio` gives the size as a part of the input's instead. With `return_indices` also their places in the
    flattened H · W. Draws two uniform numbers per sample and channel from the default generator, unless they are given
    as `_random_samples` (N, C, 2). Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Errors: RuntimeError where the
    windows do not fit, ValueError for no size. Source: PyTorch's `nn.functional.fractional_max_pool2d`.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """As `fractional_max_pool2d`, of volumes; `_random_samples` is (N, C, 3).

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′).
    Source: PyTorch's `nn.functional.fractional_max_pool3d`.
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = True, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool2d` with `return_indices`. Source: PyTorch's `nn.functional`."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratio | None = None,
    return_indices: bool = True, _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool3d` with `return_indices`. Source: PyTorch's `nn.functional`."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, True, _random_samples)
