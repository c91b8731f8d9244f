"""The same elements in another shape: view, reshape, flatten, squeeze, unsqueeze.

As in PyTorch, everything that can be a view of the same memory is one; writing through it reaches the base.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...memory import offset_of, strided, strides_of, viewed_strides
from ...op import implements, public, row, type_name
from ...tensor import Tensor, check_dim, method, wrap
from .sizes import listed, sizes_of

__all__ = ["flatten", "numel", "ravel", "reshape", "squeeze", "unflatten", "unsqueeze"]

view_in_shape: Callable[..., Any] = row(
    "view", lambda x, size: x.reshape(size), view=True, x=lambda g, shape: np.reshape(g, shape)
)
_copy_reshape = row("unsafe_view", lambda x, size: x.reshape(size), x=lambda g, shape: np.reshape(g, shape))


# ---- view and reshape ------------------------------------------------------------------------------------------------
def _filled_in(size: tuple[int, ...], x: Tensor) -> tuple[int, ...]:
    """`size` with its -1 computed; RuntimeError if the elements do not fit."""
    count = x._array.size
    if math.prod(size) == count and count and min(size, default=0) >= 0:
        return size
    rest = math.prod([n for n in size if n != -1])
    unknown = size.count(-1)
    if unknown > 1:
        raise RuntimeError("only one dimension can be inferred")
    for i, n in enumerate(size):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(size)}")
    if unknown and rest == 0 == count:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if (not rest or count % rest) if unknown else rest != count:
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple([count // rest if n == -1 else n for n in size]) if unknown else size


def _view_method(self: Tensor, *size: Any, dtype: Any = None) -> Tensor:
    """The same memory in another shape, or (given a dtype) read as another type.

    Errors: RuntimeError where the shape needs a copy (use `reshape`). Source: PyTorch's `Tensor.view`.

    >>> from mini_torch import arange
    >>> arange(6).view(2, 3).view(-1)
    tensor([0, 1, 2, 3, 4, 5])
    """
    if dtype is not None:
        size = (dtype,)
    if len(size) == 1 and hasattr(size[0], "numpy") and not isinstance(size[0], Tensor):
        return _view_type(self, np.dtype(size[0].numpy))
    shape = _filled_in(sizes_of(size), self)
    if not _viewable(self._array, shape):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return view_in_shape(self, shape)


def _viewable(array: Any, shape: tuple[int, ...]) -> bool:
    if array.flags.c_contiguous or not array.size:
        return True
    return viewed_strides(array.shape, strides_of(array), shape) is not None


@public
@listed("shape")
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Another shape for the same elements: a view where the memory allows, else a copy. One size may be -1.

    Errors: RuntimeError if the number of elements differs. Source: PyTorch's `torch.reshape`.

    >>> from mini_torch import arange
    >>> arange(6).reshape(2, -1).shape
    torch.Size([2, 3])
    """
    return _reshaped(input, _filled_in(sizes_of(shape), input))


def _reshaped(input: Tensor, size: tuple[int, ...]) -> Tensor:
    """A shape that fits: a view where the memory allows."""
    return (view_in_shape if _viewable(input._array, size) else _copy_reshape)(input, size)


method("view", listed("size")(_view_method))
method("view_as", lambda self, other: _view_method(self, other._array.shape))
method("reshape_as", lambda self, other: reshape(self, other._array.shape))


# ---- another type of the same bytes ----------------------------------------------------------------------------------
_reread = row(
    "view_dtype", lambda x, kind, size, stride, offset: strided(x, size, stride, offset, kind), view=True, x=None
)


