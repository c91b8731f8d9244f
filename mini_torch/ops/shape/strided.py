"""Views by size, stride and offset, and changes of a tensor's own geometry: as_strided, resize_, set_, t_ …"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...dtype import contiguous_strides
from ...graph import mode
from ...memory import Layout, layout_of, offset_of, positions, storage_of, strided
from ...op import check_changeable, public, row
from ...tensor import Tensor, alias, method, wrap
from ...view import View
from .sizes import sizes_of
from .transpose import swapaxes, t, transpose
from .view import squeeze, unsqueeze

__all__ = ["as_strided", "as_strided_", "resize_as_"]


# ---- as_strided ------------------------------------------------------------------------------------------------------
def _through_storage(x: Any, source: Layout, target: Layout, shared: Layout) -> Any:
    """x's elements put into a storage by one layout, adding what meets, and read again by another.

    Where several elements of the layout `shared` lie in one place, each counts for its part.
    """
    put, got, common = (positions(layout) for layout in (source, target, shared))
    start = min([int(p.min()) for p in (put, got, common) if p.size], default=0)
    size = max([int(p.max()) for p in (put, got, common) if p.size], default=0) - start + 1
    memory = np.zeros(size, x.dtype)
    np.add.at(memory, put.reshape(-1) - start, x.reshape(-1))
    counts = np.bincount(common.reshape(-1) - start, minlength=size)
    if (counts > 1).any():
        memory = (memory / np.maximum(counts, 1)).astype(x.dtype)
    return memory[got - start]


_through: Callable[..., Any] = row(
    "through_storage", _through_storage, grad_name="AsStridedBackwardBackward0",
    x=lambda g, source, target, shared: _through(g, target, source, shared),
)  # fmt: skip


def _as_strided_forward(x: Any, target: Layout, own: Layout) -> Any:
    """A view if x lies in memory as it did when the view was first taken, else (of a gradient, say) a copy."""
    if layout_of(x) == own:
        return strided(x, *target)
    return _through_storage(x, own, target, own)


_as_strided = row(
    "as_strided", _as_strided_forward, view=True, x=lambda g, target, own: _through(g, target, own, own)
)


@public
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the memory behind `input`, by any size, stride and offset (input's own unless given), in elements.

    The memory is that of input's base: a view can be left. A gradient that meets in one place adds up. Errors:
    RuntimeError where it reaches outside. Source: PyTorch's `torch.as_strided`.

    >>> from mini_torch import arange
    >>> arange(6).as_strided((3, 2), (1, 2))
    tensor([[0, 2],
            [1, 3],
            [2, 4]])
    """
    size, stride = sizes_of((size,)), sizes_of((stride,))
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {list(stride)} and {list(size)}")
    if any(s < 0 for s in stride):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}"
        )
    if any(n < 0 for n in size):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}")
    own = layout_of(input._array)
    offset = own[2] if storage_offset is None else int(storage_offset)
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    target = (size, stride, offset)
    out = _as_strided(input, target, own)
    if input._view is not None:  # a write must reach the base also where this view leaves its input's
        base = input._view.base
        out._view = View(base, ((_as_strided, (target, layout_of(base._array))),))
    return out


# ---- views of itself -------------------------------------------------------------------------------------------------
def _viewed_in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The in-place form of a view: the tensor itself takes the view's geometry (its memory is not touched)."""

    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_changeable(self)
        old = alias(self)
        old._view = self._view
        out = function(old, *args, **kwargs)
        self._array, self._node, self._requires_grad = out._array, out._node, out._requires_grad
        if self._view is not None:
            self._view = out._view
        self._bump()
        return self

    in_place.__doc__ = f"In-place form of `{function.__name__}`: the same memory, seen otherwise."
    return in_place


as_strided_ = _viewed_in_place(as_strided)
method("as_strided_", as_strided_)
for _name, _function in (
    ("squeeze_", squeeze), ("unsqueeze_", unsqueeze), ("transpose_", transpose), ("swapaxes_", swapaxes),
    ("swapdims_", transpose), ("t_", t),
):  # fmt: skip
    method(_name, _viewed_in_place(_function))


# ---- another size or memory ------------------------------------------------------------------------------------------
def _resize(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """This tensor in another size, in place: the first elements of its memory, in order; more memory where needed.

    Elements that are new are uninitialised. A tensor that shared the memory keeps the old one. Errors: RuntimeError
    if this tensor requires grad. Source: PyTorch's `Tensor.resize_`.
    """
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape, array = sizes_of(size), self._array
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    offset, count = offset_of(array), math.prod(shape)
    old = storage_of(array)
    if shape == array.shape:
        return self
    if (offset + count) * array.itemsize > old.size:
        grown = np.empty((offset + count) * array.itemsize, np.uint8)
        grown[: old.size] = old
        array = grown.view(array.dtype)
    self._array = strided(array, shape, contiguous_strides(shape), offset, self._array.dtype)
    self._bump()
    return self


def _resize_as(self: Tensor, other: Tensor, memory_format: Any = None) -> Tensor:
    """`resize_` to the size of another tensor, in place. Source: PyTorch's `Tensor.resize_as_`."""
    return _resize(self, other._array.shape)


resize_as_ = _resize_as
method("resize_", _resize)
method("resize_as_", _resize_as)


def _set(
    self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Tensor:
    """Makes this tensor share another's memory and shape (or none), in place; or see it by offset, size and stride.

    Source: PyTorch's `Tensor.set_`.
    """
    if self.requires_grad and self._node is None and mode.enabled:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if source is None:
        source = wrap(np.empty(0, self._array.dtype))
    if source._array.dtype != self._array.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype} to a tensor of type {self.dtype}: the types must agree"
        )
    array = source._array
    if size is not None:
        shape = sizes_of((size,))
        array = strided(array, shape, contiguous_strides(shape) if stride is None else sizes_of((stride,)),
                        storage_offset)  # fmt: skip
    self._array, self._cell = array, source._cell
    return self


method("set_", _set)
