"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtype import promote_numpy, to_numpy_dtype
from ...op import cast, public, row, takes_out, type_name
from ...tensor import Tensor, check_dim, wrap
from ..reduction import Dims, any_zero, axes_of, keep
from .inverses import inv_ex
from .matrices import is_complex, kind_of, need_floats, need_matrix, need_square, quotient
from .singular import svdvals

__all__ = ["matrix_norm", "norm", "vector_norm"]  # not cond: torch.cond is something else


# ---- of vectors ------------------------------------------------------------------------------------------------------
def norm_of_array(x: Any, p: float, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    """(Σ |x|ᵖ)^(1/p) along `axes` of an array."""
    if p == 2 and x.dtype.char in "fd":
        with np.errstate(over="ignore"):
            return np.sqrt(_sum_of_squares(x, axes, keepdim))
    size = np.abs(x)
    kind = size.dtype
    if kind.itemsize == 2:  # float16 adds up in float32
        size = size.astype(np.float32)
    with np.errstate(all="ignore"):
        return _reduced(size, p, axes, keepdim).astype(kind)


def _sum_of_squares(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    """Without an array of the squares where there is a way."""
    if not keepdim and len(axes) == x.ndim and x.flags.c_contiguous:
        flat = x.reshape(-1)
        return np.dot(flat, flat)
    if not keepdim and axes == (x.ndim - 1,):
        return np.einsum("...i,...i->...", x, x)
    return np.add.reduce(np.square(x), axis=axes, keepdims=keepdim)


def _reduced(size: Any, p: float, axes: tuple[int, ...], keepdim: bool) -> Any:
    if p == 2:
        return np.sqrt(np.add.reduce(np.square(size), axis=axes, keepdims=keepdim))
    if p == 1:
        return np.add.reduce(size, axis=axes, keepdims=keepdim)
    if p == math.inf:
        return np.maximum.reduce(size, axis=axes, keepdims=keepdim)
    if p == -math.inf:
        return np.minimum.reduce(size, axis=axes, keepdims=keepdim)
    if p == 0:
        return np.add.reduce(size != 0, axis=axes, keepdims=keepdim, dtype=size.dtype)
    return np.power(np.add.reduce(np.power(size, p), axis=axes, keepdims=keepdim), 1 / p)


def _direction(x: Any) -> Any:
    """x / |x|, and 0 for 0."""
    if not is_complex(x):
        return np.sign(x)
    return x / np.where(x == 0, 1.0, np.abs(x))


def _norm_rule(g: Any, x: Any, out: Any, p: float, axes: tuple[int, ...]) -> Any:
    """x/|x| (|x| / ‖x‖)^(p−1); 0 where x or the norm is, as in PyTorch."""
    n = len(x.shape)
    g, out = keep(g, n, axes), keep(out, n, axes)
    if p == 0:
        return np.zeros_like(x)
    if p == 1:
        return g * _direction(x)
    if p in (math.inf, -math.inf):  # equal ones share
        hits = np.abs(x) == out
        share = np.where(hits, 1.0, 0.0) / np.sum(np.where(hits, np.ones_like(g), 0.0), axis=axes, keepdims=True)
        return (g * share) * _direction(x)
    if p == 2:
        return (g * np.where(out == 0, 0.0, quotient(1.0, out))) * x
    safe, size = np.where(out == 0, 1.0, out), np.where(x == 0, 1.0, np.abs(x))
    return np.where((x == 0) | (out == 0), 0.0, (g * np.power(size / safe, p - 1)) * _direction(x))


_norm = row("norm", norm_of_array, x=_norm_rule, holomorphic=False, grad_name="LinalgVectorNormBackward0")


def _in_type(A: Tensor, dtype: Any, name: str) -> Tensor:
    """A in the type `dtype`, which must be as wide as its own."""
    need_floats(A, name)
    if dtype is None:
        return A
    kind, given = to_numpy_dtype(dtype), kind_of(A)
    if kind.kind not in "fc":
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {type_name(kind)}")
    if kind.kind != given.kind:
        word = "complex" if given.kind == "c" else "real"
        raise RuntimeError(f"{name}: dtype should be {word} for {word} inputs, but got {type_name(kind)}")
    if promote_numpy(given, kind) != kind:
        raise RuntimeError(
            f"{name}: the dtype of the input ({type_name(given)}) should be convertible without narrowing to the "
            f"specified dtype ({type_name(kind)})"
        )
    return A if kind == given else cast(A, kind)


@takes_out
def vector_norm(input: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over all elements or along `dim`; p = ±inf: the largest, smallest; 0: how many are not 0.

    The gradient at 0 is 0. Source: PyTorch's `torch.linalg.vector_norm`.

    >>> from mini_torch import tensor
    >>> vector_norm(tensor([3.0, -4.0]))
    tensor(5.)
    """
    name = "linalg.vector_norm"
    if isinstance(ord, complex):
        raise RuntimeError(f"{name}: Expected a non-complex scalar as the order of norm.")
    if not isinstance(ord, int | float):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    input = _in_type(input, dtype, name)
    axes = axes_of(dim, input._array.ndim)
    if (ord < 0 or ord == math.inf) and any_zero(input._array.shape, axes):
        empty = next(a for a in axes if input._array.shape[a] == 0)
        every = dim is None or dim in ((), [])
        where = "an empty tensor because" if every else f"the dimension {empty}because this dimension is empty and"
        raise RuntimeError(f"{name} cannot compute the {ord} norm on {where} the operation does not have an identity")
    return _norm(input, float(ord), axes, keepdim)


# ---- of matrices -----------------------------------------------------------------------------------------------------
def _largest_of(values: Tensor, ord: float, axis: int, keepdim: bool) -> Tensor:
    """The largest (for ord < 0 the smallest) along `axis`; 0 where there is none."""
    if values._array.shape[axis] == 0:
        shape = [n for i, n in enumerate(values._array.shape) if i != axis]
        if keepdim:
            shape.insert(axis, 1)
        return wrap(np.zeros(shape, kind_of(values)))
    return values.amax(axis, keepdim) if ord > 0 else values.amin(axis, keepdim)


def _of_singular_values(A: Tensor, ord: Any, axes: tuple[int, int], keepdim: bool) -> Tensor:
    values = svdvals(A.movedim(axes, (-2, -1)))
    out = values.sum(-1) if ord == "nuc" else _largest_of(values, ord, values.ndim - 1, False)
    if keepdim:
        for axis in sorted(axes):
            out = out.unsqueeze(axis)
    return out


def _check_matrix_norm(A: Tensor, ord: Any, axes: Any) -> tuple[int, int]:
    name = "linalg.matrix_norm"
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"{name}: Order {ord} not supported.")
    need_floats(A, name, low=ord not in ("nuc", 2, -2))
    if len(axes) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, axes))}")
    first, second = (check_dim(d, A._array.ndim) for d in axes)
    if first == second:
        raise RuntimeError(f"{name}: dims must be different. Got ({axes[0]}, {axes[1]})")
    return first, second


@takes_out
def matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices: "fro" √Σ|a|², "nuc" the sum of the singular values, ±2 the largest, smallest of them, ±1 of
    the columns' sums of |a|, ±inf of the rows'. Source: PyTorch's `torch.linalg.matrix_norm`.
    """
    need_matrix(input, "linalg.matrix_norm")
    axes = _check_matrix_norm(input, ord, (dim,) if isinstance(dim, int) else tuple(dim))
    if ord == "fro":
        return vector_norm(input, 2, axes, keepdim, dtype=dtype)
    input = _in_type(input, dtype, "linalg.matrix_norm")
    if ord in ("nuc", 2, -2):
        return _of_singular_values(input, ord, axes, keepdim)
    summed, compared = axes if abs(ord) == 1 else axes[::-1]
    sums = vector_norm(input, 1, summed, keepdim)
    return _largest_of(sums, ord, compared - (not keepdim and summed < compared), keepdim)


@takes_out
def norm_of(input: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """A vector's norm or a matrix's: with `ord` that of its one or two dimensions, or of those in `dim`; without `ord`
    the 2-norm of all elements. Source: PyTorch's `torch.linalg.norm`.
    """
    axes = None if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if axes is not None and len(axes) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {axes}")
    ndim = input._array.ndim
    if ord is not None and axes is None and ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D."
        )
    if ord is None:
        return vector_norm(input, 2, axes, keepdim, dtype=dtype)
    if isinstance(ord, str) or len(axes or range(ndim)) == 2:
        return matrix_norm(input, ord, (-2, -1) if axes is None else axes, keepdim, dtype=dtype)
    return vector_norm(input, ord, axes, keepdim, dtype=dtype)


@public
def norm(input: Tensor, p: Any = "fro", dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The p-norm (Σ|x|ᵖ)^(1/p) of all elements or along `dim`; "fro" is p = 2; "nuc" the nuclear norm of a matrix.

    The gradient at 0 is 0. Source: PyTorch's `torch.norm`.
    """
    if dim is None and dtype is None and p in ("fro", 2) and kind_of(input).kind == "f":
        return _norm(input, 2.0, tuple(range(input._array.ndim)), keepdim)
    if p is None or (p == "fro" and (not isinstance(dim, list | tuple) or len(dim) <= 2)):
        p = 2.0
    if isinstance(p, str):
        axes = range(input._array.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
        return matrix_norm(input, p, list(axes), keepdim, dtype=dtype)
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


@takes_out
def cond(input: Tensor, p: Any = None) -> Tensor:
    """‖A‖ ‖A⁻¹‖ of matrices (*, n, n) → (*), in the norm `p` (of `matrix_norm`); by default, and for ±2, the ratio of
    the largest and the smallest singular value, (*, m, n). inf for a singular A. Source: PyTorch's `torch.linalg.cond`.
    """
    if input._array.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p not in (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if p not in (None, 2, -2):
        need_square(input, f"linalg.cond(ord={p})")
    if not input._array.size:
        return wrap(np.zeros(input._array.shape[:-2], np.empty(0, kind_of(input)).real.dtype))
    if p in (None, 2, -2):
        s = svdvals(input)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    inverse, info = inv_ex(input)
    out = matrix_norm(input, p) * matrix_norm(inverse.masked_fill((info > 0)[..., None, None], 0), p)
    return out.masked_fill(info > 0, math.inf)
