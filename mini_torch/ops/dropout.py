"""Dropout: random zeros in training. Source: Srivastava et al. 2014; Hinton et al. 2012."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..memory import order_of
from ..op import check_writable, overwrite, takes_out, type_name
from ..random.generator import by_memory, default_generator, draw_by
from ..tensor import Tensor, wrap

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

Shape = tuple[int, ...] | None

_ALPHA = 1.7580993408473766  # selu's limit for x → -∞, positive


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def kept_elements(input: Tensor, shape: Shape, p: float) -> Any:
    """True where an element stays, with probability 1 - p. `shape` None: like the input, and in its memory's order."""
    if input._array.dtype.kind == "c":
        raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{type_name(input._array.dtype)}'")
    return draw_by(_drawn, input._array, shape, p)


def _drawn(like: Any, shape: Shape, p: float) -> Any:
    kept = np.empty_like(like, bool, order_of(like)) if shape is None else np.empty(shape, bool)
    by_memory(kept)[...] = default_generator.bernoulli(by_memory(kept).shape, 1 - p)
    return kept


def _scaled_mask(input: Tensor, shape: Shape, p: float) -> Tensor:
    kind = input._array.dtype
    if kind.kind in "biu":
        raise RuntimeError(f"result type Float can't be cast to the desired output type {type_name(kind)}")
    scale = np.result_type(kind, np.float32).type(1 - p)  # of float16, too, PyTorch divides in float32
    return wrap((kept_elements(input, shape, p) / scale).astype(kind, copy=False))


def _finish(input: Tensor, out: Tensor, inplace: bool) -> Tensor:
    if not inplace:
        return out
    check_writable(input)
    return overwrite(input, out)


def _drop(input: Tensor, shape: Shape, p: float, training: bool, inplace: bool) -> Tensor:
    _check(p)
    if not training or p == 0 or not input._array.size:
        return input
    out = input * 0.0 if p == 1 else input * _scaled_mask(input, shape, p)
    return _finish(input, out, inplace)


@takes_out
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, each element becomes 0 with probability p and is divided by 1 - p otherwise.

    Errors: ValueError unless 0 ≤ p ≤ 1. Source: PyTorch's `nn.functional.dropout`.
    """
    return _drop(input, None, p, training, inplace)


def _need_channels(input: Tensor, p: float, training: bool) -> None:
    if input._array.ndim < 2 and training and 0 < p < 1 and input._array.size:
        raise RuntimeError(
            f"Feature dropout requires at least 2 dimensions in the input, got the shape {list(input._array.shape)}"
        )


def drop_channels(input: Tensor, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    """Whole channels become 0: dimension 1, or dimension 0 where there is no batch."""
    _check(p)
    if batched:
        _need_channels(input, p, training)
    lead = 2 if batched else 1
    shape = input._array.shape[:lead] + (1,) * (input._array.ndim - lead)
    return _drop(input, shape, p, training, inplace)


@takes_out
def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L). Source: PyTorch's `nn.functional.dropout1d`."""
    _check(p)
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input._array.ndim}D input. Note that dropout1d "
            "exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an "
            "optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return drop_channels(input, p, training, inplace, input._array.ndim == 3)


@takes_out
def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, H, W). Source: PyTorch's `nn.functional.dropout2d`."""
    _check(p)
    ndim = input._array.ndim
    if ndim not in (3, 4):
        _warn_of_dims("dropout2d", ndim, "2 spatial dimensions", "3D or 4D")
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. To keep this, please use dropout1d "
            "instead.",
            stacklevel=3,
        )
    return drop_channels(input, p, training, inplace, True)


def _warn_of_dims(name: str, ndim: int, what: str, dims: str) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. {name} is for inputs "
        f"with {what}, a channel dimension, and an optional batch dimension (i.e. {dims} inputs).",
        stacklevel=4,
    )


@takes_out
def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W). Source: PyTorch's `nn.functional.dropout3d`."""
    _check(p)
    if input._array.ndim not in (4, 5):
        _warn_of_dims("dropout3d", input._array.ndim, "3 spatial dimensions", "4D or 5D")
    return drop_channels(input, p, training, inplace, input._array.ndim == 5)


def _alpha_drop(input: Tensor, shape: Shape, p: float, training: bool, inplace: bool) -> Tensor:
    _check(p)
    if not training or p == 0 or not input._array.size:
        return input
    if p == 1:
        return _finish(input, input * 0.0, inplace)
    kind = input._array.dtype
    a = 1 / ((_ALPHA**2 * p + 1) * (1 - p)) ** 0.5
    kept = kept_elements(input, shape, p).astype(kind)
    shift = (kept - 1) * kind.type(_ALPHA * a) + kind.type(_ALPHA * a * p)
    return _finish(input, input * wrap(kept * kind.type(a)) + wrap(shift), inplace)


@takes_out
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for networks of selu: dropped elements take selu's lower limit; mean and variance stay.

    Source: Klambauer et al. 2017; PyTorch's `nn.functional.alpha_dropout`.
    """
    return _alpha_drop(input, None, p, training, inplace)


@takes_out
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """`alpha_dropout` of whole channels (dimension 1). Source: PyTorch's `nn.functional.feature_alpha_dropout`."""
    _check(p)
    _need_channels(input, p, training)
    shape = input._array.shape[:2] + (1,) * max(input._array.ndim - 2, 0)
    return _alpha_drop(input, shape, p, training, inplace)
