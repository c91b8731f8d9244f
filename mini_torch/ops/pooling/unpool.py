"""The way back from `max_pool`: each element to where it was found, zeros elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import verify
from ...op import rounds_once, row, type_name
from ...tensor import Tensor
from ..places import pick_places
from ..spatial import Shape, Sizes, need_tensor, need_types, per_dimension

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _put(x: Any, index: Any, size: Shape, node: str) -> Any:
    lead = x.shape[: x.ndim - len(size)]
    flat = (*lead, math.prod(x.shape[len(lead) :]))
    out = np.zeros((*lead, math.prod(size)), x.dtype)
    np.put_along_axis(out, index.reshape(flat), x.reshape(flat), -1)
    return out.reshape(*lead, *size)


_unpool = row(
    "max_unpool", _put, grad_name="{node}Backward0",
    x=lambda g, index, size, node: pick_places(g, index, len(size), None, node), index=None,
)  # fmt: skip


def _unpooled_size(count: Shape, k: Shape, s: Shape, p: Shape, wanted: Sequence[int] | None) -> Shape:
    dims = len(k)
    usual = tuple([(count[i] - 1) * s[i] + k[i] - 2 * p[i] for i in range(dims)])
    if wanted is None:
        return usual
    size = tuple(wanted[2:] if len(wanted) == dims + 2 else wanted)
    if len(size) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(size)}'"
        )
    for i in range(dims):
        if not usual[i] - s[i] < size[i] < usual[i] + s[i]:
            raise ValueError(
                f'invalid output_size "{size}" (dim {i} must be between {usual[i] - s[i]} and {usual[i] + s[i]})'
            )
    return size


def _check(name: str, dims: int, input: Tensor, indices: Tensor, size: Shape) -> None:
    shape = input._array.shape
    if indices._array.dtype != np.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {type_name(indices._array.dtype)}")
    if indices._array.shape != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got indices tensor "
            f"with shape: {list(indices.shape)}"
        )
    if 0 in shape[-dims - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got {list(shape)}"
        )
    need_types(input, f"max_unpool{max(dims, 2)}d")
    verify(_check_places, indices._array, size)


def _check_places(index: Any, size: Any) -> None:
    if index.size and (index.min() < 0 or index.max() >= math.prod(size)):
        bad = int(index[(index < 0) | (index >= math.prod(size))][0])
        raise RuntimeError(f"Found an invalid max index: {bad} (output volumes are of size {'x'.join(map(str, size))})")


@rounds_once
def _max_unpool(
    dims: int, input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes,
    output_size: Sequence[int] | None,
) -> Tensor:  # fmt: skip
    name = f"max_unpool{dims}d"
    need_tensor(input, name)
    need_tensor(indices, name, "indices", 2)
    k = per_dimension(kernel_size, dims, name, "kernel_size")
    s = k if stride is None else per_dimension(stride, dims, name, "stride")
    p = per_dimension(padding, dims, name, "padding")
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to max_unpooling{dims}d should be a {dims + 1}d or {dims + 2}d Tensor, but got a tensor with "
            f"{len(shape)} dimensions."
        )
    if min(s) < 1:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(s)}")
    size = _unpooled_size(shape[-dims:], k, s, p, output_size)
    if min(size) < 0:
        raise RuntimeError(f"{name}(): output_size must be non-negative, but got {list(size)}")
    _check(name, dims, input, indices, size)
    return _unpool(input, indices, size, f"MaxUnpool{max(dims, 2)}D")


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """The way back from `max_pool1d`. See `max_unpool2d`. Source: PyTorch's `nn.functional.max_unpool1d`."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros, but each element of `input` at the place in the flattened output that `indices` says.

    The output is as large as the smallest input of `max_pool2d` with these numbers, or `output_size`.
    Shape: input and indices (N, C, H, W) or (C, H, W) → (N, C, H′, W′), H′ = (H - 1) stride + kernel_size - 2 padding.
    Errors: RuntimeError for an index out of range, ValueError for a size that pooling would not turn into the input's.
    Source: PyTorch's `nn.functional.max_unpool2d`.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """The way back from `max_pool3d`. See `max_unpool2d`. Source: PyTorch's `nn.functional.max_unpool3d`."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
