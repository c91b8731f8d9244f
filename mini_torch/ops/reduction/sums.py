"""Sums and means, and the logarithm of a sum of exponentials."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...dtype import to_numpy_dtype
from ...op import floating, implements, public, quiet, row, type_name
from ...tensor import Tensor
from .axes import Dims, any_zero, axes_of, count_of, in_type, keep, numpy_reduction, spread, wide_type

__all__ = ["logsumexp", "mean", "nanmean", "nansum", "sum"]


# ---- sums ------------------------------------------------------------------------------------------------------------
_LARGE, _ROW = 32768, 1024


def total(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    """The sum in the type to add up in. Rows of a large array are added by BLAS: a third of NumPy's time."""
    ndim, kind = len(x.shape), wide_type(x.dtype)
    if x.size >= _LARGE and kind is x.dtype and kind.kind == "f" and axes == tuple(range(ndim - len(axes), ndim)):
        sums = _row_sums(x, count_of(x.shape, axes)) if x.flags.c_contiguous else None
        if sums is not None:
            kept = x.shape[: ndim - len(axes)]
            return sums.reshape((*kept, *(1,) * len(axes)) if keepdim else kept)
    return np.add.reduce(x, axis=axes, dtype=kind, keepdims=keepdim)


def _row_sums(x: Any, n: int) -> Any:
    """The sums of every n elements that lie in order, in pieces of a thousand; None where these do not come out."""
    if 64 <= n <= 4 * _ROW:
        return x.reshape(-1, n) @ ones_of(n, x.dtype)
    if n == x.size and len(x.shape) > 1 and 64 <= x.shape[-1] <= 4 * _ROW and x.shape[-2] >= 16:
        return np.add.reduce(x @ ones_of(x.shape[-1], x.dtype), axis=None)
    if n < 64 or (n != x.size and n % _ROW):
        return None
    flat, even = x.reshape(-1), x.size - x.size % _ROW
    pieces = flat[:even].reshape(-1, _ROW) @ ones_of(_ROW, x.dtype)
    if n == x.size:
        return np.add.reduce(np.append(pieces, flat[even:]))
    return np.add.reduce(pieces.reshape(-1, n // _ROW), axis=1)


@functools.lru_cache(maxsize=64)
def ones_of(n: int, kind: np.dtype[Any]) -> Any:
    """n ones, for a product that adds up; kept for the next time, so of a few thousand at most."""
    return np.ones(n, kind)


def sums_of_rows(x: Any) -> Any:
    """Σ x along the last axis by BLAS, which adds up several times faster than NumPy."""
    n = x.shape[-1]
    return np.matmul(x, (ones_of if n <= 4096 else np.ones)(n, x.dtype))


def _dots_by_matmul(x: Any, y: Any) -> Any:
    return np.matmul(x[..., None, :], y[..., None])[..., 0, 0]


dots_of_rows: Callable[..., Any] = getattr(np, "vecdot", _dots_by_matmul)  # Σ x y along the last axis; not in NumPy 1


def _sum_forward(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    return total(x, axes, keepdim).astype(x.dtype, copy=False)


_sum = row("sum", quiet(_sum_forward), x=lambda g, shape, axes: spread(g, shape, axes))


def summable(input: Tensor, dtype: Any) -> Tensor:
    """The input in the type to add up in: `dtype` if given, int64 for whole numbers and bools."""
    if dtype is not None:
        return in_type(input, to_numpy_dtype(dtype))
    return in_type(input, np.dtype(np.int64)) if input._array.dtype.kind in "biu" else input


@public
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of all elements, or along `dim`. Integers and bools add up in int64, float16 in float32.

    Errors: IndexError for a dimension out of range. Source: PyTorch's `torch.sum`.

    >>> from mini_torch import ones
    >>> ones(2, 3).sum(1)
    tensor([3., 3.])
    """
    return _sum(summable(input, dtype), axes_of(dim, input._array.ndim), keepdim)


_nansum = row(
    "nansum", quiet(lambda x, axes, keepdim: _sum_forward(np.where(np.isnan(x), x.dtype.type(0), x), axes, keepdim)),
    x=lambda g, x, shape, axes: np.where(np.isnan(x), *(spread(d, shape, axes) for d in (np.zeros_like(g), g))),
)  # fmt: skip


@public
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """`sum` with NaN counted as 0. Errors: RuntimeError for complex numbers. Source: PyTorch's `torch.nansum`."""
    if input._array.dtype.kind == "c":
        raise RuntimeError(f"nansum on CPU does not support complex inputs, got {input.dtype}")
    if input._array.dtype.kind not in "fV":
        return sum(input, dim, keepdim, dtype=dtype)
    return _nansum(summable(input, dtype), axes_of(dim, input._array.ndim), keepdim)


# ---- means -----------------------------------------------------------------------------------------------------------
def _mean_forward(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    sums = total(x, axes, keepdim)
    return np.divide(sums, count_of(x.shape, axes), dtype=sums.dtype).astype(x.dtype, copy=False)


_mean = row(
    "mean", quiet(_mean_forward),
    x=lambda g, shape, axes: spread(g / builtins.max(count_of(shape, axes), 1), shape, axes),
)  # fmt: skip


@public
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all elements, or along `dim`.

    Errors: RuntimeError for integers (convert first, or give `dtype`). Source: PyTorch's `torch.mean`.
    """
    if dtype is not None:
        input = in_type(input, to_numpy_dtype(dtype))
    if input._array.dtype.kind not in "fcV":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {type_name(input._array.dtype)}"
        )
    return _mean(input, axes_of(dim, input._array.ndim), keepdim)


@public
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """`mean` of what is not NaN. Errors: RuntimeError for integers. Source: PyTorch's `torch.nanmean`."""
    if input._array.dtype.kind not in "fcV":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{type_name(input._array.dtype)}"
        )
    return nansum(input, dim, keepdim, dtype=dtype) / sum(input == input, dim, keepdim)


# ---- logarithms of sums ----------------------------------------------------------------------------------------------
def _logsumexp_forward(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    if any_zero(x.shape, axes):
        return np.log(np.add.reduce(x, axis=axes, keepdims=keepdim))
    peak = np.maximum.reduce(np.real(x), axis=axes, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0).astype(peak.dtype)
    total = np.add.reduce(np.exp(x - peak), axis=axes, dtype=wide_type(x.dtype), keepdims=True)
    out = (np.log(total) + peak).astype(x.dtype, copy=False)
    return out if keepdim else np.squeeze(out, axes)


def _logsumexp_rule(g: Any, x: Any, out: Any, axes: tuple[int, ...]) -> Any:
    n = len(x.shape)
    out = keep(out, n, axes)
    return keep(g, n, axes) * np.exp(x - np.where(np.isinf(out), 0.0, out))


_logsumexp = row("logsumexp", quiet(_logsumexp_forward), x=_logsumexp_rule)


@public
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ along `dim`, without overflow. Source: PyTorch's `torch.logsumexp`."""
    return _logsumexp(floating(input), axes_of(dim, input._array.ndim), keepdim)


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
implements(np.sum, (np.add, "reduce"))(
    numpy_reduction(lambda a, axis, keepdims: _sum(a, axes_of(axis, a._array.ndim), keepdims))
)
implements(np.mean)(numpy_reduction(mean))
