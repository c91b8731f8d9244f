"""Products and powers of vectors, and diagonals in torch.linalg's order of dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import cast, public, row, shape_mismatch, takes_out, type_name
from ...tensor import Tensor, check_dim, wrap
from ..diagonal import diagonal as any_diagonal
from ..reduction import cumprod
from .matrices import kind_of, need_floats, need_same_type

__all__ = ["cross", "kron", "vander"]


# ---- cross products --------------------------------------------------------------------------------------------------
def _cross_forward(x: Any, y: Any, axis: int) -> Any:
    (a, b, c), (d, e, f) = np.moveaxis(x, axis, 0), np.moveaxis(y, axis, 0)
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis)


_crossed: Callable[..., Any] = row(
    "cross", _cross_forward, broadcasts=True, grad_name="LinalgCrossBackward0",
    x=lambda g, y, axis: _crossed(y, g, axis), y=lambda g, x, axis: _crossed(g, x, axis),
)  # fmt: skip


def _cross(input: Tensor, other: Tensor, dim: int) -> Tensor:
    if input._array.ndim != other._array.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = check_dim(dim, input._array.ndim)
    sizes = input._array.shape[axis], other._array.shape[axis]
    if sizes != (3, 3):
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}"
        )
    if kind_of(input) != kind_of(other):
        raise RuntimeError(f"expected scalar type {type_name(kind_of(input))} but found {type_name(kind_of(other))}")
    if kind_of(input).kind == "b":
        raise NotImplementedError("\"cross\" not implemented for 'Bool'")

    try:
        return _crossed(input, other, axis)
    except ValueError:
        raise shape_mismatch(input._array.shape, other._array.shape) from None


@takes_out
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product x × y of 3-vectors along `dim`; the other dimensions broadcast.

    Source: PyTorch's `torch.linalg.cross`.
    """
    return _cross(input, other, dim)


@public
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of 3-vectors along `dim`, the first dimension of size 3 unless given. PyTorch's `torch.cross`.
    """
    if dim is None:
        found = [i for i, n in enumerate(input._array.shape) if n == 3]
        if not found:
            raise RuntimeError("no dimension of size 3 in input")
        dim = found[0]
    return _cross(input, other, dim)


# ---- dot products, Kronecker products --------------------------------------------------------------------------------
@takes_out
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Σ conj(x) y along `dim`; the other dimensions broadcast. Source: PyTorch's `torch.linalg.vecdot`."""
    need_floats(x, "linalg.vecdot")
    need_same_type(x, y, "linalg.vecdot", ("x", "y"))
    if x._array.ndim == 1 == y._array.ndim and x._array.shape != y._array.shape and 1 not in x.shape + y.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor {list(x.shape)} and src {list(y.shape)} to have the same "
            f"number of elements, but got {x._array.size} and {y._array.size} elements respectively"
        )
    return ((np.conjugate(x) if kind_of(x).kind == "c" else x) * y).sum(dim)


@public
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of `input` times the whole of `other`. Source: PyTorch's `torch.kron`."""
    n = max(input.ndim, other.ndim)
    a = (1,) * (n - input.ndim) + input._array.shape
    b = (1,) * (n - other.ndim) + other._array.shape
    left = input.reshape(tuple(v for m in a for v in (m, 1)))
    right = other.reshape(tuple(v for m in b for v in (1, m)))
    return (left * right).reshape(tuple(i * j for i, j in zip(a, b)))


# ---- powers ----------------------------------------------------------------------------------------------------------
@takes_out
def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Rows (1, x, x², …, x^(N−1)) for x (*, n) → (*, n, N), N = n unless given. PyTorch's `torch.linalg.vander`."""
    if kind_of(x).kind == "b" or kind_of(x) == np.float16:
        raise RuntimeError(
            f"linalg.vander supports floating point, complex, and integer tensors, but got {type_name(kind_of(x))}"
        )
    if not x._array.ndim:
        x = x.reshape((1,))
    n = x._array.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    return _powers(x, n)


def _powers(x: Tensor, n: int) -> Tensor:
    ones = wrap(np.ones((*x._array.shape, 1), kind_of(x)))
    if n <= 1:
        return ones[..., :n]
    spread: Any = np.broadcast_to(np.expand_dims(x, -1), (*x._array.shape, n - 1))
    powers = cumprod(spread, -1)
    if kind_of(powers) != kind_of(x):  # running products of integers are int64
        ones = cast(ones, kind_of(powers))
    return np.concatenate([ones, powers], -1)  # type: ignore[return-value]


@public(method=False)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Rows (x^(N−1), …, x, 1), or in rising order, for x (n) → (n, N), N = n unless given. PyTorch's `torch.vander`."""
    if x._array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x._array.size if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    x = x if kind_of(x).kind in "fc" else cast(x, np.dtype(np.int64))
    rising = _powers(x, n)
    return rising if increasing else rising.flip(-1)


@takes_out
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, a view. Source: PyTorch's `torch.linalg.diagonal`."""
    return any_diagonal(A, offset, dim1, dim2)
