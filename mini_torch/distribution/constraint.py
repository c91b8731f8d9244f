"""Constraints: where parameters and values may lie. `check` says where they do.

Source: PyTorch's page "torch.distributions", section "Constraints".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor

__all__ = [
    "Constraint", "boolean", "greater_than", "greater_than_eq", "half_open_interval", "independent",
    "integer_interval", "interval", "less_than", "multinomial", "nonnegative", "nonnegative_integer", "one_hot",
    "positive", "positive_integer", "real", "real_vector", "simplex", "unit_interval",
]  # fmt: skip

Check = Callable[[Any], Any]


class Constraint:
    """A region. `event_dim` of a value's last dimensions are judged together; `is_discrete` if it has gaps.

    >>> from mini_torch import tensor
    >>> positive, positive.check(tensor([-1., 0., 1.]))
    (GreaterThan(lower_bound=0.0), tensor([False, False,  True]))
    """

    def __init__(self, name: str, check: Check, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        self.name, self._check = name, check
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, value: Tensor) -> Tensor:
        """True for each event that lies inside."""
        return self._check(value)

    def __repr__(self) -> str:
        return self.name


def _is_whole(x: Any) -> Any:
    return x % 1 == 0


def greater_than(lower_bound: Any) -> Constraint:
    """x > lower_bound."""
    return Constraint(f"GreaterThan(lower_bound={lower_bound})", lambda x: x > lower_bound)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """x ≥ lower_bound."""
    return Constraint(f"GreaterThanEq(lower_bound={lower_bound})", lambda x: x >= lower_bound)


def less_than(upper_bound: Any) -> Constraint:
    """x < upper_bound."""
    return Constraint(f"LessThan(upper_bound={upper_bound})", lambda x: x < upper_bound)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """lower_bound ≤ x ≤ upper_bound."""
    return Constraint(
        f"Interval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: (x >= lower_bound) & (x <= upper_bound),
    )


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """lower_bound ≤ x < upper_bound."""
    return Constraint(
        f"HalfOpenInterval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: (x >= lower_bound) & (x < upper_bound),
    )


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """The integers from lower_bound to upper_bound."""
    return Constraint(
        f"IntegerInterval(lower_bound={lower_bound}, upper_bound={upper_bound})",
        lambda x: _is_whole(x) & (x >= lower_bound) & (x <= upper_bound), is_discrete=True,
    )  # fmt: skip


def _integer_from(lower_bound: int) -> Constraint:
    return Constraint(
        f"IntegerGreaterThan(lower_bound={lower_bound})", lambda x: _is_whole(x) & (x >= lower_bound), is_discrete=True
    )


def multinomial(upper_bound: Any) -> Constraint:
    """Counts whose sum is at most upper_bound."""
    return Constraint(
        "Multinomial()", lambda x: (x >= 0).all(-1) & (x.sum(-1) <= upper_bound), is_discrete=True, event_dim=1
    )


def independent(base_constraint: Constraint, reinterpreted_batch_ndims: int) -> Constraint:
    """`base_constraint` for all of the last dimensions together."""
    count = reinterpreted_batch_ndims

    def check(x: Any) -> Any:
        if x.ndim < base_constraint.event_dim + count:
            raise ValueError(f"Expected value.dim() >= {base_constraint.event_dim + count} but got {x.ndim}")
        inside = base_constraint.check(x)
        return inside.reshape((*inside.shape[: inside.ndim - count], -1)).all(-1)

    return Constraint(
        f"IndependentConstraint({base_constraint}, {count})", check, is_discrete=base_constraint.is_discrete,
        event_dim=base_constraint.event_dim + count,
    )  # fmt: skip


real = Constraint("Real()", lambda x: x == x)
positive, nonnegative = greater_than(0.0), greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
boolean = Constraint("Boolean()", lambda x: (x == 0) | (x == 1), is_discrete=True)
nonnegative_integer, positive_integer = _integer_from(0), _integer_from(1)
real_vector = independent(real, 1)
simplex = Constraint("Simplex()", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), event_dim=1)
one_hot = Constraint(
    "OneHot()", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), is_discrete=True, event_dim=1
)
