"""Tensors taken apart: narrow, select, split, chunk, unbind. All pieces are views.

The pieces of `split` and `unbind` share a node, so that their gradients are put together once, rather than each added
to the others as a whole tensor of zeros around it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Lift, Node, mode
from ..op import public
from ..op.door import where_called
from ..parts import Parts, Pick
from ..tensor import Tensor, check_dim, method
from .adjoint import cut

__all__ = [
    "chunk", "dsplit", "hsplit", "narrow", "select", "split", "split_with_sizes", "tensor_split", "unbind",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip


def _piece(x: Tensor, axis: int, start: int, end: int) -> Tensor:
    return cut(x, (slice(None),) * axis + (slice(start, end),))


@public
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` elements along `dim` from `start` (which may count from the end, or be a 0-d tensor), a view.

    Errors: RuntimeError or IndexError where that is not there. Source: PyTorch's `torch.narrow`.
    """
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor):
        if start._array.ndim or start._array.dtype.kind not in "iu":
            raise RuntimeError(f"start must be an 0-dim integral Tensor. (got {start.dtype}, {list(start.shape)})")
        start = int(start._array)
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative. (got {length})")
    axis = check_dim(dim, input._array.ndim)
    n = input._array.shape[axis]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [-{n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _piece(input, axis, start, start + length)


@public
def select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The slice at `index` of `dim`, a view. Source: PyTorch's `torch.select`."""
    if not input._array.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = check_dim(dim, input._array.ndim)
    n, i = input._array.shape[axis], int(index)
    if not -n <= i < n:
        raise IndexError(f"select(): index {i} out of range for tensor of size {list(input.shape)} at dimension {axis}")
    return cut(input, (slice(None),) * axis + (i, ...))


# ---- pieces that share a node ----------------------------------------------------------------------------------------
class _Joining:
    """How the gradients of all pieces along `axis` make that of the whole; `join` is np.concatenate or np.stack."""

    keeps = lends = saves_out = False
    holomorphic = False  # putting together is the same for complex numbers

    def __init__(self, name: str, pieces: Sequence[Tensor], axis: int, join: Any) -> None:
        self.name, self.axis, self.join = name, axis, join
        self.shapes, self.kind = [x._array.shape for x in pieces], pieces[0]._array.dtype

    def pull(self, node: Node, g: Parts) -> list[Any]:
        """The gradient of the whole; zeros where none arrived."""
        parts = [g.parts.get(i) for i in range(len(self.shapes))]
        parts = [np.zeros(shape, self.kind) if d is None else d for d, shape in zip(parts, self.shapes)]
        return [self.join(parts, self.axis)]

    def pull_tensors(self, node: Node, g: Parts, lift: Lift) -> list[Any]:
        """The same on tensors."""
        return self.pull(node, Parts({i: lift.tensor(d) for i, d in g.parts.items()}))


def _joined(name: str, x: Tensor, pieces: list[Tensor], axis: int, join: Any) -> tuple[Tensor, ...]:
    """The pieces with one node behind all of them, if they have any."""
    if pieces and pieces[0]._node is not None and mode.enabled:
        node = Node(_Joining(name, pieces, axis, join), [x if x._node is None else x._node])
        if mode.anomaly:
            node.notes = {"traceback": where_called()}
        for i, piece in enumerate(pieces):
            piece._node = Pick(node, i)
    return tuple(pieces)


# ---- split -----------------------------------------------------------------------------------------------------------
def _pieces(x: Tensor, axis: int, bounds: Sequence[int]) -> list[Tensor]:
    """The pieces between neighbouring bounds."""
    return [_piece(x, axis, start, end) for start, end in itertools.pairwise(bounds)]


def _need_dims(x: Tensor, name: str) -> None:
    if not x._array.ndim:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")


@public(aliases=("unsafe_split",))
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of equal size along `dim` (the last may be smaller), or of the sizes in a list.

    Errors: RuntimeError if the list's sum is not the size. Source: PyTorch's `torch.split`.

    >>> from mini_torch import arange
    >>> arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if not isinstance(split_size_or_sections, int | np.integer):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    _need_dims(tensor, "split")
    axis, size = check_dim(dim, tensor._array.ndim), int(split_size_or_sections)
    n = tensor._array.shape[axis]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if not size and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    pieces = _pieces(tensor, axis, [*range(0, n, size), n] if n else [0, 0])
    return _joined("SplitBackward0", tensor, pieces, axis, np.concatenate)


unsafe_split = split


def _split(self: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, under the name that PyTorch's method has for the size. Source: PyTorch's `torch.Tensor.split`."""
    return split(self, split_size, dim)


method("split", _split)


@public(aliases=("unsafe_split_with_sizes",))
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of these sizes along `dim`; RuntimeError unless they add up. Source: PyTorch's `torch.split_with_sizes`."""
    _need_dims(input, "split")
    axis, sizes = check_dim(dim, input._array.ndim), [int(n) for n in split_sizes]
    if any(n < 0 for n in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
        )
    n = input._array.shape[axis]
    if sum(sizes) != n:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {axis}), "
            f"but got split_sizes={sizes}"
        )
    bounds = [0]
    for size in sizes:
        bounds.append(bounds[-1] + size)
    return _joined("SplitWithSizesBackward0", input, _pieces(input, axis, bounds), axis, np.concatenate)


unsafe_split_with_sizes = split_with_sizes


@public(aliases=("unsafe_chunk",))
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` views of equal size (the last may be smaller). Source: PyTorch's `torch.chunk`."""
    _need_dims(input, "chunk")
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = input._array.shape[check_dim(dim, input._array.ndim)]
    return split(input, max(-(-n // chunks), 1), dim) if n else split(input, [0] * chunks, dim)


unsafe_chunk = chunk


@public
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views between the indices along `dim`; or so many views, the first ones larger by 1 where needed.

    Errors: RuntimeError for no sections or a 0-d tensor. Source: PyTorch's `torch.tensor_split`.
    """
    if not input._array.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = check_dim(dim, input._array.ndim)
    n, given = input._array.shape[axis], indices_or_sections
    if isinstance(given, Tensor):
        if given._array.dtype != np.int64 or given._array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor "
                f"of long, but got {given.dtype} with {given._array.ndim} dims"
            )
        given = given.tolist()
    if isinstance(given, int):
        if given < 1:
            raise RuntimeError(f"number of sections must be larger than 0, got {given}")
        size, more = divmod(n, given)
        return tuple(_pieces(input, axis, [i * size + min(i, more) for i in range(given + 1)]))
    if any(not isinstance(i, int) for i in given):
        raise TypeError(f"tensor_split(): indices must be ints, got {list(given)}")
    inner = [max(min(i + n if i < 0 else i, n), 0) for i in given]
    return tuple(
        [_piece(input, axis, start, max(start, end)) for start, end in zip([0, *inner], [*inner, n])]
    )


def _split_evenly(input: Tensor, given: Any, dim: int, least: int, name: str) -> tuple[Tensor, ...]:
    n = input._array.ndim
    if n < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {n} dimensions!"
        )
    if isinstance(given, int) and given and input._array.shape[dim] % given:
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input._array.shape[dim]} is not divisible by the split_size {given}!"
        )
    return tensor_split(input, given, dim)


@public
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 1, of a vector along 0, into equal parts. Source: PyTorch's `torch.hsplit`."""
    return _split_evenly(input, indices_or_sections, 0 if input._array.ndim == 1 else 1, 1, "hsplit")


@public
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 0 into equal parts. Source: PyTorch's `torch.vsplit`."""
    return _split_evenly(input, indices_or_sections, 0, 2, "vsplit")


@public
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along dimension 2 into equal parts. Source: PyTorch's `torch.dsplit`."""
    return _split_evenly(input, indices_or_sections, 2, 3, "dsplit")


@public
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, as views without it. Source: PyTorch's `torch.unbind`."""
    axis = check_dim(dim, input._array.ndim)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    pieces = [cut(input, (slice(None),) * axis + (i, ...)) for i in range(input._array.shape[axis])]
    return _joined("UnbindBackward0", input, pieces, axis, np.stack)
