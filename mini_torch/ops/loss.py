"""Losses: how far a prediction is from its target. All take `reduction`: 'mean', 'sum' or 'none' (one per element).

The squared errors and cross entropy are rows of their own, with the gradient by hand.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..op import operands, quiet, row, type_name
from ..tensor import Tensor, wrap
from .activation import need_floats, sigmoid, softplus
from .elementwise import abs, exp, log, log1p, square, xlogy
from .normalization import log_softmax_row, softmax_row
from .reduction import mean, sum
from .special import keeps_type

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "half_squared_error", "huber_loss",
    "kl_div", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss",
]  # fmt: skip


# ---- what they share ------------------------------------------------------------------------------------------------
def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that PyTorch's two older arguments stand for."""
    if size_average is None and reduce is None:
        return reduction
    meant = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.", stacklevel=3
    )
    return meant


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    _check_reduction(reduction)
    return mean(loss) if reduction == "mean" else sum(loss) if reduction == "sum" else loss


def _weighted_mean(loss: Tensor, weight: Tensor, input: Tensor, reduction: str) -> Tensor:
    if weight._array.shape != input._array.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = loss * weight  # type: ignore[operator]
    return sum(weighted) / sum(weight) if reduction == "mean" else _reduced(weighted, reduction)  # type: ignore[operator]


def _warn_of_size(input: Tensor, target: Tensor, stacklevel: int = 3) -> None:
    if input._array.shape != target._array.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=stacklevel,
        )


# ---- squared errors -------------------------------------------------------------------------------------------------
def _scaled_squares(x: Any, y: Any, scale: float) -> Any:
    d = np.ravel(x - y)
    # np.dot adds one after the other, which is quick for a batch; long sums need np.add's pairwise order.
    return (np.dot(d, d) if d.size < 4096 else np.add.reduce(np.square(d))) * scale


_squared_error = row(
    "mse_loss", keeps_type(_scaled_squares),
    x=lambda g, x, y, scale: (x - y) * (g * (2.0 * scale)), y=lambda g, x, y, scale: (y - x) * (g * (2.0 * scale)),
)  # fmt: skip


def _squared(input: Tensor, target: Tensor, reduction: str, factor: float) -> Tensor:
    if reduction == "none" or input._array.shape != target._array.shape or input._array.dtype != target._array.dtype:
        loss = square(input - target)  # type: ignore[operator]
        return _reduced(loss if factor == 1 else loss * factor, reduction)  # type: ignore[operator]
    if input._array.dtype.kind != "f":
        need_floats(input, "mse")
    if reduction == "sum":
        return _squared_error(input, target, factor)
    _check_reduction(reduction)
    return _squared_error(input, target, factor / input._array.size if input._array.size else math.nan)


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
    if input._array.shape != target._array.shape:
        _warn_of_size(input, target)
    if size_average is not None or reduce is not None:
        reduction = reduction_of(size_average, reduce, reduction)
    if weight is not None:
        return _weighted_mean(square(input - target), weight, input, reduction)  # type: ignore[operator]
    return _squared(input, target, reduction, 1.0)


def half_squared_error(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)² / 2: its derivative is the plain difference.

    >>> from mini_torch import tensor
    >>> half_squared_error(tensor([1., 2.]), tensor([1., 4.]))
    tensor(1.)
    """
    if input._array.shape != target._array.shape:
        _warn_of_size(input, target)
    return _squared(input, target, reduction, 0.5)


# ---- absolute errors ------------------------------------------------------------------------------------------------
def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """|input - target|; the gradient at 0 is 0. Source: PyTorch's `nn.functional.l1_loss`."""
    _warn_of_size(input, target)
    loss = abs(input - target)  # type: ignore[operator]
    reduction = reduction_of(size_average, reduce, reduction)
    return _reduced(loss, reduction) if weight is None else _weighted_mean(loss, weight, input, reduction)


def _huber_forward(x: Any, delta: float) -> Any:
    size = np.abs(x)
    return np.where(size <= delta, 0.5 * x * x, delta * (size - 0.5 * delta))


