"""Diagonals and triangles of matrices."""

from __future__ import annotations

import builtins
import functools
from typing import Any

import numpy as np

from ..op import implements, public, row
from ..tensor import Tensor, check_dim, method
from .adjoint import diagonal_of, on_diagonal

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "trace", "tril", "triu",
]  # fmt: skip



@functools.lru_cache(64)
def _small_triangle(rows: int, columns: int, k: int) -> Any:
    return np.tri(rows, columns, k, bool)


def _triangle(x: Any, k: int) -> Any:
    """A mask of what lies on or below the diagonal k; small ones, which cost more to make than to use, are kept."""
    rows, columns = x.shape[-2:]
    return _small_triangle(rows, columns, k) if rows * columns <= 4096 else np.tri(rows, columns, k, bool)


_tril = row("tril", lambda x, k: np.where(_triangle(x, k), x, x.dtype.type(0)), x=lambda g, k: np.tril(g, k))
_triu = row("triu", lambda x, k: np.where(_triangle(x, k - 1), x.dtype.type(0), x), x=lambda g, k: np.triu(g, k))


def _need_matrix(x: Tensor, name: str) -> None:
    if x._array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


@public(inplace=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, 0 above `diagonal`. Source: PyTorch's `torch.tril`."""
    _need_matrix(input, "tril")
    return _tril(input, diagonal)


@public(inplace=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, 0 below `diagonal`. Source: PyTorch's `torch.triu`."""
    _need_matrix(input, "triu")
    return _triu(input, diagonal)


@public
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, last, as a view. Source: PyTorch's `torch.diagonal`."""
    n = input._array.ndim
    a, b = check_dim(dim1, n), check_dim(dim2, n)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return diagonal_of(input, offset, a, b)


@public
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension on their diagonals. Source: PyTorch's `torch.diag_embed`."""
    n = input._array.ndim + 1
    a, b = check_dim(dim1, n), check_dim(dim2, n)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input._array.shape[-1] + builtins.abs(offset)
    shape = list(input._array.shape[:-1])
    for axis in sorted((a, b)):
        shape.insert(axis, size)
    return on_diagonal(input, tuple(shape), offset, a, b)


@public
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A matrix's diagonal, copied, or the matrix with a vector on its diagonal. Source: PyTorch's `torch.diag`."""
    if input._array.ndim == 1:
        return diag_embed(input, diagonal)
    if input._array.ndim == 2:
        return diagonal_of(input, diagonal, 0, 1).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D")


@public
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The square matrix with the elements of `input`, in order, on a diagonal. Source: PyTorch's `torch.diagflat`."""
    return diag_embed(input.reshape(-1), offset)


def _fill_diagonal(self: Tensor, fill_value: float, wrap: builtins.bool = False) -> Tensor:
    """Writes a number on the diagonal where all indices are equal, in place; returns the tensor.

    With `wrap`, the diagonal of a tall matrix starts anew below a free row. Errors: RuntimeError for vectors, and for
    more than two dimensions of different sizes. Source: PyTorch's `Tensor.fill_diagonal_`.
    """
    shape = self._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"dimensions must larger than 1 (got {len(shape)})")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, got {list(shape)}")
    rows = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
    columns = rows % (shape[1] + 1)
    rows, columns = rows[columns < shape[1]], columns[columns < shape[1]]
    self[(rows,) + (columns,) * (len(shape) - 1)] = fill_value
    return self


method("fill_diagonal_", _fill_diagonal)


@public
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal. Source: PyTorch's `torch.trace`."""
    if input._array.dtype.kind == "b":
        raise NotImplementedError("\"trace\" not implemented for 'Bool'")
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return diagonal_of(input, 0, 0, 1).sum()


@implements(np.diagonal)
def _numpy_diagonal(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return diagonal(a, offset, axis1, axis2)


implements(np.tril)(tril)
implements(np.triu)(triu)
