"""Softmax and its relatives: what makes of numbers along a dimension the probabilities of a choice."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..dtype import to_numpy_dtype
from ..op import cast, keeps_type, need_float32, quiet, row, takes_out
from ..random import default_generator
from ..tensor import Tensor, check_dim, wrap
from .activation import need_reals
from .reduction.sums import sums_of_rows

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


_PIECE = 1 << 18  # bytes
_FEW = 1 << 12
FAR = 40.0  # exp(±40), and sums of many of them, are far from the limits of float32


def needs_no_shift(x: Any) -> bool:
    """Whether exp of these numbers neither overflows nor vanishes, so that softmax may take them as they are."""
    return bool(np.minimum.reduce(x, axis=None) > -FAR and np.maximum.reduce(x, axis=None) < FAR)


def _pieces(x: Any) -> Iterator[slice]:
    """Slices of the rows of x (R, n), each about as large as the cache likes it."""
    step = max(_PIECE // (x.shape[1] * x.itemsize), 1) if x.nbytes > 2 * _PIECE else len(x)
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def _by_rows(kernel: Callable[..., None]) -> Callable[..., Any]:
    """kernel(*arrays, dim, out) as a function of arrays and dim: large ones in pieces that stay in the cache."""

    def whole(*args: Any) -> Any:
        *arrays, dim = args
        first = arrays[0]
        out = np.empty_like(first)
        if not first.size:
            return out
        alike = all(x.shape == first.shape and x.flags.c_contiguous for x in arrays)
        if dim < first.ndim - 1 or first.ndim == 1 or not alike:
            kernel(*arrays, dim, out)
            return out
        rows = [x.reshape(-1, first.shape[-1]) for x in (*arrays, out)]
        for i in _pieces(rows[0]):
            kernel(*[x[i] for x in rows[:-1]], 1, rows[-1][i])
        return out

    return whole


def _sums(x: Any, dim: int) -> Any:
    """Σ x along `dim`, which stays."""
    if x.ndim == 2 and dim == 1 and x.dtype.itemsize > 2:
        return sums_of_rows(x)[:, None]
    return np.add.reduce(x, axis=dim, keepdims=True)


def _exp_into(out: Any, x: Any, dim: int) -> Any:
    """exp(x - shift) in `out`, and the shift of each row: its own maximum, or None where none is as good."""
    if x.size > _FEW and needs_no_shift(x):
        np.exp(x, out=out)
        return None
    peak = np.maximum.reduce(x, axis=dim, keepdims=True)
    np.subtract(x, peak, out=out)
    np.exp(out, out=out)
    return peak


@_by_rows
def _softmax_forward(x: Any, dim: int, out: Any) -> None:
    _exp_into(out, x, dim)
    out /= _sums(out, dim)


@_by_rows
def _softmax_pull(g: Any, y: Any, dim: int, out: Any) -> None:
    """y (g - Σ g y)"""
    np.multiply(g, y, out=out)
    np.subtract(g, _sums(out, dim), out=out)
    out *= y


@_by_rows
def _log_softmax_forward(x: Any, dim: int, out: Any) -> None:
    peak = _exp_into(out, x, dim)
    logs = np.log(_sums(out, dim))
    if peak is None:
        np.subtract(x, logs, out=out)
    else:  # in two steps, lest the logarithm be lost beside a large maximum
        np.subtract(x, peak, out=out)
        out -= logs


@_by_rows
def _log_softmax_pull(g: Any, y: Any, dim: int, out: Any) -> None:
    """g - exp(y) Σ g"""
    np.exp(y, out=out)
    out *= _sums(g, dim)
    np.subtract(g, out, out=out)


def log_sum_exp(x: Any) -> tuple[Any, Any]:
    """Of each row of x (R, n): a number p near its maximum, or 0, and ln Σ exp(x - p). (Their sum would be rounded.)"""
    peaks, logs = np.zeros(len(x), x.dtype), np.empty(len(x), x.dtype)
    for i in _pieces(x):
        place = np.empty_like(x[i])
        peak = _exp_into(place, x[i], 1)
        np.log(sums_of_rows(place), out=logs[i])
        if peak is not None:
            peaks[i] = peak[:, 0]
    return peaks, logs


def softmax_of(x: Any, peaks: Any, logs: Any, weight: Any) -> Any:
    """The softmax of each row of x (R, n) times that row's weight; the rest is from `log_sum_exp`."""
    out = np.empty_like(x)
    for i in _pieces(x):
        if peaks[i].any():
            np.subtract(x[i], peaks[i, None], out=out[i])
            out[i] -= logs[i, None]
        else:
            np.subtract(x[i], logs[i, None], out=out[i])
        np.exp(out[i], out=out[i])
        out[i] *= weight[i, None]
    return out


