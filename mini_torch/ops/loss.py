"""Losses: how far a prediction is from its target. All take `reduction`: 'mean', 'sum' or 'none' (one per element).

Each is one row, its reduction included. Cross entropy is in `cross_entropy.py`; what
asks for a margin in `margin.py`; likelihoods of distributions in `likelihood.py`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..graph import verify
from ..op import as_operand, common_type, keeps_type, operands, quiet, row, takes_out, type_name
from ..tensor import Tensor
from .activation import logsigmoid_row, need_reals, sigmoid
from .elementwise import abs, log, log1p
from .reduction import mean, sum
from .shape import broadcast_shapes, broadcast_tensors

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "half_squared_error", "huber_loss", "l1_loss",
    "mse_loss", "smooth_l1_loss",
]  # fmt: skip


# ---- what they share ------------------------------------------------------------------------------------------------
def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that PyTorch's two older arguments stand for."""
    if size_average is None and reduce is None:
        return reduction
    meant = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.", stacklevel=4
    )
    return meant


def check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def as_floats(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in the floating type that they have together; RuntimeError for shapes that do not broadcast."""
    broadcast_shapes(*(x._array.shape for x in tensors))
    kind = common_type(*tensors)
    if kind.kind not in "fcV":
        kind = default_numpy_dtype()
    return tuple([as_operand(x, kind) for x in tensors])


def reduced(loss: Tensor, reduction: str) -> Tensor:
    check_reduction(reduction)
    return mean(loss) if reduction == "mean" else sum(loss) if reduction == "sum" else loss


def elementwise_loss(name: str, each: Any, *, x: Any, y: Any) -> Any:
    """The row of a loss of two equal shapes: `each` element's, or, unless `scale` is None, their sum times `scale`.

    The formulas are `each`'s; all take (g, x, y, option).
    """

    def forward(x: Any, y: Any, scale: float | None, option: Any) -> Any:
        loss = each(x, y, option)
        return loss if scale is None else np.add.reduce(loss, axis=None) * scale

    def of(formula: Any) -> Any:
        if formula is None:
            return None
        return lambda g, x, y, scale, option: formula(g if scale is None else g * scale, x, y, option)

    return row(name, quiet(keeps_type(forward)), x=of(x), y=of(y))


def applied(core: Any, input: Tensor, target: Tensor, reduction: str, option: Any = None) -> Tensor:
    check_reduction(reduction)
    if input._array.shape != target._array.shape:
        input, target = broadcast_tensors(input, target)
    if input._array.dtype != target._array.dtype:
        input, target = operands(input, target)  # type: ignore[misc]
    need_reals(input, core.__name__)
    return core(input, target, _scale(input, reduction), option)


def _scale(input: Tensor, reduction: str) -> float | None:
    """What the sum over all elements is multiplied with."""
    if reduction == "mean":
        return 1.0 / input._array.size if input._array.size else math.nan
    return 1.0 if reduction == "sum" else None


def _weighted(loss: Tensor, weight: Tensor, input: Tensor) -> Tensor:
    if weight._array.shape != input._array.shape:
        raise ValueError("Weights and input must have the same size.")
    return loss * weight


def _weighted_mean(loss: Tensor, weight: Tensor, input: Tensor, reduction: str) -> Tensor:
    weighted = _weighted(loss, weight, input)
    return sum(weighted) / sum(weight) if reduction == "mean" else reduced(weighted, reduction)


def _warn_of_size(input: Tensor, target: Tensor, stacklevel: int = 4) -> None:
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=stacklevel,
        )


# ---- squared errors --------------------------------------------------------------------------------------------------
def _scaled_squares(x: Any, y: Any, scale: float | None) -> Any:
    if scale is None:
        return np.square(x - y)
    d = np.reshape(x - y, -1)
    # np.dot adds one after the other, which is quick for a batch; long sums need np.add's pairwise order.
    return (np.dot(d, d) if d.size < 4096 else np.add.reduce(np.square(d))) * scale


def _pull(g: Any, scale: float | None) -> Any:
    return g * 2.0 if scale is None else g * (2.0 * scale)


_squared_error = row(
    "mse_loss", keeps_type(_scaled_squares), x=lambda g, x, y, scale: (x - y) * _pull(g, scale),
    y=lambda g, x, y, scale: (y - x) * _pull(g, scale),
)  # fmt: skip


def _squared(input: Tensor, target: Tensor, reduction: str, factor: float = 1.0) -> Tensor:
    x, y = input._array, target._array
    if x.shape != y.shape or x.dtype is not y.dtype or x.dtype.kind != "f":
        _warn_of_size(input, target, 5)
        input, target = broadcast_tensors(input, target)
        input, target = operands(input, target)  # type: ignore[misc]
        need_reals(input, "mse_cpu")
    check_reduction(reduction)
    scale = _scale(input, reduction)
    if scale is None:
        each = _squared_error(input, target, None)
        return each if factor == 1.0 else each * factor
    return _squared_error(input, target, scale * factor)


@takes_out
def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """(input - target)². With `weight`, of the input's size, a weighted mean.

    Warns where the sizes differ and broadcast. Source: PyTorch's `nn.functional.mse_loss`.

    >>> from mini_torch import tensor
    >>> mse_loss(tensor([1., 2.]), tensor([1., 4.]))
    tensor(2.)
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_of(size_average, reduce, reduction)
    if weight is not None:
        return _weighted_mean(_squared(input, target, "none"), weight, input, reduction)
    return _squared(input, target, reduction)


@takes_out
def half_squared_error(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)² / 2: its derivative is the plain difference.

    >>> from mini_torch import tensor
    >>> half_squared_error(tensor([1., 2.]), tensor([1., 4.]))
    tensor(1.)
    """
    return _squared(input, target, reduction, 0.5)


# ---- absolute errors ------------------------------------------------------------------------------------------------
@takes_out
def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """|input - target|; the gradient at 0 is 0. Source: PyTorch's `nn.functional.l1_loss`."""
    _warn_of_size(input, target)
    loss = abs(input - target)
    reduction = reduction_of(size_average, reduce, reduction)
    return reduced(loss, reduction) if weight is None else _weighted_mean(loss, weight, input, reduction)


def _huber_each(x: Any, y: Any, delta: float) -> Any:
    size = np.abs(x - y)
    near = np.minimum(size, delta)
    return near * (size - 0.5 * near)


def _huber_slope(g: Any, d: Any, delta: float) -> Any:
    return g * np.minimum(np.maximum(d, -delta), delta)


_huber = elementwise_loss(
    "huber_loss", _huber_each, x=lambda g, x, y, delta: _huber_slope(g, x - y, delta),
    y=lambda g, x, y, delta: _huber_slope(g, y - x, delta),
)  # fmt: skip
_smooth_l1 = elementwise_loss(
    "smooth_l1_loss", lambda x, y, beta: _huber_each(x, y, beta) / beta,
    x=lambda g, x, y, beta: _huber_slope(g / beta, x - y, beta),
    y=lambda g, x, y, beta: _huber_slope(g / beta, y - x, beta),
)  # fmt: skip


@takes_out
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the squared error where it is within `delta`, beyond that a straight line.

    Errors: RuntimeError unless delta > 0. Source: Huber 1964; PyTorch's `nn.functional.huber_loss`.
    """
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    _warn_of_size(input, target)
    if weight is not None:
        return reduced(_weighted(applied(_huber, input, target, "none", delta), weight, input), reduction)
    return applied(_huber, input, target, reduction, delta)


@takes_out
def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """The Huber loss divided by `beta`; with beta = 0 the absolute error.

    Source: Girshick 2015, "Fast R-CNN"; PyTorch's `nn.functional.smooth_l1_loss`.
    """
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    _warn_of_size(input, target)
    reduction = reduction_of(size_average, reduce, reduction)
    if not beta:
        return reduced(abs(input - target), reduction)
    return applied(_smooth_l1, input, target, reduction, beta)


# ---- two classes ----------------------------------------------------------------------------------------------------
def _bce_each(x: Any, y: Any, _: Any) -> Any:
    return (y - 1) * np.maximum(np.log1p(-x), -100) - y * np.maximum(np.log(x), -100)


_bce = elementwise_loss(
    "binary_cross_entropy", _bce_each, x=lambda g, x, y, _: g * (x - y) / np.maximum((1 - x) * x, 1e-12),
    y=lambda g, x, y, _: g * (np.maximum(log1p(-x), -100.0) - np.maximum(log(x), -100.0)),
)  # fmt: skip


@takes_out
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-(y ln x + (1 - y) ln(1 - x)) for probabilities x; the logarithms are kept above -100.

    Errors: ValueError where the sizes differ, RuntimeError where x is not between 0 and 1.
    Source: PyTorch's `nn.functional.binary_cross_entropy`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    _check_same_type(input, target)
    verify(_check_probabilities, input._array)
    if weight is None:
        return applied(_bce, input, target, reduction)
    return reduced(applied(_bce, input, target, "none") * weight, reduction)


def _check_probabilities(x: Any) -> None:
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")


def _check_same_type(input: Tensor, target: Tensor) -> None:
    if input._array.dtype != target._array.dtype:
        raise RuntimeError(
            f"Found dtype {type_name(target._array.dtype)} but expected {type_name(input._array.dtype)}: convert the "
            f"target, target.to({input.dtype})"
        )


def _logits_each(x: Any, y: Any, weight: Any) -> Any:
    rest = np.log1p(np.exp(-np.abs(x)))
    if weight is None:
        return np.maximum(x, 0) - x * y + rest
    return (1 - y) * x + ((weight - 1) * y + 1) * (rest + np.maximum(-x, 0))


def _logits_slope(g: Any, x: Any, y: Any, weight: Any) -> Any:
    if weight is None:
        return g * (sigmoid(x) - y)
    positive = weight * y
    return g * ((positive + 1 - y) * sigmoid(x) - positive)


def _target_slope(g: Any, x: Any, y: Any, weight: Any) -> Any:
    return -g * x if weight is None else g * (logsigmoid_row(-x) - weight * logsigmoid_row(x))


bce_with_logits_row = elementwise_loss(
    "binary_cross_entropy_with_logits", _logits_each, x=_logits_slope, y=_target_slope
)  # fmt: skip


@takes_out
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Binary cross entropy of sigmoid(input), right for logits of any size: the log-likelihood of a logistic model.

    `pos_weight` weighs the positive class. Errors: ValueError where the sizes differ.
    Source: PyTorch's `nn.functional.binary_cross_entropy_with_logits`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if target._array.shape != input._array.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    positive = None if pos_weight is None else pos_weight._array
    if weight is None:
        return applied(bce_with_logits_row, input, target, reduction, positive)
    return reduced(applied(bce_with_logits_row, input, target, "none", positive) * weight, reduction)
