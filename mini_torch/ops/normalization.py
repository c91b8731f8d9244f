"""What brings a dimension to a scale: softmax and its relatives, layer normalisation, division by a norm."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtype import to_numpy_dtype
from ..op import cast, public, row
from ..random import default_generator
from ..tensor import Tensor, check_dim, wrap
from .activation import need_floats
from .reduction import norm
from .special import keeps_type

__all__ = ["gumbel_softmax", "layer_norm", "log_softmax", "normalize", "softmax", "softmin"]


def _softmax_forward(x: Any, dim: int) -> Any:
    if not x.size:
        return x.copy()
    e = np.exp(x - np.maximum.reduce(x, axis=dim, keepdims=True))  # each row's own maximum: no overflow
    return e / np.add.reduce(e, axis=dim, keepdims=True)


def _log_softmax_forward(x: Any, dim: int) -> Any:
    if not x.size:
        return x.copy()
    z = x - np.maximum.reduce(x, axis=dim, keepdims=True)
    return z - np.log(np.add.reduce(np.exp(z), axis=dim, keepdims=True))


softmax_row = row(
    "softmax", _softmax_forward,
    x=lambda g, out, dim: out * (g - np.add.reduce(g * out, axis=dim, keepdims=True)),
)  # fmt: skip
log_softmax_row = row(
    "log_softmax", _log_softmax_forward,
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
    need_floats(input, name)
    return input, check_dim(dim, input._array.ndim)


@public
def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) along `dim`, divided by its sum. Right for numbers of any size.

    Errors: IndexError for a dimension out of range. Source: PyTorch's `nn.functional.softmax`.

    >>> from mini_torch import tensor
    >>> softmax(tensor([1000., 1000.]), dim=0)
    tensor([0.5000, 0.5000])
    """
    input, axis = _prepared(input, dim, dtype, "softmax", _stacklevel)
    return softmax_row(input, axis) if input._array.ndim else input * 0 + 1


@public
def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """ln softmax(x), right also where softmax is 0. Source: PyTorch's `nn.functional.log_softmax`.

    >>> from mini_torch import tensor
    >>> log_softmax(tensor([1000., 0.]), dim=0)
    tensor([    0., -1000.])
    """
    input, axis = _prepared(input, dim, dtype, "log_softmax", _stacklevel)
    return log_softmax_row(input, axis) if input._array.ndim else input * 0


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x). Source: PyTorch's `nn.functional.softmin`."""
    input, axis = _prepared(input, dim, dtype, "softmin", _stacklevel)
    return softmax(-input, axis)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A softened random choice by `logits`: the softmax of (logits + Gumbel noise) / tau.

    With `hard` the result is one-hot, and the gradient is that of the softened one. Source: Jang et al. 2016;
    PyTorch's `nn.functional.gumbel_softmax`.
    """
    noise = -np.log(default_generator.exponential(logits._array.shape, dtype=logits._array.dtype))
    soft = softmax((logits + wrap(noise)) / tau, dim)
    if not hard:
        return soft
    axis = check_dim(dim, soft._array.ndim)
    best = np.expand_dims(np.argmax(soft._array, axis), axis)
    one_hot = np.zeros_like(soft._array)
    np.put_along_axis(one_hot, best, 1, axis)
    return wrap(one_hot) - soft.detach() + soft


# ---- layer normalisation --------------------------------------------------------------------------------------------
def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    count = math.prod([x.shape[a] for a in axes])
    return np.add.reduce(x, axis=axes, keepdims=True) * (1 / count if count else math.nan)


def _inverse_deviation(centred: Any, axes: tuple[int, ...], eps: float) -> Any:
    return 1 / np.sqrt(_mean(centred * centred, axes) + eps)


def _standardized_forward(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    centred = x - _mean(x, axes)
    return centred * _inverse_deviation(centred, axes, eps)


def _standardized_rule(g: Any, x: Any, out: Any, axes: tuple[int, ...], eps: float) -> Any:
    scale = _inverse_deviation(x - _mean(x, axes), axes, eps)
    return (g - _mean(g, axes) - out * _mean(g * out, axes)) * scale


_standardized = row(
    "layer_norm", keeps_type(_standardized_forward), grad_name="NativeLayerNormBackward0", x=_standardized_rule
)
_affine = row(
    "affine", lambda x, weight, bias: x * weight + bias, grad_name="NativeLayerNormBackward0", broadcasts=True,
    x=lambda g, weight: g * weight, weight=lambda g, x: g * x, bias=lambda g: g,
)  # fmt: skip


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """input brought to mean 0 and variance 1 over its last dimensions, then times `weight` plus `bias`.

    Shape: the last sizes of input, weight and bias are `normalized_shape`. Errors: RuntimeError where they are not.
    Source: Ba et al. 2016, "Layer normalization"; PyTorch's `nn.functional.layer_norm`.
    """
    wanted = tuple(normalized_shape)
    count, shape = len(wanted), input._array.shape
    if not wanted or shape[len(shape) - count :] != wanted or len(shape) < count:
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*, {', '.join(map(str, wanted))}], but "
            f"got input of size{list(shape)}"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and given._array.shape != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(given.shape)} "
                f"and normalized_shape = {list(wanted)}"
            )
    need_floats(input, "LayerNormKernelImpl")
    out = _standardized(input, tuple(range(len(shape) - count, len(shape))), eps)
    if weight is not None and bias is not None:
        return _affine(out, weight, bias)
    if weight is None:
        return out if bias is None else out + bias
    return out * weight


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its p-norm along `dim`, or by `eps` where that is larger.

    Source: PyTorch's `nn.functional.normalize`.
    """
    length = norm(input, p, dim, keepdim=True).clamp(min=eps)
    return input / length
