"""Distances and similarities of vectors as modules. What they compute is in `ops/distance.py`."""

from __future__ import annotations

from ..network import Module
from ..ops.distance import cosine_similarity, pairwise_distance
from ..tensor import Tensor

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps. PyTorch's `nn.PairwiseDistance`.

    Shape: (N, D) or (D) → (N) or (), with a last dimension of 1 where `keepdim`.

    >>> PairwiseDistance()(mini_torch.ones(2, 4), mini_torch.zeros(2, 4))
    tensor([2.0000, 2.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between the vectors along `dim`. PyTorch's `nn.CosineSimilarity`.

    >>> CosineSimilarity()(mini_torch.ones(1, 4), -mini_torch.ones(1, 4))
    tensor([-1.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)
