"""Bags of rows of a table: each bag's sum, mean or maximum, without a result for every single row."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..op import keeps_type, need_float32, row, takes_out, type_name
from ..tensor import Tensor, wrap
from .adjoint import combine_at, take, take_along
from .embedding import check_rows, picked_rows, shorten

__all__ = ["embedding_bag"]


class Bags(NamedTuple):
    """How numbers in a row fall into bags: `of` (M) is each one's bag, `sizes` (B) how many a bag has."""

    of: Any
    sizes: Any

    def starts(self) -> Any:
        """Where each bag that is not empty starts."""
        return (np.cumsum(self.sizes) - self.sizes)[self.sizes > 0]

    def kept(self, keep: Any) -> Bags:
        """The bags of those numbers that stay."""
        of = self.of[keep]
        return Bags(of, np.bincount(of, minlength=len(self.sizes)))


def _bag_sum(rows: Any, bags: Bags) -> Any:
    count, size = len(bags.sizes), rows.shape[1]
    if count and len(rows) and (bags.sizes == bags.sizes[0]).all():
        return np.add.reduce(rows.reshape(count, -1, size), axis=1)
    return combine_at(np.add, np.zeros((count, size), rows.dtype), (bags.of,), rows)


_summed = row("bag_sum", keeps_type(_bag_sum), rows=lambda g, bags: _spread(g, bags))
_spread: Callable[..., Any] = row("bag_spread", lambda x, bags: x[bags.of], x=lambda g, bags: _summed(g, bags))


def _first_largest(rows: Any, bags: Bags) -> Any:
    """For each bag and column the first of the bag's rows (M, d) that holds the maximum; 0 for an empty bag."""
    out = np.zeros((len(bags.sizes), rows.shape[1]), np.int64)
    if len(rows):
        starts, of = bags.starts(), np.cumsum(bags.sizes > 0)[bags.of] - 1
        hits = rows == np.maximum.reduceat(rows, starts, axis=0)[of]
        places = np.where(hits, np.arange(len(rows))[:, None], len(rows) - 1)
        out[bags.sizes > 0] = np.minimum.reduceat(places, starts, axis=0)
    return out


@takes_out
def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """The sum, mean or maximum of the rows of `weight` whose numbers are in each bag of `input`; 0 for an empty bag.

    Shape: input (B, n), a bag a row, or (M) with the bags' starts in `offsets` (B), or with `include_last_offset`
    (B + 1), the last being the end; weight (n, d) → (B, d). `per_sample_weights`, of input's shape, weigh the rows of a
    sum. Rows `padding_idx` do not count. `max_norm`, `scale_grad_by_freq`: as `embedding`. Errors: ValueError or
    RuntimeError for sizes and numbers that do not fit. Source: PyTorch's `nn.functional.embedding_bag`.

    >>> from mini_torch import tensor
    >>> embedding_bag(tensor([[0, 1]]), tensor([[1.], [3.]]))
    tensor([[2.]])
    """
    if weight._array.dtype == np.int64 and input._array.dtype.kind == "f":
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=3,
        )
        weight, input = input, weight
    _check_shapes(input, weight, offsets, per_sample_weights)
    if input._array.ndim == 2:
        offsets = wrap(np.arange(input._array.shape[0]) * input._array.shape[1])
        input, include_last_offset = input.reshape(-1), False
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    _check_mode(mode, scale_grad_by_freq, sparse, per_sample_weights)
    if max_norm is not None:
        shorten(weight, np.unique(input._array), max_norm, norm_type)
    assert offsets is not None
    return bags_and_what_they_hold(
        weight, input, offsets, scale_grad_by_freq, mode, per_sample_weights, include_last_offset, padding_idx
    )[0]


def _check_shapes(input: Tensor, weight: Tensor, offsets: Tensor | None, per_sample_weights: Tensor | None) -> None:
    if per_sample_weights is not None and per_sample_weights._array.shape != input._array.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight._array.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight._array.ndim}")
    if input._array.ndim not in (1, 2):
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input._array.ndim}")
    if input._array.ndim == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
            f"sequences. However, found offsets of type {type(offsets)}"
        )
    if input._array.ndim == 1 and offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets is not None and offsets._array.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")


def _check_mode(mode: str, scale_grad_by_freq: bool, sparse: bool, per_sample_weights: Tensor | None) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if mode != "sum" and per_sample_weights is not None:
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}')."
        )


def bags_and_what_they_hold(
    weight: Tensor, input: Tensor, offsets: Tensor, scale_grad_by_freq: bool, mode: str,
    per_sample_weights: Tensor | None, include_last_offset: bool, padding_idx: int | None,
) -> tuple[Tensor, Bags, Any]:  # fmt: skip
    """`embedding_bag` of one row of numbers; the bags; and for 'max' the number of the row that each maximum is of."""
    index, count = input._array, weight._array.shape[0]
    check_rows(input, weight, "embedding_bag", RuntimeError)
    if weight._array.dtype.kind != "f":
        need_float32("embedding_bag", weight)
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got torch.{type_name(weight._array.dtype)}Tensor instead (while checking arguments "
            "for embedding_bag)"
        )
    bags = _bags(offsets._array, len(index), include_last_offset)
    if len(bags.of) < len(index):  # what is after the last offset is in no bag
        index = index[: len(bags.of)]
        per_sample_weights = None if per_sample_weights is None else per_sample_weights[: len(bags.of)]
    if per_sample_weights is not None and per_sample_weights._array.dtype != weight._array.dtype:
        raise RuntimeError(
            f"embedding_bag: weight ({weight.dtype}) and per_sample_weights ({per_sample_weights.dtype}) must have the "
            "same type"
        )
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, -{count} through {count - 1}, but got "
                f"{padding_idx}"
            )
        keep = index != padding_idx % count
        index, bags = index[keep], bags.kept(keep)
        per_sample_weights = None if per_sample_weights is None else take(per_sample_weights, (keep,))
    rows = picked_rows(weight, wrap(index), scale_grad_by_freq)
    if mode == "max":
        largest = _first_largest(rows._array, bags)
        held = wrap((bags.sizes > 0)[:, None])
        out = take_along(rows, wrap(largest), 0) * held if len(index) else _summed(rows, bags)
        numbers = index[largest] if len(index) else largest
        return out, bags, np.where(bags.sizes[:, None] > 0, numbers, 0)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    out = _summed(rows, bags)
    if mode == "mean":
        out = out * wrap((1 / np.maximum(bags.sizes, 1)).astype(out._array.dtype)[:, None])
    return out, bags, None


def _bags(offsets: Any, size: int, include_last_offset: bool) -> Bags:
    """Bags that start at `offsets`, and end where the next starts."""
    if offsets.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'offsets' to have one of the following scalar types: Long, Int; but got "
            f"torch.{type_name(offsets.dtype)}Tensor instead (while checking arguments for embedding_bag)"
        )
    if include_last_offset and not len(offsets):
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if len(offsets) and offsets[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {offsets[0]}"
        )
    if len(offsets) and offsets[-1] > size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {size} but got offsets[-1] of {offsets[-1]}"
        )
    ends = offsets[1:] if include_last_offset else np.append(offsets[1:], size)
    sizes = ends - offsets[: len(ends)] if len(offsets) else np.zeros(0, np.int64)
    if len(sizes) and sizes.min() < 0:
        raise RuntimeError(f"offsets must not decrease, got {offsets.tolist()}")
    return Bags(np.repeat(np.arange(len(sizes)), sizes), sizes)