# Of few numbers, the plain formulas take the fewest calls; they are also what is recorded of tensors.
def _softmax(x: Any, dim: int) -> Any:
    if x.size > _FEW or not x.size:
        return _softmax_forward(x, dim)
    e = np.exp(x - np.maximum.reduce(x, axis=dim, keepdims=True))  # each row's own maximum: no overflow
    return np.divide(e, np.add.reduce(e, axis=dim, keepdims=True), out=e)


def _log_softmax(x: Any, dim: int) -> Any:
    if x.size > _FEW or not x.size:
        return _log_softmax_forward(x, dim)
    z = x - np.maximum.reduce(x, axis=dim, keepdims=True)
    return np.subtract(z, np.log(np.add.reduce(np.exp(z), axis=dim, keepdims=True)), out=z)


def _softmax_rule(g: Any, out: Any, dim: int) -> Any:
    if type(g) is np.ndarray and g.size > _FEW:
        return _softmax_pull(g, out, dim)
    return out * (g - np.add.reduce(g * out, axis=dim, keepdims=True))


def _log_softmax_rule(g: Any, out: Any, dim: int) -> Any:
    if type(g) is np.ndarray and g.size > _FEW:
        return _log_softmax_pull(g, out, dim)
    return g - np.exp(out) * np.add.reduce(g, axis=dim, keepdims=True)


softmax_row = row("softmax", quiet(keeps_type(_softmax)), x=_softmax_rule)
log_softmax_row = row("log_softmax", quiet(keeps_type(_log_softmax)), x=_log_softmax_rule)


def _prepared(input: Tensor, dim: int | None, dtype: Any, name: str, stacklevel: int) -> tuple[Tensor, int]:
    """The input in its type, with a dimension of at least 1, and the dimension counted from the front."""
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
            "argument.",
            stacklevel=stacklevel + 1,
        )
        dim = 0 if input._array.ndim in (0, 1, 3) else 1
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    need_reals(input, f"{name}_lastdim_kernel_impl")
    return input, check_dim(dim, input._array.ndim)


@takes_out
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) along `dim`, divided by its sum. Right for numbers of any size.

    Errors: IndexError for a dimension out of range. Source: PyTorch's `nn.functional.softmax`.

    >>> from mini_torch import tensor
    >>> softmax(tensor([1000., 1000.]), dim=0)
    tensor([0.5000, 0.5000])
    """
    input, axis = _prepared(input, dim, dtype, "softmax", _stacklevel)
    return softmax_row(input, axis) if input._array.ndim else input * 0 + 1


@takes_out
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """ln softmax(x), right also where softmax is 0. Source: PyTorch's `nn.functional.log_softmax`.

    >>> from mini_torch import tensor
    >>> log_softmax(tensor([1000., 0.]), dim=0)
    tensor([    0., -1000.])
    """
    input, axis = _prepared(input, dim, dtype, "log_softmax", _stacklevel)
    return log_softmax_row(input, axis) if input._array.ndim else input * 0


@takes_out
def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x). Source: PyTorch's `nn.functional.softmin`."""
    input, axis = _prepared(-input, dim, dtype, "softmin", _stacklevel)
    return softmax(input, axis)


@takes_out
def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A softened random choice by `logits`: the softmax of (logits + Gumbel noise) / tau.

    With `hard` the result is one-hot, and the gradient is that of the softened one. Source: Jang et al. 2016;
    PyTorch's `nn.functional.gumbel_softmax`.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    need_float32("exponential", logits)
    if logits._array.dtype.kind != "f":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {logits.dtype}"
        )
    noise = -np.log(default_generator.exponential(logits._array.shape, dtype=logits._array.dtype))
    soft = softmax((logits + wrap(noise)) / tau, dim)
    if not hard:
        return soft
    axis = check_dim(dim, soft._array.ndim)
    best = np.expand_dims(np.argmax(soft._array, axis), axis)
    one_hot = np.zeros_like(soft._array)
    np.put_along_axis(one_hot, best, 1, axis)
    return wrap(one_hot) - soft.detach() + soft
