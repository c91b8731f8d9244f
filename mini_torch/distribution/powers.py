"""Powers of other random numbers: Pareto, Weibull, InverseGamma, Kumaraswamy; and a ratio, FisherSnedecor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..dtype import finfo
from ..tensor import Tensor
from . import constraint
from .continuous import Exponential, Uniform
from .distribution import Constraints, Distribution
from .gamma import Gamma
from .parameter import broadcast_all
from .transformed import TransformedDistribution
from .transforms import AffineTransform, ExpTransform, PowerTransform

__all__ = ["FisherSnedecor", "InverseGamma", "Kumaraswamy", "Pareto", "Weibull"]

_GAMMA = float(np.euler_gamma)


class Pareto(TransformedDistribution):
    """Density alpha scale^alpha / x^(alpha + 1), x ≥ scale: scale · exp of an exponential number of rate alpha. Source:
    PyTorch's `torch.distributions.Pareto`."""

    arg_constraints: ClassVar[Constraints] = {"alpha": constraint.positive, "scale": constraint.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args)
        super().__init__(base, [ExpTransform(), AffineTransform(0, self.scale)], validate_args)

    @property
    def support(self) -> Any:
        """From the scale on."""
        return constraint.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)
        return self.scale**2 * a / ((a - 1) ** 2 * (a - 2))

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha


class Weibull(TransformedDistribution):
    """Density ∝ x^(k - 1) exp(-(x / scale)ᵏ), x > 0, k the concentration: scale · e^(1 / k), e exponential. Source:
    PyTorch's `torch.distributions.Weibull`."""

    arg_constraints: ClassVar[Constraints] = {"scale": constraint.positive, "concentration": constraint.positive}
    support = constraint.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = 1 / self.concentration
        base = Exponential(self.scale.detach() * 0 + 1, validate_args)
        transforms = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(base, transforms, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        return self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration_reciprocal

    @property
    def variance(self) -> Tensor:
        r = self.concentration_reciprocal
        return self.scale**2 * ((1 + 2 * r).lgamma().exp() - (2 * (1 + r).lgamma()).exp())

    def entropy(self) -> Tensor:
        r = self.concentration_reciprocal
        return _GAMMA * (1 - r) + (self.scale * r).log() + 1


class InverseGamma(TransformedDistribution):
    """Density ∝ x^(-a - 1) exp(-rate / x), x > 0, a the concentration: 1 / a gamma number. Source: PyTorch's
    `torch.distributions.InverseGamma`."""

    arg_constraints: ClassVar[Constraints] = {"concentration": constraint.positive, "rate": constraint.positive}
    support = constraint.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args)
        super().__init__(base, PowerTransform(base.rate.new_full((), -1)), validate_args)

    @property
    def concentration(self) -> Tensor:
        """The gamma number's."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The gamma number's."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        return (self.rate / (self.concentration - 1)).masked_fill(self.concentration <= 1, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return (self.rate**2 / ((a - 1) ** 2 * (a - 2))).masked_fill(a <= 2, math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()


class Kumaraswamy(TransformedDistribution):
    """cdf 1 - (1 - xᵃ)ᵇ on [0, 1], a = concentration1 and b = concentration0: near Beta(a, b); and
    (1 - u^(1 / b))^(1 / a), u uniform. Source: PyTorch's `torch.distributions.Kumaraswamy`."""

    arg_constraints: ClassVar[Constraints] = {
        "concentration1": constraint.positive, "concentration0": constraint.positive,
    }  # fmt: skip
    support = constraint.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        zero = self.concentration0.detach() * 0
        transforms = [
            PowerTransform(1 / self.concentration0),
            AffineTransform(1.0, -1.0),
            PowerTransform(1 / self.concentration1),
        ]
        super().__init__(Uniform(zero, zero + 1, validate_args), transforms, validate_args)

    def _moment(self, n: int) -> Tensor:
        """E xⁿ = b B(1 + n / a, b)."""
        a, b = 1 + n / self.concentration1, self.concentration0
        return b * (a.lgamma() + b.lgamma() - (a + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return ((-b).log1p() / b - (-b * a).log1p()).masked_fill((b < 1) | (a < 1), math.nan).exp()

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean**2

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - 1 / b) + (1 - 1 / a) * ((b + 1).digamma() + _GAMMA) - a.log() - b.log()


class FisherSnedecor(Distribution):
    """Density ∝ x^(df1 / 2 - 1) (1 + x df1 / df2)^(-(df1 + df2) / 2), x > 0: the ratio of two Chi2 numbers, each over
    its degrees of freedom. Source: PyTorch's `torch.distributions.FisherSnedecor`."""

    arg_constraints: ClassVar[Constraints] = {"df1": constraint.positive, "df2": constraint.positive}
    support = constraint.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1, self._gamma2 = Gamma(self.df1 / 2, self.df1), Gamma(self.df2 / 2, self.df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        return ((self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)).masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2**2 * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2) ** 2 * (df2 - 4))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        above, below = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        tiny = finfo(below.dtype).tiny
        return (above / below.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p() - log_beta
