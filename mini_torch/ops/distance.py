"""Distances and similarities of vectors."""

from __future__ import annotations

import numpy as np

from ..op import public
from ..tensor import Tensor
from .linalg import norm
from .reduction import sum

__all__ = ["cosine_similarity", "pairwise_distance"]


@public(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between the vectors along `dim`; norms below `eps` count as `eps`.

    Source: PyTorch's `nn.functional.cosine_similarity`.
    """
    if x1._array.dtype.kind not in "fc" or x2._array.dtype.kind not in "fc":
        raise RuntimeError("cosine_similarity: expected common dtype to be floating point, convert the tensors first")
    a = x1 / np.maximum(norm(x1, 2, dim, keepdim=True), eps)
    b = x2 / np.maximum(norm(x2, 2, dim, keepdim=True), eps)
    return sum(a * b, dim)


@public(method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension. Source: PyTorch's `nn.functional.pairwise_distance`."""
    return norm(x1 - x2 + eps, p, -1, keepdim)
