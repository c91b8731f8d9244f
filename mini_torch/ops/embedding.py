"""Rows of a table by their numbers: embeddings and one-hot vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import verify
from ..op import check_writable, row, takes_out, type_name
from ..tensor import Tensor, wrap
from .adjoint import combine_at

__all__ = ["embedding", "one_hot"]


def _add_rows(x: Any, index: Any, count: int, skipped: int | None) -> Any:
    """Rows x (…, d) added up at the numbers index (…), in a table of `count` rows."""
    size = x.shape[-1]
    out = combine_at(np.add, np.zeros((count, size), x.dtype), (index.reshape(-1),), x.reshape(index.size, size))
    if skipped is not None:
        out[skipped] = 0
    return out


def _rows_or_zeros(weight: Any, index: Any, skipped: int) -> Any:
    return weight[index] * np.expand_dims(index != skipped, -1)


def _embedding_rule(g: Any, index: Any, share: Any, shape: tuple[int, ...], skipped: int | None) -> Any:
    return _added(g * np.expand_dims(share, -1) if share.ndim else g, index, shape[0], skipped)


_embedding = row(
    "embedding", lambda weight, index, share, skipped: weight[index], weight=_embedding_rule, index=None, share=None
)
_picked = row(
    "embedding_pick", _rows_or_zeros, weight=lambda g, index, shape, skipped: _added(g, index, shape[0], skipped),
    index=None,
)  # fmt: skip
_added: Callable[..., Any] = row(
    "embedding_dense", _add_rows, grad_name="EmbeddingBackwardBackward0",
    x=lambda g, index, skipped: _picked(g, index, -1 if skipped is None else skipped), index=None,
)  # fmt: skip


@takes_out
def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """The rows of `weight` whose numbers are in `input`.

    Shape: input (*) of ints, weight (n, d) → (*, d). The row `padding_idx` gets no gradient; with `max_norm` rows that
    are longer are first shortened, in place; `scale_grad_by_freq` divides a row's gradient by how often it was asked
    for. Errors: IndexError for a number out of range. Source: PyTorch's `nn.functional.embedding`.

    >>> from mini_torch import tensor
    >>> embedding(tensor([1, 1, 0]), tensor([[1., 2.], [3., 4.]]))
    tensor([[3., 4.],
            [3., 4.],
            [1., 2.]])
    """
    check_rows(input, weight, "embedding", IndexError)
    count = weight._array.shape[0]
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= count
    if max_norm is not None:
        shorten(weight, np.unique(input._array), max_norm, norm_type)
    return picked_rows(weight, input, scale_grad_by_freq, padding_idx)


def check_rows(input: Tensor, weight: Tensor, name: str, error: type[Exception]) -> None:
    """Errors for numbers that are no integers, or, this the given one, name no row of `weight`."""
    index = input._array
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{type_name(index.dtype)}Tensor instead (while checking arguments for {name})"
        )
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if index.size:
        verify(_check_range, index, weight._array.shape[0], error)


def _check_range(index: Any, count: int, error: type[Exception]) -> None:
    if index.min() < 0 or index.max() >= count:
        wrong = int(index[(index < 0) | (index >= count)][0])
        raise error(f"index out of range in self: {wrong} for {count} rows")


def picked_rows(weight: Tensor, input: Tensor, by_frequency: bool = False, padding: int | None = None) -> Tensor:
    """The rows, their gradients divided `by_frequency`, that of row `padding` 0."""
    share = np.ones((), weight._array.dtype)
    if by_frequency:
        index = input._array
        share = (1 / np.bincount(index.ravel(), minlength=weight._array.shape[0])[index]).astype(share.dtype)
    return _embedding(weight, input, wrap(share), padding)


def shorten(weight: Tensor, rows: Any, longest: float, norm_type: float) -> None:
    """Scales those rows in place that are longer than `longest`; outside the graph."""
    check_writable(weight.detach())
    lengths = np.linalg.norm(weight._array[rows], norm_type, axis=1)
    long = lengths > longest
    weight._array[rows[long]] *= (longest / (lengths[long] + 1e-7))[:, None].astype(weight._array.dtype)
    weight._bump()


def _check_classes(classes: Any, count: int) -> None:
    if classes.size and classes.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if count != -1 and classes.size and classes.max() >= count:
        raise RuntimeError("Class values must be smaller than num_classes.")


@takes_out
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """1 at the place of each class, else 0; as many places as the largest class needs if `num_classes` is -1.

    Shape: (*) of int64 → (*, num_classes). Errors: RuntimeError for a class out of range.
    Source: PyTorch's `nn.functional.one_hot`.

    >>> one_hot(mini_torch.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
    """
    classes = tensor._array
    if classes.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not classes.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    verify(_check_classes, classes, num_classes)
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    return wrap((classes[..., None] == np.arange(num_classes)).astype(np.int64))
