"""`LowRankMultivariateNormal`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from ..creation import empty
from ..op import functions
from ..ops.linalg.definite import cholesky
from ..ops.linalg.elimination import solve_triangular
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution
from .multivariate_normal import half_log_det, mahalanobis
from .parameter import lazy_property

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """The multivariate normal distribution of Σ = W Wᵀ + D, with W `cov_factor` of few columns and D diagonal.

    Only C = I + Wᵀ D⁻¹ W, of as many rows as W has columns, is factored: det Σ = det C · det D, and
    Σ⁻¹ = D⁻¹ - D⁻¹ W C⁻¹ Wᵀ D⁻¹ (Woodbury).

    Shape: loc (*batch, n), cov_factor (*batch, n, rank), cov_diag (*batch, n) → samples (*sample_shape, *batch, n).
    Errors: ValueError for shapes that do not fit. Source: PyTorch's `torch.distributions.LowRankMultivariateNormal`.

    >>> from mini_torch import ones, tensor, zeros
    >>> LowRankMultivariateNormal(zeros(2), tensor([[1.0], [0.0]]), ones(2)).covariance_matrix
    tensor([[2., 0.],
            [0., 1.]])
    """

    arg_constraints: ClassVar[Constraints] = {
        "loc": constraint.real_vector, "cov_factor": constraint.independent(constraint.real, 2),
        "cov_diag": constraint.independent(constraint.positive, 1),
    }  # fmt: skip
    support = constraint.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1:]
        if cov_factor.ndim < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n[0]} x m")
        if cov_diag.shape[-1:] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {n}")
        try:
            batch = functions["broadcast_shapes"](loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc.expand((*batch, -1)), cov_diag.expand((*batch, -1))
        self.cov_factor = cov_factor.expand((*batch, -1, -1))
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)  # Wᵀ D⁻¹
        capacitance = cholesky(_plus_one(scaled @ cov_factor))  # of what was given: it may be one for the whole batch
        self._scaled, self._capacitance = (x.expand((*batch, -1, -1)) for x in (scaled, capacitance))
        super().__init__(batch, n, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """The diagonal of Σ."""
        return (self.cov_factor**2).sum(-1) + self.cov_diag

    @lazy_property
    def scale_tril(self) -> Tensor:
        """L of Σ = L Lᵀ: D^½ times the factor of I + D^-½ W Wᵀ D^-½, which has no eigenvalue below 1. Rasmussen and
        Williams, "Gaussian Processes for Machine Learning", 3.4.3."""
        root = self.cov_diag.sqrt().unsqueeze(-1)
        w = self.cov_factor / root
        return root * cholesky(_plus_one(w @ w.mT))

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """Σ."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """Σ⁻¹."""
        half = self.whitened()
        return self.cov_diag.reciprocal().diag_embed() - half.mT @ half

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape, kind = self._extended_shape(sample_shape), self.loc.dtype
        for_factor = empty((*shape[:-1], self.cov_factor.shape[-1]), dtype=kind).normal_()
        for_diag = empty(shape, dtype=kind).normal_()
        return self.loc + (self.cov_factor @ for_factor.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * for_diag

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        squares = self.squared_distance(value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self.log_det() + squares)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self.log_det())

    def log_det(self) -> Tensor:
        """ln det Σ."""
        return 2 * half_log_det(self._capacitance) + self.cov_diag.log().sum(-1)

    def squared_distance(self, apart: Tensor) -> Tensor:
        """apartᵀ Σ⁻¹ apart, for each vector of the last axis."""
        inner = (self._scaled @ apart.unsqueeze(-1)).squeeze(-1)
        return (apart**2 / self.cov_diag).sum(-1) - mahalanobis(self._capacitance, inner)

    def whitened(self) -> Tensor:
        """A with Σ⁻¹ = D⁻¹ - Aᵀ A."""
        return solve_triangular(self._capacitance, self._scaled, upper=False)


def _plus_one(matrix: Tensor) -> Tensor:
    """I + matrix."""
    return matrix + functions["eye"](matrix.shape[-1], dtype=matrix.dtype)