_huber = row(
    "huber_loss", keeps_type(_huber_forward),
    x=lambda g, x, delta: g * np.where(np.abs(x) <= delta, x, delta * np.sign(x)),
)  # fmt: skip


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Half the squared error where it is within `delta`, beyond that a straight line.

    Errors: RuntimeError unless delta > 0. Source: Huber 1964; PyTorch's `nn.functional.huber_loss`.
    """
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    _warn_of_size(input, target)
    loss = _huber(input - target, delta)  # type: ignore[operator]
    return _reduced(loss, reduction) if weight is None else _weighted_mean(loss, weight, input, reduction)


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
    difference = input - target  # type: ignore[operator]
    loss = _huber(difference, beta) / beta if beta else abs(difference)
    return _reduced(loss, reduction)


# ---- two classes ----------------------------------------------------------------------------------------------------
def _bce_forward(x: Any, y: Any) -> Any:
    return (y - 1) * np.maximum(np.log1p(-x), -100) - y * np.maximum(np.log(x), -100)


_bce = row(
    "binary_cross_entropy", quiet(keeps_type(_bce_forward)),
    x=lambda g, x, y: g * (x - y) / np.maximum((1 - x) * x, 1e-12),
    y=lambda g, x: g * (np.maximum(log1p(-x), -100.0) - np.maximum(log(x), -100.0)),
)  # fmt: skip


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
    x = input._array
    if x.size and not (x.min() >= 0 and x.max() <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    loss = _bce(input, target)
    return _reduced(loss if weight is None else loss * weight, reduction)


def _check_same_type(input: Tensor, target: Tensor) -> None:
    if input._array.dtype != target._array.dtype:
        raise RuntimeError(
            f"Found dtype {type_name(target._array.dtype)} but expected {type_name(input._array.dtype)}: convert the "
            f"target, target.to({input.dtype})"
        )


_bce_with_logits = row(
    "binary_cross_entropy_with_logits",
    keeps_type(lambda x, y: np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))),
    x=lambda g, x, y: g * (sigmoid(x) - y), y=lambda g, x: -g * x,
)  # fmt: skip


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
    if pos_weight is None:
        pair = operands(input, target)
        assert pair is not None
        loss = _bce_with_logits(*pair)
    else:
        factor = (pos_weight - 1) * target + 1  # type: ignore[operator]
        loss = (1 - target) * input + factor * softplus(-input, threshold=math.inf)  # type: ignore[operator]
    return _reduced(loss if weight is None else loss * weight, reduction)


# ---- many classes ---------------------------------------------------------------------------------------------------
def _at_target(x: Any, target: Any, axis: int) -> Any:
    """x (N, C, …) at the classes of target (N, …)."""
    n = target.ndim
    grid = [np.arange(size).reshape((-1,) + (1,) * (n - 1 - i)) for i, size in enumerate(target.shape)]
    return x[(*grid[:axis], target, *grid[axis:])]


def _total(loss: Any, share: Any, reduce: bool) -> Any:
    return np.add.reduce(loss * share, axis=None) if reduce else loss * share


def _cross_entropy_forward(x: Any, target: Any, share: Any, axis: int, reduce: bool) -> Any:
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return _total(np.log(np.add.reduce(np.exp(z), axis=axis)) - _at_target(z, target, axis), share, reduce)


def _one_hot_forward(target: Any, classes: int, axis: int, kind: np.dtype[Any]) -> Any:
    places = np.arange(classes).reshape((-1,) + (1,) * (target.ndim - axis))
    return (np.expand_dims(target, axis) == places).astype(kind)


_one_hot = row("one_hot_like", _one_hot_forward, target=None)


def _spread(g: Any, share: Any, axis: int) -> Any:
    """The gradient of each sample's loss, with a dimension for the classes."""
    return np.expand_dims(g * share, axis)


def _cross_entropy_rule(g: Any, x: Any, target: Any, share: Any, axis: int) -> Any:
    hot = _one_hot(target, x.shape[axis], axis, _numpy_type(x))
    return (softmax_row(x, axis) - hot) * _spread(g, share, axis)


def _nll_rule(g: Any, target: Any, share: Any, shape: tuple[int, ...], axis: int) -> Any:
    return -_one_hot(target, shape[axis], axis, _numpy_type(share)) * _spread(g, share, axis)


def _numpy_type(x: Any) -> np.dtype[Any]:
    return x._array.dtype if isinstance(x, Tensor) else x.dtype


# `share` is what each sample's loss counts: class weight, 0 where ignored, 1/n for a mean.
_cross_entropy = row(
    "cross_entropy", quiet(keeps_type(_cross_entropy_forward)), grad_name="NllLossBackward0", x=_cross_entropy_rule,
    target=None, share=None,
)  # fmt: skip
_nll_loss = row(
    "nll_loss", keeps_type(lambda x, target, share, axis, reduce: _total(-_at_target(x, target, axis), share, reduce)),
    x=_nll_rule, target=None, share=None,
)  # fmt: skip


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> int:
    """The dimension of the classes, after the checks of sizes and types."""
    shape, wanted = input._array.shape, target._array.shape
    if not shape:
        raise ValueError("Expected input to have at least 1 dimension, got a scalar")
    axis = 0 if len(shape) == 1 else 1
    if target._array.dtype.kind not in "iu":
        raise RuntimeError(f"expected scalar type Long but found {type_name(target._array.dtype)}")
    if wanted != shape[:axis] + shape[axis + 1 :]:
        if wanted and axis and wanted[0] != shape[0]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size ({wanted[0]}). "
                f"(input {list(shape)}, target {list(wanted)})"
            )
        raise RuntimeError(f"size mismatch (got input: {list(shape)}, target: {list(wanted)})")
    if weight is not None and weight._array.shape != (shape[axis],):
        raise RuntimeError(
            f"weight tensor should be defined either for all {shape[axis]} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"
        )
    return axis


