"""`ContinuousBernoulli`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..graph import no_grad
from ..ops.loss import binary_cross_entropy_with_logits
from ..random import rand
from ..tensor import Tensor
from . import constraint
from .discrete import OfChance
from .distribution import Constraints, ExponentialFamily
from .parameter import broadcast_all, clamp_probs, lazy_property, logits_to_probs

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(OfChance, ExponentialFamily):
    """Density ∝ pˣ (1 - p)^(1 - x) on [0, 1]: for grey values in place of bits.

    The formulas divide 0 by 0 at p = ½; within `lims` their Taylor series stand in. Errors: ValueError unless just one
    of `probs` and `logits` is given. Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error
    in variational autoencoders", 2019. Source: PyTorch's `torch.distributions.ContinuousBernoulli`.

    >>> ContinuousBernoulli(0.5).variance
    tensor(0.0833)
    """

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.unit_interval, "logits": constraint.real}
    support = constraint.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self._keep_the_given(probs, logits)
        if probs is not None:
            # before they are clamped: then they would always pass
            if validate_args is not None and not constraint.unit_interval.check(self._param).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self._param)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """p: the probability of 1 in the Bernoulli distribution of the same logits."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _away_from_half(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Tensor:
        """p, or the lower limit where p is near ½."""
        return self.probs.where(self._away_from_half(), self._lims[0])

    def log_norm(self) -> Tensor:
        """ln C, by which the density is 1 in sum: C = 2 artanh(1 - 2p) / (1 - 2p)."""
        p = self._cut_probs()
        below, above = p.where(p <= 0.5, 0.0), p.where(p >= 0.5, 1.0)
        ratio = ((-p).log1p() - p.log()).abs().log() - (-2 * below).log1p().where(p <= 0.5, (2 * above - 1).log())
        x = (self.probs - 0.5) ** 2
        return ratio.where(self._away_from_half(), math.log(2) + (4 / 3 + 104 / 45 * x) * x)

    @property
    def mean(self) -> Tensor:
        p, x = self._cut_probs(), self.probs - 0.5
        exact = p / (2 * p - 1) + 1 / ((-p).log1p() - p.log())
        return exact.where(self._away_from_half(), 0.5 + (1 / 3 + 16 / 45 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        p, x = self._cut_probs(), (self.probs - 0.5) ** 2
        exact = p * (p - 1) / (1 - 2 * p) ** 2 + 1 / ((-p).log1p() - p.log()) ** 2
        return exact.where(self._away_from_half(), 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self.log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        p = self._cut_probs()
        exact = (p**value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1)
        inside = exact.where(self._away_from_half(), value)
        return inside.masked_fill(value >= 1, 1.0).masked_fill(value <= 0, 0.0)

    def icdf(self, value: Tensor) -> Tensor:
        p = self._cut_probs()
        exact = ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return exact.where(self._away_from_half(), value)

    def entropy(self) -> Tensor:
        zero, one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (zero - one) - self.log_norm() - zero
