"""Distributions without moments beyond some order: StudentT, Cauchy, GeneralizedPareto."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import empty
from ..random import rand
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution
from .gamma import Chi2
from .parameter import broadcast_all

__all__ = ["Cauchy", "GeneralizedPareto", "StudentT"]

Shape = Sequence[int]


class Cauchy(Distribution):
    """Density 1 / (π scale (1 + ((x - loc) / scale)²)). Source: PyTorch's `torch.distributions.Cauchy`."""

    arg_constraints: ClassVar[Constraints] = {"loc": constraint.real, "scale": constraint.positive}
    support = constraint.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.new_full(self._extended_shape(), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.loc.new_full(self._extended_shape(), math.inf)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_()
        return self.loc + drawn * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class StudentT(Distribution):
    """Density ∝ (1 + y² / df)^(-(df + 1) / 2), y = (x - loc) / scale: y is normal over √(z / df), z of Chi2(df).

    Source: PyTorch's `torch.distributions.StudentT`.
    """

    arg_constraints: ClassVar[Constraints] = {
        "df": constraint.positive, "loc": constraint.real, "scale": constraint.positive,
    }  # fmt: skip
    support = constraint.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = self.df.masked_fill(self.df <= 2, 3.0)  # anything where it exists: the gradient there is 0, not NaN
        finite = self.scale**2 * df / (df - 2)
        return finite.masked_fill(self.df <= 2, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        x = empty(self._extended_shape(sample_shape), dtype=self.df.dtype).normal_()
        return self.loc + self.scale * (x * (self._chi2.rsample(sample_shape) / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y, half = (value - self.loc) / self.scale, (self.df + 1) / 2
        log_norm = self.scale.log() + 0.5 * (math.pi * self.df).log() + (self.df / 2).lgamma() - half.lgamma()
        return -half * (y**2 / self.df).log1p() - log_norm

    def entropy(self) -> Tensor:
        half = (self.df + 1) / 2
        log_beta = (self.df / 2).lgamma() + math.lgamma(0.5) - half.lgamma()
        return self.scale.log() + half * (half.digamma() - (self.df / 2).digamma()) + 0.5 * self.df.log() + log_beta


class GeneralizedPareto(Distribution):
    """Density (1 + c z)^(-1 / c - 1) / scale, z = (x - loc) / scale, c the concentration; exp(-z) / scale for c = 0.

    What lies far out in another distribution: exponential for c = 0, uniform for c = -1, Pareto for c > 0. Above 0 it
    has no end, below 0 it ends at loc - scale / c. Source: PyTorch's `torch.distributions.GeneralizedPareto`.
    """

    arg_constraints: ClassVar[Constraints] = {
        "loc": constraint.real, "scale": constraint.positive, "concentration": constraint.real,
    }  # fmt: skip
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraint.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraint.Constraint:
        """From loc to where the density ends."""
        c = self.concentration
        return constraint.interval(self.loc, (self.loc - self.scale / c).where(c < 0, math.inf))

    @property
    def mean(self) -> Tensor:
        none = self.concentration >= 1
        c = self.concentration.masked_fill(none, 0.5)
        return (self.loc + self.scale / (1 - c)).masked_fill(none, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        none = self.concentration >= 0.5
        c = self.concentration.masked_fill(none, 0.25)
        return (self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c))).masked_fill(none, math.nan)

    def _exponential(self) -> tuple[Tensor, Tensor]:
        """Whether c is as good as 0; and c, with 1 in such places, where only gradients would see a division by 0."""
        zero = self.concentration.isclose(self.concentration.new_zeros(()))
        return zero, self.concentration.masked_fill(zero, 1.0)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        z, (zero, c) = (value - self.loc) / self.scale, self._exponential()
        power = 1 / c + 1
        fall = z.where(zero, power.where(power == 0, power * (c * z).log1p()))
        return -self.scale.log() - fall

    def log_survival_function(self, value: Tensor) -> Tensor:
        """ln(1 - cdf)."""
        self._validate_sample(value)
        z, (zero, c) = (value - self.loc) / self.scale, self._exponential()
        return (-z).where(zero, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """ln cdf."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        log_left, (zero, c) = (-value).log1p(), self._exponential()
        powers = self.loc + self.scale / c * (-c * log_left).expm1()
        return (self.loc - self.scale * log_left).where(zero, powers)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
