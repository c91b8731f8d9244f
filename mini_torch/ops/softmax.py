"""Softmax and its relatives: what makes of numbers along a dimension the probabilities of a choice."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..dtype import to_numpy_dtype
from ..op import cast, keeps_type, quiet, row, takes_out
from ..random import default_generator
from ..tensor import Tensor, check_dim, wrap
from .activation import need_reals

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def _softmax_forward(x: Any, dim: int) -> Any:
    if not x.size:
        return x.copy()
    e = x - np.maximum.reduce(x, axis=dim, keepdims=True)  # each row's own maximum: no overflow
    np.exp(e, out=e)
    return np.divide(e, np.add.reduce(e, axis=dim, keepdims=True), out=e)


def _log_softmax_forward(x: Any, dim: int) -> Any:
    if not x.size:
        return x.copy()
    z = x - np.maximum.reduce(x, axis=dim, keepdims=True)
    total = np.add.reduce(np.exp(z), axis=dim, keepdims=True)
    return np.subtract(z, np.log(total), out=z)


softmax_row = row(
    "softmax", quiet(keeps_type(_softmax_forward)),
    x=lambda g, out, dim: out * (g - np.add.reduce(g * out, axis=dim, keepdims=True)),
)  # fmt: skip
log_softmax_row = row(
    "log_softmax", quiet(keeps_type(_log_softmax_forward)),
    x=lambda g, out, dim: g - np.exp(out) * np.add.reduce(g, axis=dim, keepdims=True),
)  # fmt: skip


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
