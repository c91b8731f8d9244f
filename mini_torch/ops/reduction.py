"""Sums, means and counts along dimensions, and running sums."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, to_numpy_dtype
from ..op import cast, implements, public, quiet, row, type_name
from ..tensor import Tensor, check_dim, wrap
from .elementwise import where

__all__ = [
    "all", "any", "bincount", "count_nonzero", "cumprod", "cumsum", "logsumexp", "mean", "nanmean", "nansum",
    "prod", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip

Dims = int | tuple[int, ...] | list[int] | None


def axes_of(dim: Dims, ndim: int) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front: all for None or ()."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, int):
        return (check_dim(dim, ndim),) if ndim else (check_dim(dim, 0),)[:0]
    axes = tuple(check_dim(d, ndim) for d in dim)
    if len(set(axes)) != len(axes):
        raise RuntimeError(
            f"dim {next(d for d in axes if axes.count(d) > 1)} appears multiple times in the list of dims"
        )
    return axes if axes and ndim else tuple(range(ndim))


def spread(g: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """A reduction's gradient, repeated to the shape before it. The adjoint of a sum over `axes`."""
    if len(g.shape) != len(shape):
        g = np.reshape(g, tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return np.broadcast_to(g, shape)


def keep(x: Any, ndim: int, axes: tuple[int, ...]) -> Any:
    """A reduction's result with the reduced axes back in as 1."""
    if len(x.shape) == ndim:
        return x
    rest = iter(x.shape)
    return np.reshape(x, tuple([1 if i in axes else next(rest) for i in range(ndim)]))


# ---- sums and means --------------------------------------------------------------------------------------------------
_sum = row(
    "sum", lambda x, axes, keepdim: np.add.reduce(x, axis=axes, keepdims=keepdim),
    x=lambda g, shape, axes: spread(g, shape, axes),
)  # fmt: skip


def _mean_forward(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    total = np.add.reduce(x, axis=axes, keepdims=keepdim)
    return np.divide(total, _count(x.shape, axes), dtype=x.dtype)


def _count(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    return math.prod([shape[a] for a in axes])


_mean = row(
    "mean", quiet(_mean_forward), x=lambda g, shape, axes: spread(g / builtins.max(_count(shape, axes), 1), shape, axes)
)


@public
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of all elements, or along `dim`. Integers and bools add up in int64.

    Errors: IndexError for a dimension out of range. Source: PyTorch's `torch.sum`.

    >>> from mini_torch import ones
    >>> ones(2, 3).sum(1)
    tensor([3., 3.])
    """
    if dtype is not None:
        input = _in_type(input, to_numpy_dtype(dtype))
    elif input._array.dtype.kind in "biu":
        input = _in_type(input, np.dtype(np.int64))
    return _sum(input, axes_of(dim, input._array.ndim), keepdim)


def _in_type(x: Tensor, kind: np.dtype[Any]) -> Tensor:
    return x if x._array.dtype == kind else cast(x, kind)


def _need_floats(x: Tensor, name: str) -> None:
    if x._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {_type_title(x)}"
        )


def _type_title(x: Tensor) -> str:
    return type_name(x._array.dtype)


@public
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of all elements, or along `dim`.

    Errors: RuntimeError for integers (convert first, or give `dtype`). Source: PyTorch's `torch.mean`.
    """
    if dtype is not None:
        input = _in_type(input, to_numpy_dtype(dtype))
    _need_floats(input, "mean")
    return _mean(input, axes_of(dim, input._array.ndim), keepdim)


def _var_forward(x: Any, axes: tuple[int, ...], correction: float, keepdim: bool) -> Any:
    n = _count(x.shape, axes)
    centred = x - np.divide(np.add.reduce(x, axis=axes, keepdims=True), n, dtype=x.dtype)
    total = np.add.reduce(np.square(np.abs(centred)), axis=axes, keepdims=keepdim)
    return np.divide(total, builtins.max(n - correction, 0), dtype=total.dtype)


def _var_rule(g: Any, x: Any, axes: tuple[int, ...], correction: float) -> Any:
    n = _count(x.shape, axes)
    centred = x - np.add.reduce(x, axis=axes, keepdims=True) / n
    scale = 2.0 / (n - correction) if n > correction else math.nan
    return keep(g, len(x.shape), axes) * (centred * scale)


_var = row("var", quiet(_var_forward), x=_var_rule)


@public
def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The variance: mean squared distance from the mean, divided by n − correction (1 unless given).

    Source: PyTorch's `torch.var`.
    """
    if isinstance(dim, bool):  # var(x, False): the old form
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if input._array.dtype.kind not in "fc":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    return _var(input, axes_of(dim, input._array.ndim), correction, keepdim)


_std_of_var = row(
    "std", quiet(lambda x: np.sqrt(x)), x=lambda g, out: np.where(out == 0, 0.0, g / np.where(out == 0, 1.0, 2.0 * out))
)


@public
def std(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation, see `var`; its gradient is 0 where it is 0. Source: PyTorch's `torch.std`."""
    return _std_of_var(var(input, dim, unbiased, keepdim, correction=correction))


@public(method=False)
def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(variance, mean). Source: PyTorch's `torch.var_mean`."""
    middle = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return var(input, dim, unbiased, keepdim, correction=correction), middle


@public(method=False)
def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(standard deviation, mean). Source: PyTorch's `torch.std_mean`."""
    middle = mean(input, None if isinstance(dim, bool) else dim, keepdim)
    return std(input, dim, unbiased, keepdim, correction=correction), middle


@public
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """`sum` with NaN counted as 0. Source: PyTorch's `torch.nansum`."""
    return sum(where(input == input, input, 0), dim, keepdim, dtype=dtype)


@public
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """`mean` of what is not NaN. Source: PyTorch's `torch.nanmean`."""
    return nansum(input, dim, keepdim, dtype=dtype) / sum(input == input, dim, keepdim)


# ---- products and running sums ---------------------------------------------------------------------------------------
def _others_product(x: Any, axis: int) -> Any:
    """Along `axis`, for each element the product of all others, right with zeros among them."""
    ones = np.ones_like(x[(slice(None),) * axis + (slice(0, 1),)])
    rest = (slice(None),) * axis
    before = _cumprod(np.concatenate([ones, x[(*rest, slice(0, -1))]], axis), axis)
    after = np.flip(_cumprod(np.concatenate([ones, np.flip(x, axis)[(*rest, slice(0, -1))]], axis), axis), axis)
    return before * after


def _cumprod_rule(g: Any, x: Any, axis: int) -> Any:
    """Safe at zeros: dL/dx_i = Σ_{j≥i} g_j Π_{k≤j, k≠i} x_k, in n steps."""
    n = x.shape[axis]
    parts = []
    for i in range(n):
        head = np.prod(x[(slice(None),) * axis + (slice(0, i),)], axis=axis, keepdims=True)
        rest = x[(slice(None),) * axis + (slice(i + 1, n),)]
        tail = _cumprod(np.concatenate([head, rest], axis), axis)
        parts.append(np.sum(tail * g[(slice(None),) * axis + (slice(i, n),)], axis=axis, keepdims=True))
    return np.concatenate(parts, axis) if parts else g * x


_cumprod = row("cumprod", lambda x, axis: np.multiply.accumulate(x, axis=axis), x=_cumprod_rule)


def _prod_rule(g: Any, x: Any, axis: int | None, keepdim: bool) -> Any:
    if axis is None:
        flat = np.reshape(x, (-1,))
        return np.reshape(g * _others_product(flat, 0), x.shape)
    g = g if keepdim else np.expand_dims(g, axis)
    return g * _others_product(x, axis)


_prod = row(
    "prod", lambda x, axis, keepdim: np.multiply.reduce(x, axis=axis, keepdims=keepdim), x=_prod_rule
)


@public
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along one `dim`; the gradient is right with zeros in it.

    Source: PyTorch's `torch.prod`.
    """
    if dtype is not None:
        input = _in_type(input, to_numpy_dtype(dtype))
    elif input._array.dtype.kind in "biu":
        input = _in_type(input, np.dtype(np.int64))
    if dim is not None and not input._array.ndim:
        check_dim(dim, 0)
        dim = None
    return _prod(input, None if dim is None else check_dim(dim, input._array.ndim), keepdim)


_cumsum: Callable[..., Any] = row(
    "cumsum", lambda x, axis: np.add.accumulate(x, axis=axis),
    x=lambda g, axis: np.flip(_cumsum(np.flip(g, axis), axis), axis),
)  # fmt: skip


def _running(core: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    if dtype is not None:
        input = _in_type(input, to_numpy_dtype(dtype))
    elif input._array.dtype.kind in "biu":
        input = _in_type(input, np.dtype(np.int64))
    axis = check_dim(dim, input._array.ndim)
    return core(input, axis) if input._array.ndim else input.clone()


@public(inplace=True)
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along `dim`. Source: PyTorch's `torch.cumsum`."""
    return _running(_cumsum, input, dim, dtype)


@public(inplace=True)
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along `dim`; the gradient is right with zeros in it. Source: PyTorch's `torch.cumprod`."""
    return _running(_cumprod, input, dim, dtype)


def any_zero(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether one of the axes is empty."""
    return 0 in [shape[a] for a in axes]


# ---- logic and counting ----------------------------------------------------------------------------------------------
def _reduce_bools(input: Tensor, dim: Dims, keepdim: bool, ufunc: Any) -> Tensor:
    out = ufunc.reduce(input._array, axis=axes_of(dim, input._array.ndim), keepdims=keepdim)
    return wrap(out.astype(np.uint8) if input._array.dtype == np.uint8 else out)


@public
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true (not 0). Source: PyTorch's `torch.all`."""
    return _reduce_bools(input, dim, keepdim, np.logical_and)


@public
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true (not 0). Source: PyTorch's `torch.any`."""
    return _reduce_bools(input, dim, keepdim, np.logical_or)


@public
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements are not 0. Source: PyTorch's `torch.count_nonzero`."""
    return wrap(np.asarray(np.count_nonzero(input._array, axis=axes_of(dim, input._array.ndim) or None), np.int64))


@public
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2 … occurs. Source: PyTorch's `torch.bincount`."""
    if input._array.ndim != 1 or input._array.dtype.kind not in "iu" or (input._array < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    return wrap(np.bincount(input._array, None if weights is None else weights._array, minlength))


# ---- logarithms of sums ----------------------------------------------------------------------------------------------
def _logsumexp_forward(x: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    if any_zero(x.shape, axes):
        return np.log(np.add.reduce(x, axis=axes, keepdims=keepdim))
    peak = np.maximum.reduce(x, axis=axes, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0).astype(x.dtype)
    out = np.log(np.add.reduce(np.exp(x - peak), axis=axes, keepdims=True)) + peak
    return out if keepdim else np.squeeze(out, axes)


def _logsumexp_rule(g: Any, x: Any, out: Any, axes: tuple[int, ...]) -> Any:
    n = len(x.shape)
    out = keep(out, n, axes)
    return keep(g, n, axes) * np.exp(x - np.where(np.isinf(out), 0.0, out))


_logsumexp = row("logsumexp", quiet(_logsumexp_forward), x=_logsumexp_rule)


@public
def logsumexp(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """ln Σ eˣ along `dim`, without overflow. Source: PyTorch's `torch.logsumexp`."""
    if input._array.dtype.kind not in "fc":
        input = cast(input, default_numpy_dtype())
    return _logsumexp(input, axes_of(dim, input._array.ndim), keepdim)


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
def numpy_reduction(function: Any) -> Any:
    """NumPy's signature around a reduction `function(a, axis, keepdims)`."""

    def entry(a: Any, axis: Dims = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return function(a, axis, keepdims)

    return entry


for _names, _function in (
    ((np.sum, (np.add, "reduce")), lambda a, axis, keepdims: _sum(a, axes_of(axis, a._array.ndim), keepdims)),
    ((np.mean,), mean),
    ((np.any,), any),
    ((np.all,), all),
):  # fmt: skip
    implements(*_names)(numpy_reduction(_function))


@implements(np.prod, (np.multiply, "reduce"))
def _numpy_prod(
    a: Tensor, axis: int | None = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Tensor:
    return prod(a, axis, keepdims)


@implements((np.add, "accumulate"), np.cumsum)
def _numpy_cumsum(a: Tensor, axis: int = 0, dtype: Any = None, out: Any = None) -> Tensor:
    return cumsum(a, axis)


@implements((np.multiply, "accumulate"), np.cumprod)
def _numpy_cumprod(a: Tensor, axis: int = 0, dtype: Any = None, out: Any = None) -> Tensor:
    return cumprod(a, axis)


@implements(np.var)
def _numpy_var(
    a: Tensor, axis: Dims = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Tensor:
    return var(a, axis, keepdim=keepdims, correction=ddof)


@implements(np.std)
def _numpy_std(
    a: Tensor, axis: Dims = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False
) -> Tensor:
    return std(a, axis, keepdim=keepdims, correction=ddof)
