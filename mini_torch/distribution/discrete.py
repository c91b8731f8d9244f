"""Distributions of events that can be counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..creation import full, zeros
from ..dtype import Size, finfo
from ..graph import no_grad
from ..op import functions
from ..ops.loss import binary_cross_entropy_with_logits
from ..random import bernoulli, binomial, poisson
from ..random import multinomial as drawn_indices
from ..tensor import Tensor
from . import constraint
from .distribution import Constraints, Distribution, ExponentialFamily
from .parameter import broadcast_all, lazy_property, logits_to_probs, probs_to_logits

__all__ = [
    "Bernoulli", "Binomial", "Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough",
    "Poisson",
]  # fmt: skip

Shape = Sequence[int]


def check_one_given(probs: Any, logits: Any) -> None:
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class OfChance(Distribution):
    """What is given by a chance: as `probs` or as `logits`, log odds; the other is computed when it is asked for."""

    _param: Tensor

    def _keep_the_given(self, probs: Any, logits: Any, *others: Any) -> list[Tensor]:
        """`others`, in one shape with what is given. Errors: ValueError unless one of `probs` and `logits` is."""
        check_one_given(probs, logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        *rest, self._param = broadcast_all(*others, given)
        vars(self)[name] = self._param
        return rest

    @lazy_property
    def probs(self) -> Tensor:
        """The probability."""
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        """ln(p / (1 - p))."""
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def param_shape(self) -> Size:
        """The shape of what was given."""
        return self._param.shape


class Bernoulli(OfChance, ExponentialFamily):
    """P(x) = pˣ (1 - p)^(1 - x), x = 0 or 1. Source: PyTorch's `torch.distributions.Bernoulli`.

    >>> Bernoulli(0.25).variance
    tensor(0.1875)
    """

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.unit_interval, "logits": constraint.real}
    support = constraint.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._keep_the_given(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return (self.probs >= 0.5).to(self.probs).masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._values(np.arange(2, dtype=self._param._array.dtype), expand)


class Binomial(OfChance):
    """P(k) = C(n, k) pᵏ (1 - p)ⁿ⁻ᵏ: how many of n = total_count trials succeed. Source: PyTorch's
    `torch.distributions.Binomial`.

    >>> Binomial(10, 0.25).mean
    tensor(2.5000)
    """

    arg_constraints: ClassVar[Constraints] = {
        "total_count": constraint.nonnegative_integer, "probs": constraint.unit_interval, "logits": constraint.real,
    }  # fmt: skip
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (count,) = self._keep_the_given(probs, logits, total_count)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def support(self) -> constraint.Constraint:
        """0 to total_count."""
        return constraint.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return functions["minimum"](((self.total_count + 1) * self.probs).floor(), self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, x = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        above = (x.clamp(min=0) + x - x.clamp(max=0)) / 2  # max(x, 0), with slope ½ at 0, where -|x| has slope 0
        return ways + value * x - n * (above + (-x.abs()).exp().log1p())

    def _equal_count(self) -> int:
        most = int(self.total_count.max())
        if self.total_count.min() != most:
            raise NotImplementedError(f"Inhomogeneous total count not supported, got {self.total_count}")
        return most

    def entropy(self) -> Tensor:
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._values(np.arange(1 + self._equal_count(), dtype=self._param._array.dtype), expand)


class Poisson(ExponentialFamily):
    """P(k) = rateᵏ exp(-rate) / k!, k = 0, 1, 2, … Source: PyTorch's `torch.distributions.Poisson`.

    >>> from mini_torch import tensor
    >>> Poisson(2.0).log_prob(tensor([0.0, 1.0])).exp()
    tensor([0.1353, 0.2707])
    """

    arg_constraints: ClassVar[Constraints] = {"rate": constraint.nonnegative}
    support = constraint.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - (value + 1).lgamma()


class Categorical(Distribution):
    """P(k) = probs[k], k = 0 … n - 1: `probs` need not sum to 1, nor exp of `logits`.

    Shape: probs (*batch, n) → int64 samples (*sample_shape, *batch). Errors: ValueError unless one of the two is given.
    Source: PyTorch's `torch.distributions.Categorical`.

    >>> from mini_torch import manual_seed, tensor
    >>> _ = manual_seed(0)
    >>> Categorical(tensor([0.25, 0.25, 0.25, 0.25])).sample()
    tensor(2)
    """

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.simplex, "logits": constraint.real_vector}
    has_enumerate_support = True
    _param: Tensor

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        check_one_given(probs, logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        assert given is not None
        if given.ndim < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        total = given.logsumexp(-1, keepdim=True) if probs is None else given.sum(-1, keepdim=True)
        self._param = vars(self)[name] = given - total if probs is None else given / total
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1."""
        return logits_to_probs(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return probs_to_logits(self.probs)

    @property
    def param_shape(self) -> Size:
        """The shape of what was given."""
        return self._param.shape

    @property
    def _num_events(self) -> int:
        return int(self._param.shape[-1])

    @property
    def support(self) -> constraint.Constraint:
        """0 … n - 1."""
        return constraint.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = drawn_indices(rows, math.prod(sample_shape), True)
        return drawn.T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        index, logits = value.long().unsqueeze(-1), self.logits
        if index.shape[:-1] != logits.shape[:-1]:
            index, logits = functions["broadcast_tensors"](index, logits)
            index = index[..., :1]
        return logits.gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._values(np.arange(self._num_events), expand)


class _OfCategories(Distribution):
    """What is made of a `Categorical` distribution's draws."""

    arg_constraints: ClassVar[Constraints] = {"probs": constraint.simplex, "logits": constraint.real_vector}
    _categorical: Categorical

    @property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of what was given."""
        return self._categorical.param_shape


class OneHotCategorical(_OfCategories):
    """One of n events, as a vector with a 1 in its place. Source: PyTorch's `torch.distributions.OneHotCategorical`."""

    support = constraint.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self.probs.argmax(-1))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _one_hot(self, index: Tensor) -> Tensor:
        out = zeros((*index.shape, self.event_shape[0]), dtype=self.probs.dtype)
        return out.scatter_(-1, index.unsqueeze(-1), 1.0)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._values(np.eye(self.event_shape[0], dtype=self.probs._array.dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical whose draws have the gradient of `probs`. Bengio, Léonard and Courville, "Estimating or
    propagating gradients through stochastic neurons", 2013; PyTorch's
    `torch.distributions.OneHotCategoricalStraightThrough`."""

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(_OfCategories):
    """P(k) = total_count! Π pᵢ^kᵢ / kᵢ!: how often each of n events occurs in total_count draws.

    Shape: probs (*batch, n) → samples (*sample_shape, *batch, n). Errors: NotImplementedError where total_count is no
    int. Source: PyTorch's `torch.distributions.Multinomial`.
    """

    def __init__(
        self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(total_count, int):
            raise NotImplementedError(f"inhomogeneous total_count is not supported, got {total_count!r}")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    @property
    def support(self) -> constraint.Constraint:
        """Counts that sum to at most total_count."""
        return constraint.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = zeros(self._extended_shape(sample_shape), dtype=drawn.dtype)
        return counts.scatter_add_(-1, drawn, drawn * 0 + 1).type_as(self.probs)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0)
        return (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1) + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        n = full((), self.total_count)  # whole: PyTorch takes its lgamma in single precision
        counts = Binomial(self.total_count, self.probs)
        values = counts.enumerate_support(False)[1:]
        repeated = (counts.log_prob(values).exp() * (values + 1).lgamma()).sum((0, -1))
        return n * self._categorical.entropy() - (n + 1).lgamma() + repeated
