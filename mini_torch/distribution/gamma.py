"""Gamma numbers and what is made of them: Gamma, Chi2, Dirichlet, Beta."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..dtype import finfo
from ..function import Function
from ..graph import as_unit
from ..op import functions
from ..random.gamma import dirichlet, standard_gamma
from ..random.generator import chosen, draw_by
from ..tensor import Tensor, wrap
from . import constraint
from .distribution import Constraints, ExponentialFamily
from .parameter import broadcast_all
from .pathwise import beta_slope, gamma_slope

__all__ = ["Beta", "Chi2", "Dirichlet", "Gamma"]

Shape = Sequence[int]


class _DrawnGamma(Function):
    """A gamma number of rate 1 for each concentration."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        out = wrap(draw_by(standard_gamma, chosen(None), _floating(concentration)))
        ctx.save_for_backward(out, concentration)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        out, concentration = ctx.saved_tensors
        return g * wrap(as_unit(gamma_slope, out._array, concentration._array))


class _DrawnDirichlet(Function):
    """A point of the simplex for each row of concentrations; each number alone is a beta number."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        out = wrap(draw_by(dirichlet, chosen(None), _floating(concentration)))
        ctx.save_for_backward(out, concentration)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        out, concentration = ctx.saved_tensors
        a = concentration._array
        slope = wrap(as_unit(beta_slope, out._array, a, np.sum(a, axis=-1, keepdims=True) - a))
        return slope * (g - (out * g).sum(-1, keepdim=True))


def _floating(concentration: Tensor) -> Any:
    array = concentration._array
    if array.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"gamma numbers are drawn in float32 and float64, not in {concentration.dtype}")
    return array if array.flags.c_contiguous else array.copy()


class Gamma(ExponentialFamily):
    """Density rateᵃ xᵃ⁻¹ exp(-rate · x) / Γ(a), a the concentration. Source: PyTorch's `torch.distributions.Gamma`.

    >>> from mini_torch import tensor
    >>> Gamma(1.0, 2.0).log_prob(tensor(0.5))
    tensor(-0.3069)
    """

    arg_constraints: ClassVar[Constraints] = {"concentration": constraint.positive, "rate": constraint.positive}
    support = constraint.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        drawn = _DrawnGamma.apply(self.concentration.expand(shape)) / self.rate.expand(shape)
        drawn.detach().clamp_(min=finfo(drawn.dtype).tiny)  # not recorded: the gradient is that of what was drawn
        return drawn

    def log_prob(self, value: Any) -> Tensor:
        value = value if isinstance(value, Tensor) else self.rate.new_tensor(value)
        value = value.to(self.rate.dtype)
        self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return a.xlogy(rate) + (a - 1).xlogy(value) - rate * value - a.lgamma()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self.concentration.igamma(self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1 - a) * a.digamma()


class Chi2(Gamma):
    """The sum of `df` squared normal numbers: Gamma(df / 2, 1 / 2). Source: PyTorch's `torch.distributions.Chi2`."""

    arg_constraints: ClassVar[Constraints] = {"df": constraint.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2


class Dirichlet(ExponentialFamily):
    """Points x of the simplex with density ∝ Π xᵢ^(aᵢ - 1). Source: PyTorch's `torch.distributions.Dirichlet`.

    Shape: concentration (*batch, n) → samples (*sample_shape, *batch, n).
    """

    arg_constraints: ClassVar[Constraints] = {"concentration": constraint.independent(constraint.positive, 1)}
    support = constraint.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """The corner of the largest concentration where all are below 1."""
        above = (self.concentration - 1).clamp(min=0)
        inner = above / above.sum(-1, keepdim=True)
        corners = inner.argmax(-1, keepdim=True) == functions["arange"](inner.shape[-1])
        return corners.to(inner.dtype).where((self.concentration < 1).all(-1, keepdim=True), inner)

    @property
    def variance(self) -> Tensor:
        a, total = self.concentration, self.concentration.sum(-1, keepdim=True)
        return a * (total - a) / (total**2 * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        drawn: Tensor = _DrawnDirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))
        return drawn

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        a = self.concentration
        return (a - 1).xlogy(value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        a, total, n = self.concentration, self.concentration.sum(-1), self.concentration.shape[-1]
        log_beta = a.lgamma().sum(-1) - total.lgamma()
        return log_beta - (n - total) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)


class Beta(ExponentialFamily):
    """Density ∝ x^(a - 1) (1 - x)^(b - 1) on [0, 1], a = concentration1 and b = concentration0.

    Source: PyTorch's `torch.distributions.Beta`.

    >>> Beta(2.0, 3.0).mean
    tensor(0.4000)
    """

    arg_constraints: ClassVar[Constraints] = {
        "concentration1": constraint.positive, "concentration0": constraint.positive,
    }  # fmt: skip
    support = constraint.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(functions["stack"](both, -1), validate_args=validate_args)
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    @property
    def concentration1(self) -> Tensor:
        """a."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """b."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total**2 * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._dirichlet.log_prob(functions["stack"]([value, 1 - value], -1))

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()
