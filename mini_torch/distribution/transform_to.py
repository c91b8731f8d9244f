"""`transform_to` and `biject_to`: a transform from all real numbers onto a constraint's region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from . import constraint
from .constraint import Constraint
from .joined import CatTransform, StackTransform
from .transform import ComposeTransform, IndependentTransform, Transform, identity_transform
from .transforms import (
    AffineTransform,
    CorrCholeskyTransform,
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
    """Finds a transform by a constraint's class. Errors: NotImplementedError where there is none.

    >>> transform_to(constraint.unit_interval)
    SigmoidTransform()
    """

    def __init__(self) -> None:
        self._factories: dict[type, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Enters a function of the constraint, for all constraints of its class; without one, a decorator that does.

        Errors: TypeError for what is no constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._factories[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        try:
            factory = self._factories[type(constraint)]
        except KeyError:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints") from None
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _above(region: Any) -> Transform:
    return ComposeTransform([ExpTransform(), AffineTransform(region.lower_bound, 1)])


def _below(region: Any) -> Transform:
    return ComposeTransform([ExpTransform(), AffineTransform(region.upper_bound, -1)])


def _between(region: Any) -> Transform:
    low, high = region.lower_bound, region.upper_bound
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and (low, high) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])


def _enter_what_both_have(registry: ConstraintRegistry) -> None:
    enter = registry.register
    enter(constraint.real, lambda region: identity_transform)
    for bounded_below in (constraint.greater_than, constraint.greater_than_eq):
        enter(bounded_below, _above)
    enter(constraint.less_than, _below)
    for bounded in (constraint.interval, constraint.half_open_interval):
        enter(bounded, _between)
    enter(constraint.corr_cholesky, lambda region: CorrCholeskyTransform())
    enter(
        constraint.independent,
        lambda region: IndependentTransform(registry(region.base_constraint), region.reinterpreted_batch_ndims),
    )
    enter(constraint.cat, lambda region: CatTransform(map(registry, region.cseq), region.dim, region.lengths))
    enter(constraint.stack, lambda region: StackTransform(map(registry, region.cseq), region.dim))


for _registry in (biject_to, transform_to):
    _enter_what_both_have(_registry)
biject_to.register(constraint.simplex, lambda region: StickBreakingTransform())
transform_to.register(constraint.simplex, lambda region: SoftmaxTransform())
transform_to.register(constraint.lower_cholesky, lambda region: LowerCholeskyTransform())
for _definite in (constraint.positive_definite, constraint.positive_semidefinite):
    transform_to.register(_definite, lambda region: PositiveDefiniteTransform())
