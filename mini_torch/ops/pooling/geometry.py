"""The windows of pooling, after the checks of shapes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...tensor import Tensor
from ..spatial import Shape, Sizes, need_tensor, per_dimension
from ..window import Windows, windows_of

__all__: list[str] = []

_FEW = 8  # steps along a dimension that are taken one by one


def check_image(name: str, input: Tensor, dims: int) -> Shape:
    """The shape of an input with or without a batch; only the batch may be empty."""
    need_tensor(input, name)
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2) or 0 in shape[-dims - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got: {list(shape)}"
        )
    return shape


def pooling_windows(
    name: str, dims: int, input: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes,
    ceil_mode: bool,
) -> Windows:  # fmt: skip
    """Windows of `kernel_size`, `stride` apart (as far as they are wide if None), over the padded input."""
    shape = check_image(name, input, dims)
    k = per_dimension(kernel_size, dims, name, "kernel_size")
    given = stride is not None and not (isinstance(stride, list | tuple) and not stride)
    s = per_dimension(stride, dims, name, "stride") if given else k  # type: ignore[arg-type]
    p = per_dimension(padding, dims, name, "padding")
    d = per_dimension(dilation, dims, name, "dilation")
    for argument, numbers in (("kernel_size", k), ("stride", s), ("dilation", d)):
        if min(numbers) < 1:
            raise RuntimeError(f"{name}(): {argument} must be greater than zero, but got {numbers}")
    if min(p) < 0:
        raise RuntimeError(f"{name}(): pad must be non-negative, but got pad: {p}")
    if any(2 * ahead > reach * (size - 1) + 1 for ahead, reach, size in zip(p, d, k)):
        raise RuntimeError(
            f"{name}(): pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
            f"dilation={d}"
        )
    size = shape[-dims:]
    count = tuple([_count(*numbers, ceil_mode) for numbers in zip(size, k, s, p, d)])
    if min(count) < 1:
        raise RuntimeError(
            f"{name}(): Given input size: {shape[-dims - 1 :]}. Calculated output size: {(shape[-dims - 1], *count)}. "
            "Output size is too small"
        )
    return windows_of(size, k, count, s, p, d)


def _count(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows fit; with `ceil_mode` one that reaches over the end counts if it starts before that."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    count = (room + stride - 1) // stride + 1
    return count - ((count - 1) * stride >= size + padding)


def along(x: Any, axis: int, cut: slice) -> tuple[Any, ...]:
    """The index that cuts x along `axis`."""
    return (*[slice(None)] * (axis % x.ndim), cut)


def over_windows(ufunc: np.ufunc, x: Any, w: Windows) -> Any:
    """`ufunc` over the elements of each window of a frame (…, *span), one dimension after the other: (…, *counts).

    A box is a line of lines: kH + kW steps, not kH · kW.
    """
    for i, (k, n, s, d) in enumerate(zip(w.kernel, w.counts, w.stride, w.dilation)):
        at = x.ndim - len(w.size) + i
        if k > _FEW:
            step = x.strides[at]
            shape, strides = list(x.shape), list(x.strides)
            shape[at : at + 1], strides[at : at + 1] = (n, k), (step * s, step * d)
            x = ufunc.reduce(as_strided(x, shape, strides, writeable=False), axis=at + 1)
            continue
        parts = [x[along(x, at, slice(t * d, t * d + (n - 1) * s + 1, s))] for t in range(k)]
        x = ufunc(parts[0], parts[1]) if k > 1 else parts[0]
        for part in parts[2:]:
            ufunc(x, part, out=x)
    return x


def disjoint(w: Windows) -> bool:
    """Whether no element is in two windows."""
    return all(s > d * (k - 1) for s, d, k in zip(w.stride, w.dilation, w.kernel))
