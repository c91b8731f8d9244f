"""Cross entropy and the negative log-likelihood: the losses of classification into many classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import mode, unit
from ..op import fused, keeps_type, row, takes_out, type_name
from ..tensor import Tensor, wrap
from .activation import need_reals
from .loss import check_reduction, reduced, reduction_of
from .reduction import sum
from .softmax import log_softmax_row, log_sum_exp, softmax_of

__all__ = ["cross_entropy", "nll_loss"]

_CLASS_TYPES = (np.dtype(np.int64), np.dtype(np.uint8))


def _places(target: Any, axis: int) -> tuple[Any, ...]:
    """The index of x (N, C, …) that picks the classes of target (N, …), the classes being dimension `axis`."""
    n = target.ndim
    grid = [np.arange(size).reshape((-1,) + (1,) * (n - 1 - i)) for i, size in enumerate(target.shape)]
    return (*grid[:axis], target, *grid[axis:])


def _put_forward(x: Any, target: Any, size: tuple[int, ...], axis: int) -> Any:
    out = np.zeros(size, x.dtype)
    out[_places(target, axis)] = x
    return out


def _nll_forward(x: Any, target: Any, share: Any, axis: int, reduce: bool) -> Any:
    loss = x[_places(target, axis)] * -share
    return np.add.reduce(loss, axis=None) if reduce else loss


_pick = row(
    "pick_class", lambda x, target, axis: x[_places(target, axis)],
    x=lambda g, target, shape, axis: _put(g, target, shape, axis), target=None,
)  # fmt: skip
_put: Callable[..., Any] = row(
    "put_class", _put_forward, grad_name="NllLossBackwardBackward0", broadcasts=True,
    x=lambda g, target, axis: _pick(g, target, axis), target=None,
)  # fmt: skip
# `share` is what each sample's loss counts: its class's weight, 0 where ignored, over their total for a mean.
_nll_loss = row(
    "nll_loss", keeps_type(_nll_forward),
    x=lambda g, target, share, shape, axis: _put(-(g * share), target, shape, axis),
    target=None, share=None,
)  # fmt: skip


# ---- softmax and loss in one -----------------------------------------------------------------------------------------
_MANY = 1 << 14  # logits; of fewer, softmax and loss apart are as fast


def _loss_of_logits(keep: bool, x: Any, target: Any, share: Any, reduce: bool) -> tuple[Any, Any]:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    peaks, logs = log_sum_exp(wide)
    loss = (logs - (wide[np.arange(len(x)), target] - peaks)) * share
    return (np.add.reduce(loss) if reduce else loss).astype(x.dtype), (peaks, logs)


def _pull_logits(g: Any, kept: Any, wanted: Any, x: Any, target: Any, share: Any, reduce: bool) -> tuple[Any]:
    """(softmax(x) - 1 at the target) g share, the softmax made again from the logarithms that were kept."""
    wide = x.astype(kept[1].dtype, copy=False)
    weight = np.broadcast_to(g * share, len(x)).astype(wide.dtype, copy=False)
    peaks, logs = kept
    dx = softmax_of(wide, peaks, logs, weight)
    dx[np.arange(len(x)), target] -= weight
    return (dx,)


def _plain_loss_of_logits(x: Any, /, target: Any, share: Any, reduce: bool) -> Tensor:
    loss: Tensor = _nll_loss(log_softmax_row(x, 1), wrap(target), wrap(share), 1, reduce)
    return loss


# (logits (N, C), arrays of classes and of what each counts, whether to add up)
_cross_entropy = fused("cross_entropy", _loss_of_logits, _pull_logits, _plain_loss_of_logits, "NllLossBackward0")


def check_classes(input: Tensor, target: Tensor, weight: Tensor | None) -> int:
    """The dimension of the classes, after the checks of sizes and types."""
    shape, wanted = input._array.shape, target._array.shape
    if not shape:
        raise ValueError("Expected input to have at least 1 dimension, got a scalar")
    axis = 0 if len(shape) == 1 else 1
    if wanted != shape[:axis] + shape[axis + 1 :]:
        if wanted and axis and wanted[0] != shape[0]:
            raise ValueError(
                f"Expected input batch_size ({shape[0]}) to match target batch_size ({wanted[0]}). "
                f"(input {list(shape)}, target {list(wanted)})"
            )
        expected = [*shape[:axis], *shape[axis + 1 :]]
        raise RuntimeError(f"Expected target size {expected}, got {list(wanted)} (input {list(shape)})")
    if target._array.dtype not in _CLASS_TYPES:
        found = type_name(target._array.dtype)
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {found}: use target.long()")
    if weight is not None and weight._array.shape != (shape[axis],):
        raise RuntimeError(
            f"weight tensor should be defined either for all {shape[axis]} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"
        )
    if weight is not None and weight._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {type_name(input._array.dtype)} but found {type_name(weight._array.dtype)} as weight"
        )
    return axis


def class_shares(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, axis: int
) -> tuple[Tensor, Tensor]:
    """Target classes, safe to index with, and what each counts (one number if all count the same)."""
    check_reduction(reduction)
    t, classes = target._array, input._array.shape[axis]
    weights = None if weight is None else weight._array
    found, share = _shares(t, weights, input._array.dtype, classes, ignore_index, reduction == "mean",
                           mode.recorder is not None)  # fmt: skip
    return target if found is t else wrap(found), wrap(share)


@unit
def _shares(
    t: Any, weight: Any, kind: Any, classes: int, ignore_index: int, mean: bool, each: bool
) -> tuple[Any, Any]:  # fmt: skip
    """`class_shares` of arrays; with `each`, what they count is never one number, whatever the targets."""
    t = t.astype(np.int64, copy=False)
    # As unsigned numbers, negative classes are huge: one maximum finds everything out of range.
    plain = weight is None and t.size and not 0 <= ignore_index < classes
    if plain and np.maximum.reduce(t.view(np.uint64), axis=None) < classes:
        return t, np.full(t.shape if each else (), 1 / t.size if mean else 1.0, kind)
    ignored = t == ignore_index
    t = np.where(ignored, 0, t)
    if t.size and (t.min() < 0 or t.max() >= classes):
        raise IndexError(f"Target {int(t[(t < 0) | (t >= classes)][0])} is out of bounds.")
    share = np.where(ignored, 0, 1 if weight is None else weight[t]).astype(kind)
    if mean:
        total = share.sum()
        share = share / total if total else np.full_like(share, math.nan)  # a mean of nothing
    return t, share


def _by_class(
    log_probabilities: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    axis = check_classes(log_probabilities, target, weight)
    classes, share = class_shares(log_probabilities, target, weight, ignore_index, reduction, axis)
    loss = _nll_loss(log_probabilities, classes, share, axis, reduction != "none")
    return loss * math.nan if reduction == "mean" and not classes._array.size else loss


@takes_out
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
    need_reals(input, "nll_loss_out_frame")
    return _by_class(input, target, weight, ignore_index, reduction)


@takes_out
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
    need_reals(input, "log_softmax_lastdim_kernel_impl")
    if target._array.shape == input._array.shape:
        return _soft_cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    axis = check_classes(input, target, weight)
    if input._array.ndim == 2 and input._array.size > _MANY and not label_smoothing:
        classes, share = class_shares(input, target, weight, ignore_index, reduction, axis)
        return _cross_entropy(input, classes._array, share._array, reduction != "none")
    log_probabilities = log_softmax_row(input, axis)
    loss = _by_class(log_probabilities, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    smooth = _smooth_part(log_probabilities, target, weight, ignore_index, reduction, axis)
    return loss * (1 - label_smoothing) + smooth * (label_smoothing / input._array.shape[axis])


def _smooth_part(
    log_probabilities: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, axis: int
) -> Tensor:
    """The cross entropy with all classes at once, for label smoothing."""
    counted = target._array != ignore_index
    each = _over_classes(log_probabilities, None, weight, axis) * wrap(counted)
    if reduction != "mean":
        return reduced(each, reduction)
    share = counted if weight is None else np.where(counted, weight._array[np.where(counted, target._array, 0)], 0)
    return sum(each) / wrap(share.sum().astype(each._array.dtype))


def _over_classes(log_probabilities: Tensor, target: Tensor | None, weight: Tensor | None, axis: int) -> Tensor:
    """-Σ over the classes of target · weight · log-probability."""
    terms = -log_probabilities
    if weight is not None:
        terms = terms * np.reshape(weight, (-1,) + (1,) * (terms._array.ndim - 1 - axis))
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
        target = target * (1 - label_smoothing) + label_smoothing / classes
    each = _over_classes(log_softmax_row(input, axis), target, weight, axis)
    if reduction != "mean":
        return reduced(each, reduction)
    return sum(each) / each._array.size if each._array.size else sum(each) * math.nan
