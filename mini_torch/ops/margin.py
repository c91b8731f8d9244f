"""Losses that ask for a margin: rankings, hinges, triplets, and labels of several classes.

Each is one row per element or sample, then its reduction: 'mean', 'sum' or 'none'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import unit, verify
from ..op import keeps_type, row, takes_out, type_name
from ..tensor import Tensor, wrap
from .activation import need_reals, sigmoid
from .adjoint import add_along, take_along
from .distance import pairwise_distance
from .elementwise import clamp, minimum
from .loss import applied, as_floats, bce_with_logits_row, check_reduction, elementwise_loss, reduced, reduction_of
from .reduction import sum
from .shape import broadcast_shapes

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]  # fmt: skip

Flag = bool | None


# ---- two classes, +1 and -1 -----------------------------------------------------------------------------------------
def _soft_margin_each(x: Any, y: Any, _: Any) -> Any:
    z = x * y
    return np.maximum(-z, 0) + np.log1p(np.exp(-np.abs(z)))


_soft_margin = elementwise_loss(
    "soft_margin_loss", _soft_margin_each, x=lambda g, x, y, _: -g * y * sigmoid(-(x * y)), y=None
)  # fmt: skip


@takes_out
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """ln(1 + exp(-target · input)), for targets 1 and -1. Source: PyTorch's `nn.functional.soft_margin_loss`."""
    reduction = reduction_of(size_average, reduce, reduction)
    if broadcast_shapes(input._array.shape, target._array.shape) != input._array.shape:
        raise RuntimeError(
            f"output with shape {list(input.shape)} doesn't match the target's shape {list(target.shape)}"
        )
    return applied(_soft_margin, input, target.detach(), reduction)


_hinge_embedding = row(
    "hinge_embedding_loss",
    keeps_type(lambda x, y, margin: np.where(y != -1, x, 0) + np.where(y != 1, np.maximum(margin - x, 0), 0)),
    x=lambda g, x, y, margin: np.where(y != -1, g, 0.0) - np.where((y != 1) & (x <= margin), g, 0.0), y=None,
    broadcasts=True,
)  # fmt: skip


