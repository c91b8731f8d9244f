"""Variances and standard deviations."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ...op import implements, need_float32, public, quiet, row
from ...tensor import Tensor
from .axes import Dims, axes_of, count_of, keep, wide_type
from .sums import mean, total

__all__ = ["std", "std_mean", "var", "var_mean"]


def _var_forward(x: Any, axes: tuple[int, ...], correction: float, keepdim: bool) -> Any:
    n, wide = count_of(x.shape, axes), wide_type(x.dtype)
    centred = x - np.divide(total(x, axes, True), n, dtype=wide)
    squares = np.square(np.abs(centred) if wide.kind == "c" else centred)
    out = total(squares, axes, keepdim)
    return np.divide(out, builtins.max(n - correction, 0), dtype=out.dtype).astype(x.real.dtype, copy=False)


def _var_rule(g: Any, x: Any, axes: tuple[int, ...], correction: float) -> Any:
    n = count_of(x.shape, axes)
    centred = x - np.add.reduce(x, axis=axes, keepdims=True) / n
    scale = 2.0 / (n - correction) if n > correction else math.nan
    return keep(g, len(x.shape), axes) * (centred * scale)


_var = row("var", quiet(_var_forward), x=_var_rule, holomorphic=False)


@public
def var(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> Tensor:  # fmt: skip
    """The variance: mean squared distance from the mean, divided by n − correction (1 unless given).

    Errors: RuntimeError for integers. Source: PyTorch's `torch.var`.
    """
    if isinstance(dim, bool):  # var(x, False): the old form
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    if input._array.dtype.kind not in "fc":
        need_float32("std_cpu", input)
        raise RuntimeError(f"std and var only support floating point and complex dtypes, not {input.dtype}")
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


def _and_mean(
    core: Any, input: Tensor, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> tuple[Tensor, Tensor]:
    spread = core(input, dim, unbiased, keepdim, correction=correction)
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@public(method=False)
def var_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(variance, mean). Source: PyTorch's `torch.var_mean`."""
    return _and_mean(var, input, dim, unbiased, keepdim, correction)


@public(method=False)
def std_mean(
    input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(standard deviation, mean). Source: PyTorch's `torch.std_mean`."""
    return _and_mean(std, input, dim, unbiased, keepdim, correction)


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
