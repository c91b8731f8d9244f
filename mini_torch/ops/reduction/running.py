"""Running sums, plain and of exponentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import implements, inplace, public, quiet, refused, row
from ...tensor import Tensor, check_dim, method
from .axes import wide_type
from .sums import summable

__all__ = ["cumsum", "logcumsumexp"]


def running(core: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    """`core(x, axis)` along `dim`, in the type of a sum."""
    input = summable(input, dtype)
    axis = check_dim(dim, input._array.ndim)
    return core(input, axis) if input._array.ndim else input.clone()


def install_inplace(function: Callable[..., Any]) -> None:
    """The in-place method of a running operation: in the tensor's own type."""
    in_place = inplace(function)

    def method_of(self: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
        if self._array.dtype.kind == "b" and self._array.ndim and self._array.size:
            raise refused(f"{function.__name__}_out_cpu", self._array.dtype)
        return in_place(self, dim, dtype=self.dtype)

    method(f"{function.__name__}_", method_of)


def accumulated(ufunc: Any, x: Any, axis: int, kind: np.dtype[Any]) -> Any:
    """`ufunc.accumulate`; slice by slice where these are long: up to forty times as fast as NumPy's one by one."""
    n = x.shape[axis]
    if axis == x.ndim - 1 or x.size < 256 * n:
        return ufunc.accumulate(x, axis=axis, dtype=kind)
    out = np.empty(x.shape, kind)
    from_front, to_front = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
    to_front[:1] = from_front[:1]
    for i in range(1, n):
        ufunc(to_front[i - 1], from_front[i], out=to_front[i])
    return out


# ---- sums ------------------------------------------------------------------------------------------------------------
_LARGE, _WIDTHS = 32768, (20, 16, 25, 32, 40, 50)


def _in_blocks(x: Any, backwards: bool) -> Any:
    """Running sums along the last axis; `backwards`, for each element the sum of it and all behind it.

    Within short blocks they are a product with a triangle of ones, which BLAS computes in half the time of NumPy's
    loop. None where no block fits, or where an infinity, which times 0 is NaN, spoils it.
    """
    n = x.shape[-1]
    w = next((w for w in _WIDTHS if n % w == 0), None)
    if w is None or x.size < _LARGE or x.dtype.kind != "f" or x.dtype.itemsize < 4 or not x.flags.c_contiguous:
        return None
    ones = np.tri(w, dtype=x.dtype)
    sums = (x.reshape(-1, w) @ (ones if backwards else ones.T)).reshape(-1, n // w, w)
    if backwards:
        totals = np.add.accumulate(sums[:, ::-1, 0], axis=1)
        np.add(sums[:, :-1], totals[:, -2::-1, None], out=sums[:, :-1])
    else:
        totals = np.add.accumulate(sums[:, :, -1], axis=1)
        np.add(sums[:, 1:], totals[:, :-1, None], out=sums[:, 1:])
    return sums.reshape(x.shape) if np.isfinite(totals[:, -1]).all() else None


def _cumsum_forward(x: Any, axis: int) -> Any:
    out = _in_blocks(x, False) if axis == x.ndim - 1 else None
    return accumulated(np.add, x, axis, wide_type(x.dtype)).astype(x.dtype, copy=False) if out is None else out


def _cumsum_rule(g: Any, axis: int) -> Any:
    out = _in_blocks(g, True) if isinstance(g, np.ndarray) and axis == g.ndim - 1 else None
    return np.flip(_cumsum(np.flip(g, axis), axis), axis) if out is None else out


_cumsum: Callable[..., Any] = row("cumsum", quiet(_cumsum_forward), x=_cumsum_rule)


@public
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sums along `dim`. Integers and bools add up in int64. Source: PyTorch's `torch.cumsum`."""
    return running(_cumsum, input, dim, dtype)


install_inplace(cumsum)


@implements((np.add, "accumulate"), np.cumsum)
def _numpy_cumsum(a: Tensor, axis: int = 0, dtype: Any = None, out: Any = None) -> Tensor:
    return cumsum(a, axis)


# ---- logarithms of sums of exponentials ------------------------------------------------------------------------------
def _logcumsumexp_forward(x: Any, axis: int) -> Any:
    if x.dtype.kind == "f":
        return np.logaddexp.accumulate(x, axis=axis)
    out = x.copy()
    slices = np.moveaxis(out, axis, 0)
    for k in range(1, len(slices)):
        slices[k] = _add_exponentials(slices[k - 1], slices[k])
    return out


def _add_exponentials(a: Any, b: Any) -> Any:
    """ln(eᵃ + eᵇ) of complex numbers; imaginary parts go on beyond π, as PyTorch's."""
    top, low = np.where(a.real < b.real, b, a), np.where(a.real < b.real, a, b)
    return np.where(low.real == -np.inf, top, top + np.log1p(np.exp(low - top)))


def _logcumsumexp_rule(g: Any, x: Any, out: Any, axis: int) -> Any:
    """Σ_{j≥i} g_j exp(x_i − out_j), where sums are taken of logarithms, apart for g above and below 0."""
    if np.iscomplexobj(x):
        return _back(np.where(g == 0, -np.inf, np.log(np.where(g == 0, 1.0, g))) - out, x, axis)
    out = np.where(out == -np.inf, 0.0, out)  # no x up to there is finite: exp(x) is 0 all the same
    size = np.log(np.where(g == 0, 1.0, np.abs(g)))
    above = np.where(g > 0, size, -np.inf) - out
    below = np.where(g < 0, size, -np.inf) - out
    return _back(above, x, axis) - _back(below, x, axis)


def _back(logs: Any, x: Any, axis: int) -> Any:
    return np.exp(np.flip(_logcumsumexp(np.flip(logs, axis), axis), axis) + x)


_logcumsumexp: Callable[..., Any] = row("logcumsumexp", quiet(_logcumsumexp_forward), x=_logcumsumexp_rule)


@public
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """ln of the running sums of eˣ along `dim`, without overflow. Source: PyTorch's `torch.logcumsumexp`."""
    axis = check_dim(dim, input._array.ndim)
    if input._array.dtype.kind in "biu":
        raise refused("logcumsumexp_out_cpu", input._array.dtype)
    return _logcumsumexp(input, axis) if input._array.ndim else input.clone()
