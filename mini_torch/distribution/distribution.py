"""What all probability distributions have in common. Source: PyTorch's page "torch.distributions"."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from ..backward import grad
from ..creation import finish
from ..dtype import Size
from ..graph import enable_grad, mode, no_grad, verify
from ..tensor import Tensor
from .constraint import Constraint, is_dependent
from .parameter import lazy_property

__all__ = ["Distribution", "ExponentialFamily"]

Constraints = dict[str, Constraint]


def _check(good: Any, value: Any, words: str) -> None:
    if not good.all():
        raise ValueError(f"{words}, but found invalid values:\n{value}")


class Distribution:
    """A batch of distributions of one family: of shape `batch_shape`, each of events of shape `event_shape`.

    `sample` and (with a gradient to the parameters, where `has_rsample`) `rsample` draw in the shape
    sample_shape + batch_shape + event_shape. Arguments are checked unless `validate_args=False`.
    """

    has_rsample: Any = False
    has_enumerate_support: bool = False
    arg_constraints: ClassVar[Constraints]
    support: Any
    _validate_args: bool = __debug__

    def __init__(
        self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether arguments are checked where a distribution does not say. Errors: ValueError unless a bool."""
        if value not in (True, False):
            raise ValueError(f"validate_args is True or False, got {value!r}")
        Distribution._validate_args = value

    def _check_parameters(self) -> None:
        constraints = getattr(self, "arg_constraints", None)
        if constraints is None:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize "
                "the distribution with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
        for name, constraint in (constraints or {}).items():
            unasked = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
            if not (unasked or is_dependent(constraint)):
                self._check_parameter(name, constraint)

    def _check_parameter(self, name: str, constraint: Constraint) -> None:
        value = getattr(self, name)
        if mode.recorder is not None:  # the same at every call, with fewer words
            words = f"Expected parameter {name} of distribution {type(self).__name__} to satisfy the constraint"
            verify(_check, constraint.check(value)._array, value._array, f"{words} {type(constraint).__name__}")
        elif not constraint.check(value).all():
            raise ValueError(
                f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
            )

    # ---- shapes --------------------------------------------------------------------------------------------
    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single sample."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Size:
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distribution for a larger batch; the parameters are views."""
        new = copy.copy(self) if _instance is None else _instance
        new._batch_shape = Size(batch_shape)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                own = value.shape[len(self._batch_shape) :]
                setattr(new, name, value.expand((*batch_shape, *own)))
            elif isinstance(value, Distribution):
                setattr(new, name, value.expand((*batch_shape, *value.batch_shape[len(self._batch_shape) :])))
        return new

    # ---- what families define ------------------------------------------------------------------------------
    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The value of the highest probability."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The mean squared distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Drawn so that the gradient reaches the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample")

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Drawn, outside the graph."""
        with no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n: int) -> Tensor:
        """sample((n,)), as PyTorch had it once."""
        message = "`sample_n(n)` will be deprecated. Use `sample((n,))` instead."
        warnings.warn(message, FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability or density at `value`. Errors: ValueError outside the support."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of less than or exactly `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Minus the mean of `log_prob`, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """exp of the entropy."""
        return self.entropy().exp()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension; in the batch's shape if `expand`."""
        raise NotImplementedError

    # ---- checks --------------------------------------------------------------------------------------------
    def _validate_sample(self, value: Any) -> None:
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError(f"The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        given, wanted = value.shape, self._batch_shape + self._event_shape
        if given[len(given) - len(self._event_shape) :] != self._event_shape:
            raise ValueError(f"The right-most size of value must match event_shape: {given} vs {self._event_shape}.")
        if any(i != j and 1 not in (i, j) for i, j in zip(reversed(given), reversed(wanted))):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {given} vs {wanted}.")
        if not hasattr(self, "support"):
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
        elif mode.recorder is not None:
            words = f"Expected value argument of shape {tuple(given)} to be within the support of {type(self).__name__}"
            verify(_check, self.support.check(value)._array, value._array, words)
        elif not self.support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(given)}) to be within the support "
                f"({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _values(self, values: Any, expand: bool) -> Tensor:
        """The support's values, an array with the events last, as `enumerate_support` gives them."""
        count, event = len(values), values.shape[1:]
        given = finish(values, None, False).reshape((count, *(1 for _ in self._batch_shape), *event))
        return given.expand((count, *self._batch_shape, *event)) if expand else given

    def __repr__(self) -> str:
        shown = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        parts = [f"{name}: {x if x.numel() == 1 else x.shape}" for name, x in shown.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


class ExponentialFamily(Distribution):
    """The families whose density is exp(⟨t(x), θ⟩ - F(θ) + k(x)). PyTorch's `distributions.ExponentialFamily`.

    A family that says its natural parameters θ (`_natural_params`), F (`_log_normalizer`, a function of them) and the
    mean of k (`_mean_carrier_measure`) gets `entropy` and `kl_divergence` from the slope of F.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    def log_norm_with_slopes(self) -> tuple[Tensor, Sequence[Tensor], list[Tensor]]:
        """F(θ), ∇F(θ), and the θ they are of, which no longer hang on what the distribution was made from."""
        with enable_grad():
            given = [x.detach().requires_grad_() for x in self._natural_params]
            log_norm = self._log_normalizer(*given)
            return log_norm, grad(log_norm.sum(), given, create_graph=True), given

    def entropy(self) -> Tensor:
        log_norm, slopes, given = self.log_norm_with_slopes()
        out = log_norm - self._mean_carrier_measure
        for x, slope in zip(given, slopes):
            out = out - (x * slope).reshape((*self._batch_shape, -1)).sum(-1)
        return out
