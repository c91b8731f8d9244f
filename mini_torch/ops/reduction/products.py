"""Products, whole and running. Their gradients are right with zeros among the factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import implements, public, quiet, row
from ...tensor import Tensor, check_dim
from .running import accumulated, install_inplace, running
from .sums import summable

__all__ = ["cumprod", "prod"]


def _others_product(x: Any, axis: int) -> Any:
    """Along `axis`, for each element the product of all others, right with zeros among them."""
    ones = np.ones_like(x[(slice(None),) * axis + (slice(0, 1),)])
    rest = (slice(None),) * axis
    before = _cumprod(np.concatenate([ones, x[(*rest, slice(0, -1))]], axis), axis)
    after = np.flip(_cumprod(np.concatenate([ones, np.flip(x, axis)[(*rest, slice(0, -1))]], axis), axis), axis)
    return before * after


def _sum_back(x: Any, axis: int) -> Any:
    """For each element the sum of it and all behind it."""
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def _cumprod_rule(g: Any, x: Any, axis: int) -> Any:
    """dL/dx_i = Σ_{j≥i} g_j Π_{k≤j, k≠i} x_k: the products over x_i, where that is not 0."""
    data = x._array if isinstance(x, Tensor) else x
    if data.all():
        return _sum_back(g * _cumprod(x, axis), axis) / x
    return _cumprod_rule_in_steps(g, x, axis) if isinstance(x, Tensor) else _at_zeros(g, x, axis)


def _at_zeros(g: Any, x: Any, axis: int) -> Any:
    """Up to the first zero as without any; at it, with 1 in its place; behind it there is always another factor 0."""
    zeros = np.cumsum(x == 0, axis)
    first = (x == 0) & (zeros == 1)
    before = _sum_back(g * _cumprod(x, axis), axis) / np.where(zeros == 0, x, 1)
    at_first = _sum_back(g * _cumprod(np.where(first, x.dtype.type(1), x), axis), axis)
    return np.where(zeros == 0, before, np.where(first, at_first, 0))


def _cumprod_rule_in_steps(g: Any, x: Any, axis: int) -> Any:
    """The same in n steps, which can be differentiated again at zeros, too."""
    n = x.shape[axis]
    parts = []
    for i in range(n):
        head = np.prod(x[(slice(None),) * axis + (slice(0, i),)], axis=axis, keepdims=True)
        rest = x[(slice(None),) * axis + (slice(i + 1, n),)]
        tail = _cumprod(np.concatenate([head, rest], axis), axis)
        parts.append(np.sum(tail * g[(slice(None),) * axis + (slice(i, n),)], axis=axis, keepdims=True))
    return np.concatenate(parts, axis) if parts else g * x


_cumprod = row(
    "cumprod", quiet(lambda x, axis: accumulated(np.multiply, x, axis, x.dtype)), x=_cumprod_rule
)


def _prod_rule(g: Any, x: Any, out: Any, axis: int | None, keepdim: bool) -> Any:
    if (x._array if isinstance(x, Tensor) else x).all():  # the short way, where no factor is 0
        ratio = (out if keepdim or axis is None else np.expand_dims(out, axis)) / x
        return (g if keepdim or axis is None else np.expand_dims(g, axis)) * ratio
    if axis is None:
        flat = np.reshape(x, (-1,))
        return np.reshape(g * _others_product(flat, 0), x.shape)
    g = g if keepdim else np.expand_dims(g, axis)
    return g * _others_product(x, axis)


def _prod_forward(x: Any, axis: int | None, keepdim: bool) -> Any:
    """NumPy multiplies along the last axis one by one: half of it times the other half, again and again, instead."""
    if axis is None and not keepdim and x.flags.c_contiguous:
        x = x.reshape(-1)  # so that the halves are long
    if x.ndim and axis in (None, x.ndim - 1) and x.dtype.kind in "fc":
        while x.shape[-1] >= 64:
            x = _halves_product(x)
        if x.size > 4096:
            x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1)  # what is left, all rows side by side
    return np.multiply.reduce(x, axis=axis, dtype=x.dtype, keepdims=keepdim)


def _halves_product(x: Any) -> Any:
    h = x.shape[-1] // 2
    out = np.einsum("...i,...i->...i", x[..., :h], x[..., h : 2 * h])  # a loop over short rows costs `*` more
    if x.shape[-1] % 2:
        out[..., 0] *= x[..., -1]
    return out


_prod = row("prod", quiet(_prod_forward), x=_prod_rule)


@public
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The product of all elements, or along one `dim`. Integers and bools multiply in int64.

    Source: PyTorch's `torch.prod`.
    """
    input = summable(input, dtype)
    if dim is not None and not input._array.ndim:
        check_dim(dim, 0)
        dim = None
    return _prod(input, None if dim is None else check_dim(dim, input._array.ndim), keepdim)


@public
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running products along `dim`. Source: PyTorch's `torch.cumprod`."""
    return running(_cumprod, input, dim, dtype)


install_inplace(cumprod)


@implements(np.prod, (np.multiply, "reduce"))
def _numpy_prod(
    a: Tensor, axis: int | None = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Tensor:
    return prod(a, axis, keepdims)


@implements((np.multiply, "accumulate"), np.cumprod)
def _numpy_cumprod(a: Tensor, axis: int = 0, dtype: Any = None, out: Any = None) -> Tensor:
    return cumprod(a, axis)