@takes_out
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """input where the target is 1, max(0, margin - input) where it is -1: for distances of like and unlike pairs.

    Source: PyTorch's `nn.functional.hinge_embedding_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    (x,) = as_floats(input)
    need_reals(x, "clamp")
    return reduced(_hinge_embedding(x, target.detach(), margin), reduction)


_ranking = row(
    "margin_ranking_loss",
    keeps_type(lambda x1, x2, y, margin: np.maximum(margin - y * (x1 - x2), 0)),
    x1=lambda g, x1, x2, y, margin: np.where(y * (x1 - x2) <= margin, -g * y, 0.0),
    x2=lambda g, x1, x2, y, margin: np.where(y * (x1 - x2) <= margin, g * y, 0.0),
    y=lambda g, x1, x2, y, margin: np.where(y * (x1 - x2) <= margin, g * (x2 - x1), 0.0),
    broadcasts=True,
)  # fmt: skip


@takes_out
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin - target · (input1 - input2)): with target 1 the first should rank higher, with -1 the second.

    Errors: RuntimeError for different numbers of dimensions. Source: PyTorch's `nn.functional.margin_ranking_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1._array.ndim == input2._array.ndim == target._array.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    first, second, y = as_floats(input1, input2, target)
    need_reals(first, "clamp")
    return reduced(_ranking(first, second, y, margin), reduction)


# ---- one class of many ----------------------------------------------------------------------------------------------
def _margins(x: Any, mine: Any, margin: float) -> Any:
    """How far each class's score (N, C) comes within the margin of the right one's, `mine` (N, 1)."""
    return margin - take_along(x, mine, 1) + x


def _wrong(x: Any, mine: Any) -> Any:
    return np.arange(x.shape[1]) != mine


def _multi_margin_forward(x: Any, mine: Any, share: Any, p: int, margin: float) -> Any:
    z = np.where(_wrong(x, mine), np.maximum(_margins(x, mine, margin), 0), 0)
    return np.add.reduce(z if p == 1 else z * z, axis=1) * share


def _multi_margin_rule(
    g: Any, x: Any, mine: Any, share: Any, shape: tuple[int, ...], p: int, margin: float
) -> Any:
    z = _margins(x, mine, margin)
    slope = 1.0 if p == 1 else 2 * z
    push = np.where((z > 0) & _wrong(x, mine), np.expand_dims(g * share, 1) * slope, 0.0)
    return push - add_along(np.sum(push, axis=1, keepdims=True), mine, shape, 1)


_multi_margin = row(
    "multi_margin_loss", keeps_type(_multi_margin_forward), x=_multi_margin_rule, mine=None, share=None
)


def _check_classes(t: Any, classes: int) -> None:
    if t.size and (t.min() < 0 or t.max() >= classes):
        raise IndexError(f"target out of range: class {int(t[(t < 0) | (t >= classes)][0])} of {classes}")


@takes_out
def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(0, margin - x[target] + x[i])ᵖ / C over the classes i other than the target.

    Shape: input (N, C) or (C) of scores, target (N) or () of classes; `weight` (C) weighs the classes.
    Errors: ValueError for p other than 1 and 2, IndexError for a class out of range, RuntimeError for sizes that do
    not fit. Source: PyTorch's `nn.functional.multi_margin_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight._array.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    need_reals(input, "multi_margin_loss_cpu_kernel", half=False)
    scores = _as_samples(input)
    count, classes = scores._array.shape
    _check_samples(input, target, (count,), 1)
    t = target._array.reshape(count)
    verify(_check_classes, t, classes)
    if weight is not None and weight._array.size != classes:
        raise RuntimeError(f"inconsistent weight size: expected {classes} but got {list(weight.shape)}")
    share = np.full(count, 1 / classes) if weight is None else weight._array[t] / classes
    share = wrap(share.astype(input._array.dtype))
    each = _multi_margin(scores, wrap(t[:, None]), share, p, margin)
    return reduced(_like_samples(each, input), reduction)


def _as_samples(input: Tensor) -> Tensor:
    """The scores as (N, C)."""
    return input if input._array.ndim == 2 else input.reshape(1, input._array.size)


def _like_samples(each: Tensor, input: Tensor) -> Tensor:
    """One loss per sample; a single number where there was no batch."""
    return each if input._array.ndim == 2 else each.reshape(())


def _check_samples(input: Tensor, target: Tensor, wanted: tuple[int, ...], ndim: int) -> None:
    """Errors for scores that are neither (N, C) nor (C), and for a target of another size or type than theirs."""
    shape, found = input._array.shape, target._array.shape
    if len(shape) > 2 or not all(shape[1:]) or (len(shape) == 1 and not shape[0]):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )
    if len(found) > ndim or target._array.size != int(np.prod(wanted)) or (len(found) == 2 and found != shape):
        raise RuntimeError(f"inconsistent target size, expected {list(wanted)} but got {list(found)}")
    if target._array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {type_name(target._array.dtype)} as target")


# ---- several classes of many ----------------------------------------------------------------------------------------
@unit
def _labels(target: Any) -> tuple[Any, Any]:
    """Of label lists (N, C) that end at their first -1: which entries count, and which classes (N, C) they name."""
    counted = np.logical_and.accumulate(target >= 0, axis=1)
    named = np.zeros(target.shape, bool)
    rows, places = np.nonzero(counted)
    named[rows, target[rows, places]] = True
    return counted, named


def _multilabel_forward(x: Any, target: Any, pairs: Any) -> Any:
    z = 1 - np.expand_dims(take_along(x, target, 1), 2) + np.expand_dims(x, 1)
    return np.add.reduce(np.where(pairs, np.maximum(z, 0), 0), axis=(1, 2)) / x.shape[1]


def _multilabel_rule(g: Any, x: Any, target: Any, pairs: Any, shape: tuple[int, ...]) -> Any:
    z = 1 - np.expand_dims(take_along(x, target, 1), 2) + np.expand_dims(x, 1)
    push = np.where(pairs & (z > 0), np.reshape(g, (-1, 1, 1)) / shape[1], 0.0)
    return np.sum(push, axis=1) - add_along(np.sum(push, axis=2), target, shape, 1)


_multilabel = row(
    "multilabel_margin_loss", keeps_type(_multilabel_forward), x=_multilabel_rule, target=None, pairs=None
)


def _check_labels(labels: Any, classes: int) -> None:
    if labels.size and (labels.min() < -1 or labels.max() >= classes):
        raise RuntimeError(f"multilabel_margin_loss: target is out of range, labels are -1 to {classes - 1}")


@takes_out
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """Σ max(0, 1 - x[label] + x[i]) / C over a sample's labels and the classes i that are none of them.

    Shape: input (N, C) or (C) of scores; target alike, each row its labels and then -1. Errors: RuntimeError for
    labels out of range and sizes that do not fit. Source: PyTorch's `nn.functional.multilabel_margin_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    check_reduction(reduction)
    need_reals(input, "multilabel_margin_loss_forward_out_frame", half=False)
    scores = _as_samples(input)
    shape = scores._array.shape
    _check_samples(input, target, shape, 2)
    labels = target._array.reshape(shape)
    verify(_check_labels, labels, shape[1])
    counted, named = _labels(labels)
    pairs = counted[:, :, None] & ~named[:, None, :]
    each = _multilabel(scores, wrap(np.where(counted, labels, 0)), wrap(pairs))
    return reduced(_like_samples(each, input), reduction)


