"""Tensors put together and taken apart: cat, stack, split, chunk, narrow, select."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtype import promote_numpy
from ..op import cast, implements, public, variadic
from ..tensor import Tensor, check_dim, wrap
from .adjoint import cut
from .shape import reshape

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "cat", "chunk", "concat", "concatenate", "dstack", "hstack", "narrow",
    "select", "split", "stack", "unbind", "vstack",
]  # fmt: skip


# ---- join ------------------------------------------------------------------------------------------------------------
def _part(i: int, g: Any, axis: int, starts: tuple[int, ...]) -> Any:
    return cut(g, (slice(None),) * axis + (slice(starts[i], starts[i + 1]),))


_cat = variadic("cat", lambda arrays, axis, starts: np.concatenate(arrays, axis), _part)
_stack = variadic(
    "stack", lambda arrays, axis: np.stack(arrays, axis), lambda i, g, axis: cut(g, (slice(None),) * axis + (i,))
)


def _one_type(tensors: Any, name: str) -> list[Tensor]:
    given = list(tensors)
    if not given:
        raise ValueError(f"{name}(): expected a non-empty list of Tensors")
    for i, x in enumerate(given):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    kind = given[0]._array.dtype
    for x in given[1:]:
        kind = promote_numpy(kind, x._array.dtype)
    return [x if x._array.dtype == kind else cast(x, kind) for x in given]


@public(method=False, aliases=("concat", "concatenate"))
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after another along `dim`; the other sizes must agree.

    Errors: RuntimeError with both shapes if they do not; ValueError for no tensors. Source: PyTorch's `torch.cat`.
    """
    given = _one_type(tensors, "torch.cat")
    if builtins.any(not x._array.ndim for x in given):
        at = next(i for i, x in enumerate(given) if not x._array.ndim)
        raise RuntimeError(f"zero-dimensional tensor (at position {at}) cannot be concatenated")
    given = [x for x in given if x._array.shape != (0,)] or given[:1]  # empty vectors join anything, by tradition
    axis = check_dim(dim, given[0]._array.ndim)
    first = given[0]._array.shape
    for i, x in enumerate(given):
        shape = x._array.shape
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            expected, got = next((n, m) for d, (n, m) in enumerate(zip(first, shape)) if d != axis and n != m)
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {axis}. Expected size {expected} but got size {got} "
                f"for tensor number {i} in the list (shapes {list(first)} and {list(shape)})."
            )
    starts = [0]
    for x in given:
        starts.append(starts[-1] + x._array.shape[axis])
    return _cat(given, axis, tuple(starts))


concat = concatenate = cat


@public(method=False)
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape, side by side along a new dimension. Source: PyTorch's `torch.stack`."""
    if not len(tensors):
        raise RuntimeError("stack expects a non-empty TensorList")
    given = _one_type(tensors, "stack")
    for i, x in enumerate(given):
        if x._array.shape != given[0]._array.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(given[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {i}"
            )
    return _stack(given, check_dim(dim, given[0]._array.ndim + 1))


def _at_least(n: int, x: Tensor) -> Tensor:
    shape = x._array.shape
    if len(shape) >= n:
        return x
    fills = {1: (1,), 2: (1, *(shape or (1,))), 3: (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1)}
    return reshape(x, fills[n])


def _each_at_least(n: int, tensors: Any) -> Any:
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    out = tuple(_at_least(n, x) for x in given)
    return out[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else out


@public(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Numbers as vectors. Source: PyTorch's `torch.atleast_1d`."""
    return _each_at_least(1, tensors)


@public(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions. Source: PyTorch's `torch.atleast_2d`."""
    return _each_at_least(2, tensors)


@public(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions. Source: PyTorch's `torch.atleast_3d`."""
    return _each_at_least(3, tensors)


@public(method=False)
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Side by side: along dimension 1, vectors along 0. Source: PyTorch's `torch.hstack`."""
    given = [_at_least(1, x) for x in tensors]
    return cat(given, 0 if given[0]._array.ndim == 1 else 1)


@public(method=False)
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """One below the other. Source: PyTorch's `torch.vstack`."""
    return cat([_at_least(2, x) for x in tensors], 0)


@public(method=False)
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """One behind the other, along dimension 2. Source: PyTorch's `torch.dstack`."""
    return cat([_at_least(3, x) for x in tensors], 2)


# ---- split -----------------------------------------------------------------------------------------------------------
@public
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` elements along `dim` from `start`, a view. Source: PyTorch's `torch.narrow`."""
    axis, n = check_dim(dim, input._array.ndim), 0
    n, start = input._array.shape[axis], int(start)
    start = start + n if start < 0 else start
    if length < 0 or start < 0 or start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return cut(input, (slice(None),) * axis + (slice(start, start + length),))


@public
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The slice at `index` of `dim`, a view. Source: PyTorch's `torch.select`."""
    axis = check_dim(dim, input._array.ndim)
    n, i = input._array.shape[axis], int(index)
    if not -n <= i < n:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(input.shape)} at dimension {axis}")
    return cut(input, (slice(None),) * axis + (i,))


@public
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of equal size along `dim` (the last may be smaller), or of the sizes in a list.

    Errors: RuntimeError if the list's sum is not the size. Source: PyTorch's `torch.split`.
    """
    axis = check_dim(dim, tensor._array.ndim)
    n = tensor._array.shape[axis]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        sizes = [builtins.min(size, n - i) for i in range(0, n, size)] if n else [0]
    else:
        sizes = list(split_size_or_sections)
        if math.fsum(sizes) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension "
                f"{axis}), but got split_sizes={sizes}"
            )
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return tuple(narrow(tensor, axis, start, size) for start, size in zip(starts, sizes))


@public
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size (the last may be smaller). Source: PyTorch's `torch.chunk`."""
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input._array.shape[check_dim(dim, input._array.ndim)]
    return split(input, builtins.max(-(-n // chunks), 1), dim) if n else split(input, [0] * chunks, dim)


@public
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, as views without it. Source: PyTorch's `torch.unbind`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        raise RuntimeError("Dimension specified as 0 but tensor has no dimensions")
    return tuple(cut(input, (slice(None),) * axis + (i,)) for i in range(input._array.shape[axis]))


@implements(np.concatenate)
def _numpy_concatenate(arrays: Any, axis: int = 0, out: Any = None, **_: Any) -> Tensor:
    return cat([x if isinstance(x, Tensor) else wrap(x) for x in arrays], axis)


@implements(np.stack)
def _numpy_stack(arrays: Any, axis: int = 0, out: Any = None, **_: Any) -> Tensor:
    return stack([x if isinstance(x, Tensor) else wrap(x) for x in arrays], axis)
