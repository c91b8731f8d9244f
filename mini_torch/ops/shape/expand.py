"""One size for several: expand, broadcast, repeat, and back by sums."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtype import Size
from ...op import implements, public, row, shape_mismatch, type_name
from ...tensor import Tensor, check_dim, method, wrap
from ..adjoint import take
from .sizes import listed, sizes_of
from .view import reshape, view_in_shape

__all__ = ["broadcast_shapes", "broadcast_tensors", "broadcast_to", "meshgrid", "repeat_interleave", "tile"]


# ---- expand ----------------------------------------------------------------------------------------------------------
def _broadcast(x: Any, size: tuple[int, ...]) -> Any:
    if isinstance(x, np.ndarray) and x.size and x.flags.c_contiguous:  # `broadcast_to` is five times slower
        steps = [0 if n != m else s for n, m, s in zip(size[len(size) - x.ndim :], x.shape, x.strides)]
        return np.ndarray(size, x.dtype, x, 0, (*(0,) * (len(size) - x.ndim), *steps))
    out = np.broadcast_to(x, size)
    out.flags.writeable = x.flags.writeable  # what must not be written to is seen by its strides
    return out


_expand = row("expand", _broadcast, view=True, broadcasts=True, x=lambda g: g)


def _expand_method(self: Tensor, *sizes: Any) -> Tensor:
    """A view in which dimensions of size 1 are repeated without a copy (stride 0); -1 keeps a size.

    Errors: RuntimeError if the sizes do not fit. Source: PyTorch's `Tensor.expand`.
    """
    size, shape = sizes_of(sizes), self._array.shape
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{type_name(self._array.dtype)}Tensor{{{list(shape)}}}, size={list(size)}): the number of "
            f"sizes provided ({len(size)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(shape)})"
        )
    full = []
    for i, n in enumerate(size):
        old = shape[i - lead] if i >= lead else 1
        if n == -1 and i < lead:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if n not in (-1, old) and old != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: {list(shape)}"
            )
        full.append(old if n == -1 else n)
    return _expand(self, tuple(full))


method("expand", listed("size")(_expand_method))
method("expand_as", lambda self, other: _expand_method(self, other._array.shape))


@public
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input.expand(size)`. Source: PyTorch's `torch.broadcast_to`."""
    return _expand_method(input, tuple(size))


implements(np.broadcast_to)(broadcast_to)


