"""Mean and power mean of each window."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import rounds_once, row, takes_out
from ...tensor import Tensor
from ..activation import relu
from ..spatial import Sizes, need_types, per_dimension
from ..window import Windows, framed, unframed
from .geometry import along, over_windows, pooling_windows
from .maximum import max_pool1d, max_pool2d, max_pool3d

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d"]


def _sums(x: Any, w: Windows) -> Any:
    """The sum of each window of x (…, *size): (…, *counts)."""
    return over_windows(np.add, framed(x.astype(np.float32) if x.dtype == np.float16 else x, w), w)


def _average(x: Any, w: Windows, divisor: Any, node: str) -> Any:
    total = _sums(x, w)
    if x.dtype.kind != "f":
        return np.sign(total) * np.sign(divisor) * (np.abs(total) // np.abs(divisor))  # rounded towards zero, as in C
    return (total / divisor).astype(x.dtype, copy=False)


def _give_back(y: Any, w: Windows, node: str) -> Any:
    """Each element of y (…, *counts) added to all of its window: (…, *size). The adjoint of the windows' sums."""
    kind, y = y.dtype, y.astype(np.float32) if y.dtype == np.float16 else y
    for i in reversed(range(len(w.size))):
        axis, k, n, s = i - len(w.size), w.kernel[i], w.counts[i], w.stride[i]
        if s == k:
            y = np.repeat(y, k, axis)
            continue
        wide = np.zeros((*y.shape[:axis], w.span[i], *y.shape[axis:][1:]), y.dtype)
        for t in range(k):
            wide[along(wide, axis, slice(t, t + (n - 1) * s + 1, s))] += y
        y = wide
    return unframed(y, w).astype(kind, copy=False)


average = row(
    "avg_pool", _average, grad_name="{node}Backward0", x=lambda g, w, divisor, node: give_back(g / divisor, w, node)
)
give_back: Callable[..., Any] = row(
    "avg_pool_backward", _give_back, grad_name="{node}BackwardBackward0", y=lambda g, w, node: average(g, w, 1, node)
)


def _elements(w: Windows, padded: bool) -> Any:
    """How many elements each window has, all of its padding counted if `padded`: one number if all are alike."""
    sizes = []
    for n, k, count, s, p in zip(w.size, w.kernel, w.counts, w.stride, w.before):
        start = np.arange(count) * s - p
        end = np.minimum(start + k, n + p)
        sizes.append(end - start if padded else np.minimum(end, n) - np.maximum(start, 0))
    if all((size == k).all() for size, k in zip(sizes, w.kernel)):
        return w.taps
    total = sizes[0]
    for size in sizes[1:]:
        total = np.multiply.outer(total, size)
    return np.maximum(total, 1)


@rounds_once
def _avg_pool(
    dims: int, input: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Tensor:  # fmt: skip
    name = f"avg_pool{dims}d"
    w = pooling_windows(name, dims, input, kernel_size, stride, padding, 1, ceil_mode)
    if dims == 3 and any(n < k for n, k in zip(w.size, w.kernel)):
        raise RuntimeError(f"{name}(): input image {w.size} smaller than kernel size {w.kernel}")
    need_types(input, "avg_pool3d_out_frame" if dims == 3 else "avg_pool2d", "fl")
    if divisor_override == 0:
        raise RuntimeError(f"{name}(): divisor must be not zero")
    kind = input._array.dtype
    divisor = _elements(w, count_include_pad) if divisor_override is None else divisor_override
    if isinstance(divisor, np.ndarray) and kind.kind == "f":
        divisor = divisor.astype(kind)
    return average(input, w, divisor, f"AvgPool{max(dims, 2)}D")


def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window along the last dimension. See `avg_pool2d`.

    Shape: (N, C, L) or (C, L) → (N, C, L′). Source: PyTorch's `nn.functional.avg_pool1d`.
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@takes_out
def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of the last two dimensions, `stride` (by default as much as a window) apart.

    `count_include_pad` says whether zeros of the padding count as elements; `divisor_override` divides the sum by that
    instead. With `ceil_mode`, windows may reach over the end.
    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′), H′ = ⌊(H + 2 padding - kernel_size) / stride⌋ + 1.
    Errors: RuntimeError for shapes and numbers that do not fit. Source: PyTorch's `nn.functional.avg_pool2d`.

    >>> avg_pool2d(mini_torch.arange(8.).reshape(1, 2, 4), 2)
    tensor([[[2.5000, 4.5000]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@takes_out
def avg_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of the last three dimensions. See `avg_pool2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′). Source: PyTorch's `nn.functional.avg_pool3d`.
    """
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# ---- power mean ------------------------------------------------------------------------------------------------------
def _lp_pool(
    dims: int, input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None, ceil_mode: bool
) -> Tensor:
    if norm_type in (math.inf, -math.inf):
        largest = (max_pool1d, max_pool2d, max_pool3d)[dims - 1]
        sign = 1 if norm_type > 0 else -1
        return sign * largest(sign * input.abs(), kernel_size, stride, ceil_mode=ceil_mode)
    taps = math.prod(per_dimension(kernel_size, dims, f"lp_pool{dims}d", "kernel_size"))
    mean = _avg_pool(dims, input.pow(norm_type), kernel_size, stride, 0, ceil_mode, True, None)
    return (mean.sign() * relu(mean.abs())).mul(taps).pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window, p being `norm_type`; p = ∞: the largest |x|. See `lp_pool2d`.

    Shape: (N, C, L) or (C, L) → (N, C, L′). Source: PyTorch's `nn.functional.lp_pool1d`.
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window, p being `norm_type`; p = 1 is the sum, p = ∞ the largest |x|.

    A window with Σ xᵖ = 0 has no gradient worth the name (NaN), as in PyTorch.
    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Source: PyTorch's `nn.functional.lp_pool2d`.
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window, p being `norm_type`. See `lp_pool2d`.

    Shape: (N, C, D, H, W) or (C, D, H, W) → (N, C, D′, H′, W′). Source: PyTorch's `nn.functional.lp_pool3d`.
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
