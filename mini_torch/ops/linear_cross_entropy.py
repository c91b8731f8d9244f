"""Cross entropy of a linear layer's output, without holding all of that output."""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import Any

import numpy as np

from ..dtype import dtype
from ..op import keeps_type, row, takes_out
from ..tensor import Tensor, wrap
from .cross_entropy import check_classes, class_shares, cross_entropy
from .linalg.products import linear
from .loss import check_reduction
from .softmax import softmax_row

__all__ = ["LinearCrossEntropyOptions", "linear_cross_entropy"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """Asks `linear_cross_entropy` to go through the batch in pieces. Source: PyTorch's `nn.LinearCrossEntropyOptions`.

    `batch_chunk_size`: rows in a piece. `chunking_method` "aspect_ratio:k" chooses pieces whose logits take 1 / k of
    the input's memory ("auto": k = 2; None: see `batch_chunk_size`). The others are accepted: what they trade
    precision and memory for is the same here.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: dtype | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in {"auto", "accurate", "balanced", "compact"}:
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto") and not self._factor():
            raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")

    def _factor(self) -> int:
        """The k of "aspect_ratio:k"; 0 for something else."""
        name, colon, factor = (self.chunking_method or "").partition(":")
        factor = factor if colon else "1"
        return int(factor) if name == "aspect_ratio" and factor.isdigit() else 0

    def rows(self, batch: int, features: int, classes: int) -> int:
        """How many rows of the batch a piece has."""
        if self.batch_chunk_size is not None or self.chunking_method is None:
            return self.batch_chunk_size or max(batch, 1)
        share = math.ceil(batch / max(math.ceil(classes / max(features, 1)), 1))
        power = 1 << max(share - 1, 0).bit_length()
        return max(power // (self._factor() or 2), 1)


# ---- piece by piece -------------------------------------------------------------------------------------------------
def _pieces(x: Any, w: Any, b: Any, rows: int) -> Any:
    """For each piece of x (N, F) its place and its logits, less each row's maximum."""
    for start in range(0, len(x), rows):
        here = slice(start, start + rows)
        logits = np.matmul(x[here], w.T) + b
        yield here, logits - np.maximum.reduce(logits, axis=1, keepdims=True)


def _forward(x: Any, w: Any, b: Any, target: Any, share: Any, rows: int, once: dict[str, Any]) -> Any:
    loss = np.zeros(len(x), x.dtype)
    for here, z in _pieces(x, w, b, rows):
        right = np.take_along_axis(z, target[here, None], 1)[:, 0]
        loss[here] = np.log(np.add.reduce(np.exp(z), axis=1)) - right
    return loss * share


def _pulled(g: Any, x: Any, w: Any, b: Any, target: Any, share: Any, rows: int) -> tuple[Any, Any, Any]:
    """The gradients of x, w and b."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(len(w), x.dtype)
    for here, z in _pieces(x, w, b, rows):
        p = np.exp(z)
        p /= np.add.reduce(p, axis=1, keepdims=True)
        p[np.arange(len(p)), target[here]] -= 1
        p *= (g[here] * share[here])[:, None]
        dx[here], db = np.matmul(p, w), db + np.add.reduce(p, axis=0)
        dw += np.matmul(p.T, x[here])
    return dx, dw, db


def _pulled_whole(g: Any, x: Any, w: Any, b: Any, target: Any, share: Any) -> tuple[Any, Any, Any]:
    """The same as recorded operations, all logits at once."""
    logits = np.matmul(x, np.swapaxes(w, 0, 1)) + b
    right = np.arange(w.shape[0]) == np.expand_dims(target._array, 1)
    d = (softmax_row(logits, 1) - wrap(right.astype(x._array.dtype))) * np.expand_dims(g * share, 1)
    return np.matmul(d, w), np.matmul(np.swapaxes(d, 0, 1), x), np.sum(d, axis=0)


def _formula(index: int) -> Any:
    def formula(
        g: Any, x: Any, w: Any, b: Any, target: Any, share: Any, rows: int, once: dict[str, Any]
    ) -> Any:
        if not isinstance(g, np.ndarray):
            return _pulled_whole(g, x, w, b, target, share)[index]
        if once.get("g") is not g:  # the first that is asked for makes the gradients of all
            once["g"], once["grads"] = g, _pulled(g, x, w, b, target, share, rows)
        return once["grads"][index]

    return formula


_in_pieces = row(
    "linear_cross_entropy", keeps_type(_forward),
    x=_formula(0), w=_formula(1), b=_formula(2), target=None, share=None,
)  # fmt: skip


# ---- public ---------------------------------------------------------------------------------------------------------
@takes_out
def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None,
) -> Tensor:  # fmt: skip
    """`cross_entropy(linear(input, linear_weight, linear_bias), target)`; with `options` piece by piece of the batch.

    Shape: input (N, F) or (F), linear_weight (C, F) or (C, d1, …, F), linear_bias (C) or (C, d1, …), target as for
    logits (N, C) or (N, C, d1, …). Errors: RuntimeError for sizes that do not fit.
    Source: PyTorch's `nn.functional.linear_cross_entropy`.
    """
    logits_shape = _logits_shape(input, linear_weight, linear_bias)
    if target._array.shape == logits_shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None:
        check_reduction(reduction)
        if not label_smoothing and target._array.dtype == np.int64 and linear_weight._array.ndim == 2:
            return _by_pieces(input, linear_weight, linear_bias, target, weight, reduction, ignored, options)
        warnings.warn(
            "linear_cross_entropy: ``options`` ignored; they need label_smoothing == 0, int64 targets and a 2-D "
            f"linear_weight, got label_smoothing={label_smoothing}, target.dtype={target.dtype}, linear_weight of "
            f"{list(linear_weight.shape)}",
            stacklevel=3,
        )
    flat = linear_weight.reshape(-1, linear_weight._array.shape[-1])
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, flat, bias).reshape(logits_shape)
    return cross_entropy(
        logits, target, weight, reduction=reduction, ignore_index=ignored, label_smoothing=label_smoothing
    )


def _by_pieces(
    input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None, target: Tensor, weight: Tensor | None,
    reduction: str, ignored: int, options: LinearCrossEntropyOptions,
) -> Tensor:  # fmt: skip
    x = input if input._array.ndim == 2 else input.unsqueeze(0)
    t = target if input._array.ndim == 2 else target.unsqueeze(0)
    (batch, features), classes = x._array.shape, linear_weight._array.shape[0]
    if not batch:
        t = t[:0]  # PyTorch asks nothing of an empty batch's target
    like_logits = wrap(np.broadcast_to(np.zeros((), x._array.dtype), (batch, classes)))
    axis = check_classes(like_logits, t, weight)
    places, share = class_shares(like_logits, t, weight, ignored, reduction, axis)
    share = wrap(np.broadcast_to(share._array, (batch,)))
    bias = wrap(np.zeros(classes, x._array.dtype)) if linear_bias is None else linear_bias
    rows = options.rows(batch, features, classes)
    each = _in_pieces(x, linear_weight, bias, places, share, rows, {})
    if reduction != "none":
        return each.sum() if batch or reduction == "sum" else each.sum() * math.nan
    return each if input._array.ndim == 2 else each.squeeze(0)


def _logits_shape(input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> tuple[int, ...]:
    """(N, C, d1, …), after the checks of sizes."""
    x, w = input._array.shape, linear_weight._array.shape
    if len(x) not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {len(x)}")
    if len(w) < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {len(w)}")
    if x[-1] != w[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{x[-1]} and {w[-1]}, respectively"
        )
    if linear_bias is not None and linear_bias._array.shape != w[:-1]:
        raise RuntimeError(f"expected linear_bias shape {w[:-1]}, got {linear_bias._array.shape}")
    if len(w) > 2 and len(x) == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {w} requires batched input, (N, {x[-1]}), got "
            f"unbatched input with shape {x}"
        )
    return (*x[:-1], *w[:-1])
