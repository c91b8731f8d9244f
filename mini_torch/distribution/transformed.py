"""What transforms make of other distributions: TransformedDistribution, LogNormal, HalfNormal, HalfCauchy, Gumbel."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..dtype import Size, finfo
from ..graph import no_grad
from ..tensor import Tensor
from . import constraint
from .continuous import Normal, Uniform
from .distribution import Constraints, Distribution
from .heavy_tailed import Cauchy
from .independent import Independent
from .parameter import broadcast_all, total
from .transform import ComposeTransform, Transform
from .transforms import AbsTransform, AffineTransform, ExpTransform

__all__ = ["Gumbel", "HalfCauchy", "HalfNormal", "LogNormal", "TransformedDistribution"]

Shape = Sequence[int]


class TransformedDistribution(Distribution):
    """f(x), where x is drawn from the base and f is the transforms, the first first.

    ln p(y) = ln p(x) - ln |det dy/dx|. Errors: ValueError for what is no transform. Source: PyTorch's
    `torch.distributions.TransformedDistribution`.

    >>> from mini_torch import tensor
    >>> squashed = TransformedDistribution(Normal(0.0, 1.0), ExpTransform())
    >>> squashed.log_prob(tensor(2.0)), LogNormal(0.0, 1.0).log_prob(tensor(2.0))
    (tensor(-1.8523), tensor(-1.8523))
    """

    arg_constraints: ClassVar[Constraints] = {}

    def __init__(
        self, base_distribution: Any, transforms: Transform | list[Transform], validate_args: bool | None = None
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        if not all(isinstance(each, Transform) for each in self.transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        whole, base = ComposeTransform(self.transforms), base_distribution
        shape, dims = base.batch_shape + base.event_shape, len(base.event_shape)
        into, out = whole.domain.event_dim, whole.codomain.event_dim
        if len(shape) < into:
            raise ValueError(f"base_distribution needs to have shape with size at least {into}, but got {shape}.")
        end = Size(whole.forward_shape(shape))
        start = Size(whole.inverse_shape(end))
        if start != shape:
            base = base.expand(start[: len(start) - dims])
        self.base_dist: Any = Independent(base, into - dims) if into > dims else base
        cut = len(end) - max(out, dims + out - into)
        super().__init__(end[:cut], end[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Any:
        new = copy.copy(self) if _instance is None else _instance
        shape = Size(batch_shape) + self.event_shape
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        base = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        parameters = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        wider = {name: value.expand(batch_shape) for name, value in parameters.items()}
        vars(new).update(vars(self), base_dist=base, _batch_shape=Size(batch_shape), **wider)
        return new

    @property
    def support(self) -> Any:
        """Where the last transform leads."""
        if not self.transforms:
            return self.base_dist.support
        end, dims = self.transforms[-1].codomain, len(self.event_shape)
        return constraint.independent(end, dims - end.event_dim) if dims > end.event_dim else end

    @property
    def has_rsample(self) -> Any:
        """As the base has."""
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        dims, y = len(self.event_shape), value
        log_prob: Any = 0.0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            log_prob = log_prob - total(transform.log_abs_det_jacobian(x, y), dims - transform.domain.event_dim)
            y = x
        return log_prob + total(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape))

    def _turned(self, probability: Tensor) -> Tensor:
        """1 - probability where the transforms turn the order round."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return probability if isinstance(sign, int) and sign == 1 else sign * (probability - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._through(self.base_dist.icdf(self._turned(value)))


class LogNormal(TransformedDistribution):
    """Density exp(-½ ((ln x - loc) / scale)²) / (√(2π) scale x): exp of a normal number. Source: PyTorch's
    `torch.distributions.LogNormal`."""

    arg_constraints: ClassVar[Constraints] = {"loc": constraint.real, "scale": constraint.positive}
    support = constraint.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale**2 / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale**2).exp()

    @property
    def variance(self) -> Tensor:
        square = self.scale**2
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc


class _Half(TransformedDistribution):
    """|x|, where x is symmetric about 0."""

    arg_constraints: ClassVar[Constraints] = {"scale": constraint.positive}
    support = constraint.nonnegative
    has_rsample = True

    @property
    def scale(self) -> Tensor:
        """The base's scale."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        return self.scale.new_zeros(self.scale.shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        log_prob = self.base_dist.log_prob(value) + math.log(2)
        return log_prob.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """Density 2 exp(-½ (x / scale)²) / (√(2π) scale), x ≥ 0. Source: PyTorch's `torch.distributions.HalfNormal`."""

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        return self.scale**2 * (1 - 2 / math.pi)


class HalfCauchy(_Half):
    """Density 2 / (π scale (1 + (x / scale)²)), x ≥ 0. Source: PyTorch's `torch.distributions.HalfCauchy`."""

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale.new_full(self._extended_shape(), math.inf)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        """In the scale's type."""
        return super().log_prob(value.to(self.scale.dtype) if isinstance(value, Tensor) else value)


class Gumbel(TransformedDistribution):
    """Density exp(-z - exp(-z)) / scale, z = (x - loc) / scale: the largest of many. Drawn as
    loc - scale · ln(-ln u), u uniform. Source: PyTorch's `torch.distributions.Gumbel`."""

    arg_constraints: ClassVar[Constraints] = {"loc": constraint.real, "scale": constraint.positive}
    support = constraint.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits, blank = finfo(self.loc.dtype), self.loc.detach()
        low, high = blank.new_full(blank.shape, limits.tiny), blank.new_full(blank.shape, 1 - limits.eps)
        base = Uniform(low, high, validate_args)
        log = ExpTransform().inv
        turn = AffineTransform(0, -blank.new_ones(blank.shape))
        super().__init__(base, [log, turn, log, AffineTransform(loc, -self.scale)], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * np.euler_gamma

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev**2

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + np.euler_gamma)
