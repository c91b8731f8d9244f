"""Discrete choices made smooth, and other points of the simplex: RelaxedBernoulli, RelaxedOneHotCategorical,
LogisticNormal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..creation import empty
from ..tensor import Tensor
from . import constraint
from .continuous import Normal
from .discrete import Categorical, OfChance
from .distribution import Constraints, Distribution
from .parameter import broadcast_all, clamp_probs
from .transformed import TransformedDistribution
from .transforms import ExpTransform, SigmoidTransform, StickBreakingTransform

__all__ = [
    "ExpRelaxedCategorical", "LogisticNormal", "LogitRelaxedBernoulli", "RelaxedBernoulli", "RelaxedOneHotCategorical",
]  # fmt: skip

Shape = Sequence[int]


def _as_tensor(number: Any, like: Tensor) -> Tensor:
    return number if isinstance(number, Tensor) else like.new_full((), number)


class _Tempered(Distribution):
    """Of one temperature for all of the batch."""

    temperature: Tensor

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new


class LogitRelaxedBernoulli(OfChance, _Tempered):
    """(ln u / (1 - u) + logits) / temperature, u uniform: the logit of a RelaxedBernoulli number. Source: PyTorch's
    `torch.distributions.relaxed_bernoulli.LogitRelaxedBernoulli`."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.unit_interval, "logits": constraint.real}
    support = constraint.real

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._keep_the_given(probs, logits)
        self.temperature = _as_tensor(temperature, self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        u = clamp_probs(empty(shape, dtype=self.probs.dtype).uniform_())
        probs = clamp_probs(self.probs.expand(shape))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        apart = logits - value * self.temperature
        return self.temperature.log() + apart - 2 * apart.exp().log1p()


class _OfBase(TransformedDistribution):
    """The base's parameters."""

    has_rsample = True

    @property
    def temperature(self) -> Tensor:
        """The lower, the nearer to 0 and 1."""
        return self.base_dist.temperature

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self.base_dist.probs

    @property
    def logits(self) -> Tensor:
        """Their logits."""
        return self.base_dist.logits


class RelaxedBernoulli(_OfBase):
    """A number in (0, 1), near 1 with probability `probs`, with a gradient. Maddison, Mnih and Teh, "The Concrete
    Distribution", 2017; PyTorch's `torch.distributions.RelaxedBernoulli`."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.unit_interval, "logits": constraint.real}
    support = constraint.unit_interval

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(_Tempered):
    """log_softmax((logits + Gumbel numbers) / temperature): the logarithm of a RelaxedOneHotCategorical vector. Source:
    PyTorch's `torch.distributions.relaxed_categorical.ExpRelaxedCategorical`."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.simplex, "logits": constraint.real_vector}
    support = constraint.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = _as_tensor(temperature, self.probs)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Any:
        """The shape of `probs`."""
        return self._categorical.param_shape

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        u = empty(self._extended_shape(sample_shape), dtype=self.logits.dtype).uniform_()
        gumbel = -(-clamp_probs(u).log()).log()
        return ((self.logits + gumbel) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.param_shape[-1]
        logits, value = broadcast_all(self.logits, value)
        scores = (logits - value * self.temperature).log_softmax(-1).sum(-1)
        return scores + self.temperature.new_full((), n).lgamma() + (n - 1) * self.temperature.log()


class RelaxedOneHotCategorical(_OfBase):
    """A point of the simplex, near a corner k with probability probs[k], with a gradient. Jang, Gu and Poole,
    "Categorical Reparameterization with Gumbel-Softmax", 2017; PyTorch's
    `torch.distributions.RelaxedOneHotCategorical`."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.simplex, "logits": constraint.real_vector}
    support = constraint.simplex

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)


class LogisticNormal(TransformedDistribution):
    """Normal numbers by `StickBreakingTransform`. Source: PyTorch's `torch.distributions.LogisticNormal`."""

    arg_constraints: ClassVar[Constraints] = {"loc": constraint.real, "scale": constraint.positive}
    support = constraint.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args)
        base = base if base.batch_shape else base.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The normal numbers' mean."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """Their standard deviation."""
        return self.base_dist.base_dist.scale