def _shares(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, axis: int
) -> tuple[Tensor, Tensor]:
    """Target classes, safe to index with, and what each counts."""
    _check_reduction(reduction)
    t, kind = target._array, input._array.dtype
    t = t if t.dtype == np.int64 else t.astype(np.int64)
    classes = input._array.shape[axis]
    # As unsigned numbers, negative classes are huge: one maximum finds everything out of range.
    if weight is None and not 0 <= ignore_index < classes and t.size and t.view(np.uint64).max() < classes:
        share = np.full(t.shape, 1 / t.size if reduction == "mean" else 1.0, kind)
        return target if t is target._array else wrap(t), wrap(share)
    ignored = t == ignore_index
    t = np.where(ignored, 0, t)
    if t.size and (t.min() < 0 or t.max() >= classes):
        raise IndexError(f"Target {int(t[(t < 0) | (t >= classes)][0])} is out of bounds.")
    share = np.where(ignored, 0, 1 if weight is None else weight._array[t]).astype(kind)
    if reduction == "mean":
        total = share.sum()
        share = share / total if total else np.full_like(share, math.nan)  # a mean of nothing
    return wrap(t), wrap(share)


def _by_class(
    core: Any, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    axis = _check_classes(input, target, weight)
    classes, share = _shares(input, target, weight, ignore_index, reduction, axis)
    loss = core(input, classes, share, axis, reduction != "none")
    return loss * math.nan if reduction == "mean" and not share._array.size else loss


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-input at each target class: the negative log-likelihood.

    Shape: input (C), (N, C) or (N, C, d1, …) of log-probabilities, target without the C. `weight` weighs the classes,
    also in the mean; targets of `ignore_index` do not count. Errors: IndexError for a class out of range, ValueError
    or RuntimeError for sizes that do not fit. Source: PyTorch's `nn.functional.nll_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    need_floats(input, "nll_loss_out_frame")
    return _by_class(_nll_loss, input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """-ln softmax(input) at the target class, right for logits of any size.

    Shape: input (C), (N, C) or (N, C, d1, …), unnormalised; target without the C, of classes, or like the input, of
    class probabilities. `weight`, `ignore_index`, errors: as `nll_loss`. `label_smoothing` mixes the target with the
    uniform distribution. Source: PyTorch's `nn.functional.cross_entropy`; Szegedy et al. 2015 for the smoothing.

    >>> from mini_torch import tensor
    >>> cross_entropy(tensor([[1000., 0.]]), tensor([1]))
    tensor(1000.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    need_floats(input, "log_softmax_lastdim_kernel_impl")
    if target._array.shape == input._array.shape:
        return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    loss = _by_class(_cross_entropy, input, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    smooth = _smooth_part(input, target, weight, ignore_index, reduction)
    return loss * (1 - label_smoothing) + smooth * (label_smoothing / input._array.shape[min(input._array.ndim - 1, 1)])  # type: ignore[operator]


def _smooth_part(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """The cross entropy with all classes at once, for label smoothing."""
    axis = _check_classes(input, target, weight)
    each = _over_classes(input, None, weight, axis)
    counted = target._array != ignore_index
    each = each * wrap(counted)  # type: ignore[operator]
    if reduction != "mean":
        return _reduced(each, reduction)
    share = counted if weight is None else np.where(counted, weight._array[np.where(counted, target._array, 0)], 0)
    return sum(each) / float(share.sum())  # type: ignore[operator]


def _over_classes(input: Tensor, target: Tensor | None, weight: Tensor | None, axis: int) -> Tensor:
    """-Σ over the classes of target · weight · ln softmax(input)."""
    terms = -log_softmax_row(input, axis)
    if weight is not None:
        terms = terms * np.reshape(weight, (-1,) + (1,) * (input._array.ndim - 1 - axis))
    return sum(terms if target is None else terms * target, axis)


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float
) -> Tensor:
    """Cross entropy with class probabilities as the target."""
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {type_name(target._array.dtype)}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    axis = 0 if input._array.ndim == 1 else 1
    classes = input._array.shape[axis]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes  # type: ignore[operator]
    each = _over_classes(input, target, weight, axis)
    return _reduced(each, reduction)


# ---- distributions --------------------------------------------------------------------------------------------------
def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """target · (ln target - input): the Kullback-Leibler divergence, input holding log-probabilities.

    With `log_target` the target does, too. reduction='batchmean' divides the sum by the first size: the definition.
    Source: PyTorch's `nn.functional.kl_div`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    loss = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input  # type: ignore[operator]
    if reduction == "batchmean":
        return sum(loss) / input._array.shape[0] if input._array.ndim else loss  # type: ignore[operator]
    return _reduced(loss, reduction)
