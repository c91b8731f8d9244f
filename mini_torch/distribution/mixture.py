"""`MixtureSameFamily`: a draw from one of several distributions of a family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..graph import no_grad
from ..tensor import Tensor
from .constraint import MixtureSameFamilyConstraint
from .discrete import Categorical
from .distribution import Constraints, Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """p(x) = Σₖ probs[k] pₖ(x), where the last axis of the components' batch counts k.

    Errors: ValueError where the batches or the numbers of components differ. Source: PyTorch's
    `torch.distributions.MixtureSameFamily`.

    >>> from mini_torch import tensor
    >>> from mini_torch.distribution import Normal
    >>> two = MixtureSameFamily(Categorical(tensor([0.3, 0.7])), Normal(tensor([0.0, 10.0]), tensor([1.0, 2.0])))
    >>> two.mean, two.cdf(tensor(5.0))
    (tensor(7.), tensor(0.3043))
    """

    arg_constraints: ClassVar[Constraints] = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        batch, of_each = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        if any(i != j and 1 not in (i, j) for i, j in zip(reversed(batch), reversed(of_each))):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({batch}) is not compatible with "
                f"`component_distribution.batch_shape`({of_each})"
            )
        count, components = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if count != components:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({components})"
            )
        super().__init__(of_each, component_distribution.event_shape, validate_args=validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        """Which component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    @property
    def support(self) -> Any:
        """What all components take."""
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def _axis(self) -> int:
        """The components' axis in what the components give."""
        return -1 - len(self._event_shape)

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1 for _ in self._event_shape)))

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(self._axis)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        weights, means = self._weights(), self._component_distribution.mean
        within = (weights * self._component_distribution.variance).sum(self._axis)
        return within + (weights * (means - self.mean.unsqueeze(self._axis)) ** 2).sum(self._axis)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with no_grad():
            which = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            which = which.reshape((*which.shape, *(1 for _ in range(len(self._event_shape) + 1))))
            shape = list(drawn.shape)
            shape[self._axis] = 1
            return drawn.gather(self._axis, which.expand(shape)).squeeze(self._axis)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        each = self._component_distribution.log_prob(value.unsqueeze(self._axis))
        return (each + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        each = self._component_distribution.cdf(value.unsqueeze(self._axis))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
