"""`transform_to` and `biject_to`: a transform from all real numbers onto a constraint's region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraint
from .transform import ComposeTransform, IndependentTransform, Transform, identity_transform
from .transforms import (
    AffineTransform,
    ExpTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SigmoidTransform,
    SoftmaxTransform,
    StickBreakingTransform,
)

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """Finds a transform by the kind of a constraint. Errors: NotImplementedError where there is none.

    >>> transform_to(constraint.positive)
    ExpTransform()
    """

    def __init__(self) -> None:
        self._factories: dict[Any, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Enters a function of the constraint, for all constraints of its kind; without one, a decorator that does.

        Errors: TypeError for what is no constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        self._factories[_kind(constraint)] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        try:
            factory = self._factories[_kind(constraint)]
        except KeyError:
            raise NotImplementedError(f"Cannot transform {_kind(constraint)} constraints") from None
        return factory(constraint)


def _kind(given: Any) -> Any:
    """What a constraint's family is told by: its name, or the class of one that users define."""
    if isinstance(given, constraint.Constraint):
        return getattr(given, "name", type(given))
    if isinstance(given, type) and issubclass(given, constraint.Constraint):
        return given
    probe = {constraint.interval: (0, 1), constraint.half_open_interval: (0, 1), constraint.independent: (_real, 1)}
    if callable(given):
        made = given(*probe.get(given, (0,)))
        if isinstance(made, constraint.Constraint):
            return _kind(made)
    raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {given}")


_real = constraint.real
biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _above(region: Any) -> Transform:
    zero = not hasattr(region.lower_bound, "shape") and region.lower_bound == 0
    return ExpTransform() if zero else ComposeTransform([ExpTransform(), AffineTransform(region.lower_bound, 1)])


def _between(region: Any) -> Transform:
    low, high = region.lower_bound, region.upper_bound
    if not hasattr(low, "shape") and not hasattr(high, "shape") and (low, high) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])


def _each_of(registry: ConstraintRegistry) -> Factory:
    def factory(region: Any) -> Transform:
        return IndependentTransform(registry(region.base_constraint), region.reinterpreted_batch_ndims)

    return factory


for _registry in (biject_to, transform_to):
    _registry.register(constraint.real, lambda region: identity_transform)
    _registry.register(constraint.greater_than, _above)
    _registry.register(constraint.greater_than_eq, _above)
    _registry.register(
        constraint.less_than,
        lambda region: ComposeTransform([ExpTransform(), AffineTransform(region.upper_bound, -1)]),
    )
    _registry.register(constraint.interval, _between)
    _registry.register(constraint.half_open_interval, _between)
    _registry.register(constraint.independent, _each_of(_registry))
biject_to.register(constraint.simplex, lambda region: StickBreakingTransform())
transform_to.register(constraint.simplex, lambda region: SoftmaxTransform())
transform_to.register(constraint.lower_cholesky, lambda region: LowerCholeskyTransform())
transform_to.register(constraint.positive_definite, lambda region: PositiveDefiniteTransform())
transform_to.register(constraint.positive_semidefinite, lambda region: PositiveDefiniteTransform())
