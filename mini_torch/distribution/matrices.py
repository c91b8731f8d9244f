"""Random matrices: Wishart, LKJCholesky."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import empty
from ..dtype import finfo
from ..graph import no_grad
from ..op import functions
from ..ops.linalg.classic import cholesky_inverse, cholesky_solve, slogdet
from ..ops.special.gamma import mvlgamma
from ..ranges import arange
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution, ExponentialFamily
from .gamma import Beta, Chi2
from .multivariate_normal import half_log_det, lower_factor
from .parameter import broadcast_all, lazy_property

__all__ = ["LKJCholesky", "Wishart"]

Shape = Sequence[int]


class Wishart(ExponentialFamily):
    """Density ∝ det(X)^((df - p - 1) / 2) exp(-½ tr Σ⁻¹ X) of p x p matrices: Σ xᵢ xᵢᵀ of df vectors of covariance Σ.

    Σ (`covariance_matrix`), Σ⁻¹ (`precision_matrix`) or L of Σ = L Lᵀ (`scale_tril`) is given. As in PyTorch, each draw
    is thrown away and drawn once more: its search for singular matrices takes the good ones. Its warning is
    left out, as it comes each time.

    Shape: df (*batch), matrix (*batch, p, p) → samples (*sample_shape, *batch, p, p). Errors: AssertionError unless
    exactly one matrix is given; ValueError for df ≤ p - 1. Source: PyTorch's `torch.distributions.Wishart`.
    """

    support = constraint.positive_definite
    has_rsample = True

    def __init__(
        self, df: Any, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        matrices = {
            "covariance_matrix": covariance_matrix, "scale_tril": scale_tril, "precision_matrix": precision_matrix,
        }  # fmt: skip
        given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.ndim < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        df = df if isinstance(df, Tensor) else matrix.new_full((), df)
        batch, p = functions["broadcast_shapes"](matrix.shape[:-2], df.shape), matrix.shape[-1]
        self.df = df.expand(batch)
        if (self.df <= p - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {p - 1}.")
        if (self.df < p).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        vars(self)[name] = matrix.expand((*batch, -1, -1))
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._lower = lower_factor(name, vars(self)[name])
        self._chi2 = Chi2(self.df.unsqueeze(-1) - arange(p, dtype=matrix.dtype))

    @property
    def arg_constraints(self) -> Constraints:  # type: ignore[override]
        """df grows with the matrix."""
        return {
            "covariance_matrix": constraint.positive_definite, "precision_matrix": constraint.positive_definite,
            "scale_tril": constraint.lower_cholesky, "df": constraint.greater_than(self.event_shape[-1] - 1),
        }  # fmt: skip

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
        return cholesky_inverse(self._lower)

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        return factor.masked_fill(factor <= 0, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """df (σᵢⱼ² + σᵢᵢ σⱼⱼ)."""
        sigma = self.covariance_matrix
        diagonal = sigma.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (sigma**2 + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _drawn(self, sample_shape: Shape) -> Tensor:
        """(L A) (L A)ᵀ, A with roots of chi-squared numbers on the diagonal and normal ones below: Bartlett."""
        diagonal = self._chi2.rsample(sample_shape).sqrt()
        factor = diagonal.clamp(min=finfo(diagonal.dtype).eps).diag_embed()
        p = self._event_shape[-1]
        rows, columns = functions["tril_indices"](p, p, -1).unbind()
        normal = empty((*sample_shape, *self._batch_shape, p * (p - 1) // 2), dtype=factor.dtype).normal_()
        factor[..., rows, columns] = normal
        lower = self._lower @ factor
        return lower @ lower.mT

    def rsample(self, sample_shape: Shape = (), max_try_correction: int | None = None) -> Tensor:
        """Drawn so that the gradient reaches the parameters; again, up to `max_try_correction` times (10), where
        rounding has made the matrix singular."""
        sample = self._drawn(sample_shape)
        again = self._any_of_batch(self.support.check(sample))  # the good ones: see above
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if not again.any():
                break
            fresh = self._drawn((int(again.sum()),))
            sample[again] = fresh
            singular = self._any_of_batch(~self.support.check(fresh))
            again[again.clone()] = singular
        return sample

    def _any_of_batch(self, found: Tensor) -> Tensor:
        return found.flatten(-len(self._batch_shape)).any(-1) if self._batch_shape else found

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        df, p = self.df, self._event_shape[-1]
        log_norm = df * (p * math.log(2) / 2 + half_log_det(self._lower)) + mvlgamma(df / 2, p)
        trace = cholesky_solve(value, self._lower).diagonal(dim1=-2, dim2=-1).sum(-1)
        return -log_norm + (df - p - 1) / 2 * slogdet(value).logabsdet - trace / 2

    def entropy(self) -> Tensor:
        df, p = self.df, self._event_shape[-1]
        digammas = (df.unsqueeze(-1) / 2 - arange(p, dtype=df.dtype) / 2).digamma().sum(-1)
        size = (p + 1) * (p * math.log(2) / 2 + half_log_det(self._lower))
        return size + mvlgamma(df / 2, p) - (df - p - 1) / 2 * digammas + df * p / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        matrix, power = natural_params
        p = self._event_shape[-1]
        half_df = power + (p + 1) / 2
        return half_df * (-slogdet(-2 * matrix).logabsdet + math.log(2) * p) + mvlgamma(half_df, p)


class LKJCholesky(Distribution):
    """L of correlation matrices R = L Lᵀ with density ∝ det(R)^(concentration - 1): all alike likely at 1.

    Shape: samples (*sample_shape, *batch, dim, dim). Errors: ValueError for dim < 2. Lewandowski, Kurowicka and Joe,
    "Generating random correlation matrices based on vines and extended onion method", 2009. Source: PyTorch's
    `torch.distributions.LKJCholesky`.
    """

    arg_constraints: ClassVar[Constraints] = {"concentration": constraint.positive}
    support = constraint.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        row = arange(dim - 1, dtype=self.concentration.dtype)
        row = functions["cat"]([row.new_zeros(1), row])
        marginal = self.concentration.unsqueeze(-1) + 0.5 * (dim - 2)
        self._beta = Beta(row + 0.5, marginal - 0.5 * row)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The onion: in each row a direction, times how far from the diagonal it leads."""
        with no_grad():
            far = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = empty(self._extended_shape(sample_shape), dtype=far.dtype).normal_().tril(-1)
            direction = normal / normal.norm(dim=-1, keepdim=True)
            direction[..., 0, :].fill_(0.0)  # the first row has none
            below = far.sqrt() * direction
            rest = (1 - (below**2).sum(-1)).clamp(min=finfo(below.dtype).tiny)
            return below + rest.sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        """Σ orderᵢ ln Lᵢᵢ less the norm; the orders count the Jacobian of L → L Lᵀ too. Stan functions reference,
        "Cholesky LKJ correlation distribution"."""
        self._validate_sample(value)
        n = self.dim - 1
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - arange(2, self.dim + 1)
        unnormalized = (order * value.diagonal(dim1=-1, dim2=-2)[..., 1:].log()).sum(-1)
        a = self.concentration + 0.5 * n
        return unnormalized - (0.5 * n * math.log(math.pi) + mvlgamma(a - 0.5, n) - a.lgamma() * n)