def _view_type(x: Tensor, kind: np.dtype[Any]) -> Tensor:
    """The same bytes read as another type; the last dimension grows or shrinks with the width."""
    array, shape = x._array, x._array.shape
    old, new = array.itemsize, kind.itemsize
    stride, offset = strides_of(array), offset_of(array)
    if old == new:
        return _reread(x, kind, shape, stride, offset)
    names = f"to view {type_name(array.dtype)} as {type_name(kind)} (different element sizes), but got"
    if not shape:
        raise RuntimeError(f"self.dim() cannot be 0 {names.removesuffix(', but got')}")
    if stride[-1] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 {names} {stride[-1]}")
    if old > new:
        by = old // new
        return _reread(x, kind, (*shape[:-1], shape[-1] * by), (*(s * by for s in stride[:-1]), 1), offset * by)
    by = new // old
    for what, value in (("size(-1)", shape[-1]), ("storage_offset()", offset)):
        if value % by:
            raise RuntimeError(f"self.{what} must be divisible by {by} {names} {value}")
    for i, s in enumerate(stride[:-1]):
        if s % by:
            raise RuntimeError(f"self.stride({i}) must be divisible by {by} {names} {s}")
    return _reread(x, kind, (*shape[:-1], shape[-1] // by), (*(s // by for s in stride[:-1]), 1), offset // by)


# ---- flatten ---------------------------------------------------------------------------------------------------------
@public
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim … end_dim as one. Source: PyTorch's `torch.flatten`."""
    shape = input._array.shape
    first, last = check_dim(start_dim, len(shape)), check_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last and shape:
        return input
    return _reshaped(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@public
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` as several; one of their sizes may be -1. Source: PyTorch's `torch.unflatten`."""
    shape = input._array.shape
    axis, sizes = check_dim(dim, len(shape)), sizes_of((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if sizes.count(-1) > 1:
        raise RuntimeError("unflatten: only one dimension can be inferred")
    rest = math.prod([n for n in sizes if n != -1])
    n = shape[axis] if shape else 1
    if (not rest or n % rest) if -1 in sizes else rest != n:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({n}) in the input "
            "tensor"
        )
    filled = tuple(n // rest if m == -1 else m for m in sizes)
    return _view_method(input, (*shape[:axis], *filled, *shape[axis + 1 :]))


@public
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension. Source: PyTorch's `torch.ravel`."""
    return reshape(input, -1)


# ---- dimensions of size 1 --------------------------------------------------------------------------------------------
def _squeeze_forward(x: Any, axes: tuple[int, ...]) -> Any:
    return x.squeeze(axes)


_squeeze = row("squeeze", _squeeze_forward, view=True, x=lambda g, shape: np.reshape(g, shape))


@public
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1, all or those of `dim`. Source: PyTorch's `torch.squeeze`."""
    shape = input._array.shape
    if dim is None:
        return _squeeze(input, tuple([a for a, n in enumerate(shape) if n == 1]))
    axes = check_dims([dim] if isinstance(dim, int) else dim, len(shape))
    return _squeeze(input, tuple([a for a in axes if shape and shape[a] == 1]))


def check_dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions counted from the front; RuntimeError where one is named twice."""
    axes = tuple(check_dim(d, ndim) for d in dims)
    for a in axes:
        if axes.count(a) > 1:
            raise RuntimeError(f"dim {a} appears multiple times in the list of dims")
    return axes


def _unsqueeze_forward(x: Any, axis: int) -> Any:
    return x[(slice(None),) * axis + (None, ...)]


_unsqueeze = row("unsqueeze", _unsqueeze_forward, view=True, x=lambda g, shape: np.reshape(g, shape))


@public
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`. Source: PyTorch's `torch.unsqueeze`."""
    n = input._array.ndim + 1
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return _unsqueeze(input, dim % n)


@public(method=False)
def numel(input: Tensor) -> int:
    """How many elements. Source: PyTorch's `torch.numel`."""
    return input._array.size


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
@implements(np.reshape)
def _numpy_reshape(a: Tensor, shape: Any, order: str = "C", **_: Any) -> Tensor:
    return reshape(a, shape)


@implements(np.squeeze)
def _numpy_squeeze(a: Tensor, axis: Any = None) -> Tensor:
    return squeeze(a, axis)


@implements(np.expand_dims)
def _numpy_expand_dims(a: Tensor, axis: Any) -> Tensor:
    axes = [axis] if isinstance(axis, int) else axis
    for each in sorted(d % (a.ndim + len(axes)) for d in axes):
        a = unsqueeze(a, each)
    return a


implements(np.ravel)(ravel)
implements(np.shape)(lambda a: tuple(a._array.shape))
implements(np.ndim)(lambda a: a._array.ndim)
implements(np.size)(lambda a, axis=None: a._array.size if axis is None else a._array.shape[axis])
implements(np.zeros_like)(lambda a, dtype=None, **_: wrap(np.zeros(a._array.shape, dtype or a._array.dtype)))
implements(np.ones_like)(lambda a, dtype=None, **_: wrap(np.ones(a._array.shape, dtype or a._array.dtype)))