@takes_out
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over the classes of the binary cross entropy of sigmoid(input); target holds 1 and 0.

    Shape: input and target (N, C). Source: PyTorch's `nn.functional.multilabel_soft_margin_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not valid")
    each = applied(bce_with_logits_row, input, target, "none")
    if weight is not None:
        each = each * weight
    return reduced(sum(each, -1) / input._array.shape[-1], reduction)


# ---- pairs and triplets ---------------------------------------------------------------------------------------------
@takes_out
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), d being `pairwise_distance`.

    With `swap` the negative's distance is to the nearer of anchor and positive. Errors: ValueError unless margin > 0,
    RuntimeError for different numbers of dimensions. Source: Balntas et al. 2016; PyTorch's
    `nn.functional.triplet_margin_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


@takes_out
def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0, swap: bool = False,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with any distance. PyTorch's `nn.functional.triplet_margin_with_distance_loss`."""
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = [x._array.ndim for x in (anchor, positive, negative)]
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(margin + near - far, min=0), reduction)


_TINY = 1e-12  # what PyTorch adds to a squared length here


@takes_out
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 - cos of the vectors' angle where the target is 1, max(0, cos - margin) where it is -1.

    Shape: inputs (N, D), target (N); or (D) and (). Errors: RuntimeError for other numbers of dimensions.
    Source: PyTorch's `nn.functional.cosine_embedding_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    ndim = target._array.ndim
    if ndim > 1:
        raise RuntimeError(f"{ndim}D target tensor not supported: 0D or 1D target tensor expected")
    if input1._array.ndim != ndim + 1 or input2._array.ndim != ndim + 1:
        raise RuntimeError(
            f"{ndim}D target tensor expects {ndim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    y = target._array
    lengths = (sum(input1 * input1, ndim) + _TINY) * (sum(input2 * input2, ndim) + _TINY)
    cosine = sum(input1 * input2, ndim) / lengths.sqrt()
    loss: Any = np.where(y == 1, 1 - cosine, 0.0) + np.where(y == -1, clamp(cosine - margin, min=0), 0.0)
    return reduced(loss, reduction)
