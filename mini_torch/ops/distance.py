"""Distances and similarities of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import as_operand, common_type, keeps_type, need_float32, public, row, type_name
from ..tensor import Tensor, check_dim
from .activation import need_reals
from .adjoint import take
from .linalg.norms import norm
from .shape import broadcast_tensors

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


def _length(x: Any, axis: int) -> Any:
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=True))


# A length counts as eps where it is less, but for its value only: ∂‖x‖/∂x stays x / ‖x‖.
_floor = row("length_floor", lambda x, eps: np.maximum(x, eps), x=lambda g: g)


def _cosine_forward(x: Any, y: Any, axis: int, eps: float) -> Any:
    lengths = np.maximum(_length(x, axis), eps) * np.maximum(_length(y, axis), eps)
    return np.sum(x / lengths * y, axis=axis)


def _cosine_rule(g: Any, x: Any, y: Any, axis: int, eps: float) -> Any:
    """∂/∂x of x·y / (‖x‖ ‖y‖)."""
    size = _length(x, axis)
    a, b = _floor(size, eps), _floor(_length(y, axis), eps)
    along = np.sum(x * y, axis=axis, keepdims=True) / (a * a * b)
    return np.expand_dims(g, axis) * (y / (a * b) - x / np.where(size == 0, 1.0, size) * along)


_cosine = row(
    "cosine_similarity", keeps_type(_cosine_forward), x=_cosine_rule,
    y=lambda g, x, y, axis, eps: _cosine_rule(g, y, x, axis, eps),
)  # fmt: skip


@public(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between the vectors along `dim`; lengths below `eps` count as `eps`.

    Shape: x1 and x2 broadcast; the result is without `dim`. Errors: RuntimeError for types that are not floating.
    Source: PyTorch's `nn.functional.cosine_similarity`.

    >>> from mini_torch import tensor
    >>> cosine_similarity(tensor([[1., 0.]]), tensor([[1., 1.]]))
    tensor([0.7071])
    """
    kind = common_type(x1, x2)
    if kind.kind != "f":
        need_float32("cosine_similarity", x1, x2)
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {type_name(kind)}")
    x, y = broadcast_tensors(as_operand(x1, kind), as_operand(x2, kind))
    axis = check_dim(dim, x._array.ndim)
    return _cosine(x, y, axis, eps) if x._array.ndim else _cosine(x.reshape(1), y.reshape(1), 0, eps)


@public(method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension. Source: PyTorch's `nn.functional.pairwise_distance`."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


@public(method=False)
def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The p-norm distance of every two rows: (0, 1), (0, 2), …, (1, 2), …

    Shape: (N, M) → (N (N - 1) / 2). Errors: RuntimeError unless 2-D, floating and p ≥ 0.
    Source: PyTorch's `nn.functional.pdist`.
    """
    if input._array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input._array.ndim}D")
    if input._array.dtype.kind != "f":
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {type_name(input._array.dtype)}")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    need_reals(input, "pdist", half=False)
    first, second = np.triu_indices(input._array.shape[0], 1)
    return norm(take(input, (first,)) - take(input, (second,)), p, -1)