@public(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that all these broadcast to; RuntimeError if there is none. PyTorch's `torch.broadcast_shapes`."""
    given = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    if any(n < 0 for s in given for n in s):
        raise ValueError("Attempting to broadcast a dimension with negative length!")
    try:
        return Size(np.broadcast_shapes(*given))
    except ValueError:
        pairs = itertools.combinations(given, 2)
        clash = next((a, b) for a, b in pairs if any(1 != m != n != 1 for m, n in zip(a[::-1], b[::-1])))
        raise shape_mismatch(*clash) from None


@public(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape, as views. Source: PyTorch's `torch.broadcast_tensors`."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    size = broadcast_shapes(*[x._array.shape for x in given])
    return tuple([_expand_method(x, size) for x in given])


def _sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """The adjoint of `expand`: sums of what an expansion of `size` would repeat.

    Errors: RuntimeError if `size` does not expand to this shape. Source: PyTorch's `Tensor.sum_to_size`.
    """
    wanted, shape = sizes_of(size), self._array.shape
    lead = len(shape) - len(wanted)
    if lead < 0 or any(n not in (1, m) for n, m in zip(wanted, shape[max(lead, 0) :])):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    if not wanted:
        return self.sum()
    axes = (*range(lead), *(i for i, n in enumerate(wanted, lead) if n == 1 != shape[i]))
    if not axes:
        return view_in_shape(self, wanted)
    return reshape(self.sum(axes), wanted)


method("sum_to_size", listed("size")(_sum_to_size))


@public(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinate grids of vectors, as views; `indexing` is 'ij' (rows first) or 'xy'. PyTorch's `torch.meshgrid`."""
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else list(tensors)
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for x in given:
        if x._array.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {list(x.shape)}")
        if x._array.dtype != given[0]._array.dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    sizes = [x._array.size for x in given]
    if indexing == "xy" and len(given) > 1:
        sizes[:2] = sizes[1::-1]
    places = list(range(len(given)))
    if indexing == "xy" and len(given) > 1:
        places[:2] = [1, 0]
    return tuple(
        _expand_method(reshape(x, (1,) * i + (-1,) + (1,) * (len(given) - i - 1)), sizes) for x, i in zip(given, places)
    )


# ---- repeat ----------------------------------------------------------------------------------------------------------
def _unrepeat(g: Any, shape: tuple[int, ...], repeats: tuple[int, ...]) -> Any:
    lead = len(repeats) - len(shape)
    split = [n for i, r in enumerate(repeats) for n in ((r,) if i < lead else (r, shape[i - lead]))]
    axes = tuple(i if i < lead else lead + 2 * (i - lead) for i in range(len(repeats)))
    return np.sum(np.reshape(g, tuple(split)), axis=axes)


_repeat = row("repeat", lambda x, repeats: np.tile(x, repeats), x=_unrepeat)


def _repeat_method(self: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side, as often as `repeats` says per dimension. Source: PyTorch's `Tensor.repeat`."""
    counts = sizes_of(repeats)
    if len(counts) < self._array.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    if any(n < 0 for n in counts):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(counts)}: {list(counts)}")
    return _repeat(self, counts)


method("repeat", listed("repeats")(_repeat_method))


@public
@listed("dims")
def tile(input: Tensor, *dims: Any) -> Tensor:
    """As `repeat`, for fewer dims, too. Source: PyTorch's `torch.tile`."""
    counts = sizes_of(dims)
    return _repeat_method(input, (1,) * (input._array.ndim - len(counts)) + counts)


implements(np.tile)(tile)


@public
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element along `dim` as often as `repeats` says; of the flattened tensor without `dim`.

    With counts alone, the positions that they repeat. Errors: RuntimeError for negative counts, or as many as there
    are no elements. Source: PyTorch's `torch.repeat_interleave`.

    >>> from mini_torch import tensor
    >>> tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:
        counts = _counts(input, input._array.size)
        return _sized(wrap(np.repeat(np.arange(len(counts)), counts).astype(input._array.dtype)), 0, output_size)
    x = reshape(input, -1) if dim is None else input
    axis = check_dim(0 if dim is None else dim, x._array.ndim)
    x = x if x._array.ndim else reshape(x, 1)
    n = x._array.shape[axis]
    index = np.repeat(np.arange(n), _counts(repeats, n))
    return _sized(take(x, (slice(None),) * axis + (index,)), axis, output_size)


def _counts(repeats: Any, n: int) -> Any:
    if not isinstance(repeats, Tensor):
        if repeats < 0:
            raise RuntimeError(f"Repeats must be non-negative, got {repeats}")
        return repeats
    counts = repeats._array
    if counts.dtype not in (np.int32, np.int64):
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{type_name(counts.dtype)}'")
    if counts.ndim > 1:
        raise RuntimeError(f"repeats must be 0-dim or 1-dim tensor, got shape {list(counts.shape)}")
    if counts.size not in (1, n):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size(0) = {n}"
        )
    if (counts < 0).any():
        raise RuntimeError(f"repeats can not be negative, got {counts.min()}")
    return counts


def _sized(out: Tensor, axis: int, output_size: int | None) -> Tensor:
    if output_size is not None and out._array.shape[axis] != output_size:
        raise RuntimeError(
            f"allocated size does not match required size: {output_size} was given, {out._array.shape[axis]} needed"
        )
    return out
