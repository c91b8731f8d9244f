"""`VonMises`: angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..graph import no_grad
from ..random import rand
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution
from .parameter import broadcast_all, lazy_property

__all__ = ["VonMises"]

# Abramowitz and Stegun, 9.8.1 - 9.8.4: for x < 3.75 in powers of (x / 3.75)², beyond it in powers of 3.75 / x
_NEAR = {
    0: (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813),
    1: (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411),
}
_FAR = {
    0: (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377),
    1: (
        0.39894228,
        -0.03988024,
        -0.00362018,
        0.00163801,
        -0.01031555,
        0.02282967,
        -0.02895312,
        0.01787654,
        -0.00420059,
    ),
}


def _polynomial(y: Tensor, coefficients: Sequence[float]) -> Any:
    out: Any = 0.0
    for c in reversed(coefficients):
        out = c + y * out
    return out


def _log_bessel(x: Tensor, order: int) -> Tensor:
    """ln Iₙ(x), x > 0, to the seven digits that PyTorch has."""
    near = _polynomial((x / 3.75) ** 2, _NEAR[order])
    near = (near * x.abs() if order else near).log()
    far = x - 0.5 * x.log() + _polynomial(3.75 / x, _FAR[order]).log()
    return near.where(x < 3.75, far)


class VonMises(Distribution):
    """Density exp(κ cos(x - loc)) / (2π I₀(κ)) of an angle x, κ the concentration: the circle's normal distribution.

    `mean` and `variance` are those of angles. Samples lie in [-π, π); `loc` and values may be any real number. No
    `rsample`: draws carry no gradient. Source: PyTorch's `torch.distributions.VonMises`.
    """

    arg_constraints: ClassVar[Constraints] = {"loc": constraint.real, "concentration": constraint.positive}
    support = constraint.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """1 - I₁(κ) / I₀(κ)."""
        return 1 - (_log_bessel(self.concentration, 1) - _log_bessel(self.concentration, 0)).exp()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """In double precision, where few proposals are refused however small κ is. Best and Fisher, "Efficient
        simulation of the von Mises distribution", 1979."""
        with no_grad():
            kappa, loc = self.concentration.double(), self.loc.double()
            r = _proposal(kappa)
            x = loc.new_zeros(self._extended_shape(sample_shape))
            accepted = x.bool()
            while not accepted.all():
                u1, u2, u3 = rand((3, *x.shape), dtype=x.dtype).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                good = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = ((u3 - 0.5).sign() * f.acos()).where(good, x)
                accepted = accepted | good
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        kappa = self.concentration
        return kappa * (value - self.loc).cos() - math.log(2 * math.pi) - _log_bessel(kappa, 0)


def _proposal(kappa: Tensor) -> Tensor:
    """r of the wrapped Cauchy distribution that proposes; near κ = 0 by its Taylor series."""
    tau = 1 + (1 + 4 * kappa**2).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
    return (1 / kappa + kappa).where(kappa < 1e-5, (1 + rho**2) / (2 * rho))
