"""`MultivariateNormal`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from ..creation import empty
from ..op import functions
from ..ops.linalg.elimination import solve_triangular
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution
from .parameter import lazy_property

__all__ = ["MultivariateNormal"]

Shape = Sequence[int]


class MultivariateNormal(Distribution):
    """Density ∝ exp(-½ (x - loc)ᵀ Σ⁻¹ (x - loc)), with Σ, or Σ⁻¹, or L of Σ = L Lᵀ given.

    Shape: loc (*batch, n), each matrix (*batch, n, n) → samples (*sample_shape, *batch, n). Errors: ValueError unless
    exactly one matrix is given. Source: PyTorch's `torch.distributions.MultivariateNormal`.

    >>> from mini_torch import eye, zeros
    >>> MultivariateNormal(zeros(2), eye(2)).log_prob(zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar[Constraints] = {
        "loc": constraint.real_vector, "covariance_matrix": constraint.positive_definite,
        "precision_matrix": constraint.positive_definite, "scale_tril": constraint.lower_cholesky,
    }  # fmt: skip
    support = constraint.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.ndim < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch = functions["broadcast_shapes"](matrix.shape[:-2], loc.shape[:-1])
        vars(self)[name] = matrix.expand((*batch, -1, -1))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._lower = lower_factor(name, vars(self)[name])

    @lazy_property
    def scale_tril(self) -> Tensor:
        """L, the lower triangle with Σ = L Lᵀ."""
        return self._lower

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """Σ."""
        return self._lower @ self._lower.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        return functions["cholesky_inverse"](self._lower)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self._lower**2).sum(-1)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + (self._lower @ drawn.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        squares = mahalanobis(self._lower, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + squares) - half_log_det(self._lower)

    def entropy(self) -> Tensor:
        return 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi)) + half_log_det(self._lower)


def lower_factor(name: str, matrix: Tensor) -> Tensor:
    """L of Σ = L Lᵀ, where `matrix` is Σ, Σ⁻¹ or L, as its name says."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return matrix.cholesky()
    # of P = Σ⁻¹, turned about both diagonals: P = U Uᵀ with an upper U, and Σ = U⁻ᵀ U⁻¹
    upper = matrix.flip(-2, -1).cholesky().flip(-2, -1).mT
    return solve_triangular(upper, functions["eye"](matrix.shape[-1], dtype=matrix.dtype), upper=False)


def mahalanobis(lower: Tensor, apart: Tensor) -> Tensor:
    """|L⁻¹ apart|², for each vector of the last axis."""
    return (solve_triangular(lower, apart.unsqueeze(-1), upper=False) ** 2).sum((-2, -1))


def half_log_det(lower: Tensor) -> Tensor:
    """½ ln det L Lᵀ."""
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)
