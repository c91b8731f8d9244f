"""Constraints: regions that a parameter or a sample must lie in, and how to ask whether it does.

`check(value)` gives a bool tensor without the `event_dim` last axes, which together are one event. A region with bounds
is a class, one without is an object: `greater_than(2.0)`, `simplex`. PyTorch's `torch.distributions.constraints`, whose
names and texts these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..dtype import finfo
from ..ops.join import cat as _joined
from ..ops.join import stack as _stacked
from ..tensor import Tensor

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval",
    "is_dependent", "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip

class Constraint:
    """A region. `is_discrete`: it holds single points; `event_dim`: how many last axes are one event."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event in `value` lies in the region."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}({', '.join(f'{name}={x}' for name, x in vars(self).items())})"


# ---- numbers -----------------------------------------------------------------------------------------------
class _Real(Constraint):
    """All but NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value


class _Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


@dataclass(eq=False, repr=False)
class _GreaterThan(Constraint):
    """lower_bound < x."""

    lower_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return self.lower_bound < value


@dataclass(eq=False, repr=False)
class _GreaterThanEq(Constraint):
    """lower_bound ≤ x."""

    lower_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return self.lower_bound <= value


@dataclass(eq=False, repr=False)
class _LessThan(Constraint):
    """x < upper_bound."""

    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


@dataclass(eq=False, repr=False)
class _Interval(Constraint):
    """lower_bound ≤ x ≤ upper_bound."""

    lower_bound: Any
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


@dataclass(eq=False, repr=False)
class _HalfOpenInterval(Constraint):
    """lower_bound ≤ x < upper_bound."""

    lower_bound: Any
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (self.lower_bound <= value) & (value < self.upper_bound)


@dataclass(eq=False, repr=False)
class _IntegerInterval(Constraint):
    """lower_bound ≤ n ≤ upper_bound, whole."""

    is_discrete = True
    lower_bound: Any
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        inside = (self.lower_bound <= value) & (value <= self.upper_bound)
        return (value % 1 == 0) & inside if value.is_floating_point() else inside


@dataclass(eq=False, repr=False)
class _IntegerGreaterThan(Constraint):
    """lower_bound ≤ n, whole."""

    is_discrete = True
    lower_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= self.lower_bound)


real: Constraint = _Real()
boolean: Constraint = _Boolean()
greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, integer_interval = _Interval, _HalfOpenInterval, _IntegerInterval
positive: Constraint = greater_than(0.0)
nonnegative: Constraint = greater_than_eq(0.0)
unit_interval: Constraint = interval(0.0, 1.0)
nonnegative_integer: Constraint = _IntegerGreaterThan(0)
positive_integer: Constraint = _IntegerGreaterThan(1)


# ---- vectors -----------------------------------------------------------------------------------------------
class _OneHot(Constraint):
    """A single 1 among zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return boolean.check(value).all(-1) & (value.sum(-1) == 1)


class _Simplex(Constraint):
    """Numbers, none negative, of sum 1."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


@dataclass(eq=False, repr=False)
class _Multinomial(Constraint):
    """Counts, none negative, that sum to no more than upper_bound."""

    is_discrete = True
    event_dim = 1
    upper_bound: Any

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def __repr__(self) -> str:
        return "Multinomial()"


one_hot: Constraint = _OneHot()
simplex: Constraint = _Simplex()
multinomial = _Multinomial


# ---- matrices ----------------------------------------------------------------------------------------------
class _LowerTriangular(Constraint):
    """Zeros above the diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(_LowerTriangular):
    """Zeros above the diagonal, on it positive numbers."""

    def check(self, value: Tensor) -> Tensor:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    """L of a correlation matrix L Lᵀ: its rows have length 1."""

    def check(self, value: Tensor) -> Tensor:
        length = value.detach().square().sum(-1).sqrt()
        near = (length - 1).abs() <= finfo(value.dtype).eps * value.shape[-1] * 10
        return super().check(value) & near.all(-1)


class _Square(Constraint):
    """As many rows as columns."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return value.new_full(value.shape[:-2], value.shape[-2] == value.shape[-1]).bool()


class _Symmetric(_Square):
    """Equal to the transpose, up to 1e-6."""

    def check(self, value: Tensor) -> Tensor:
        square_there = super().check(value)
        return value.isclose(value.mT, atol=1e-6).all(-2).all(-1) if square_there.all() else square_there


class _PositiveSemidefinite(_Symmetric):
    """Symmetric, with no negative eigenvalue."""

    def check(self, value: Tensor) -> Tensor:
        from ..ops.linalg.spectrum import eigvalsh  # opens when it is asked for

        symmetric_there = super().check(value)
        return eigvalsh(value).ge(0).all(-1) if symmetric_there.all() else symmetric_there


class _PositiveDefinite(_Symmetric):
    """Symmetric, with a Cholesky factor."""

    def check(self, value: Tensor) -> Tensor:
        from ..ops.linalg.definite import cholesky_ex  # opens when it is asked for

        symmetric_there = super().check(value)
        return cholesky_ex(value).info.eq(0) if symmetric_there.all() else symmetric_there


lower_triangular: Constraint = _LowerTriangular()
lower_cholesky: Constraint = _LowerCholesky()
corr_cholesky: Constraint = _CorrCholesky()
square: Constraint = _Square()
symmetric: Constraint = _Symmetric()
positive_semidefinite: Constraint = _PositiveSemidefinite()
positive_definite: Constraint = _PositiveDefinite()


# ---- made of others ----------------------------------------------------------------------------------------
class _IndependentConstraint(Constraint):
    """As `base_constraint`, where the next `reinterpreted_batch_ndims` axes belong to the event too."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        inside, dims = self.base_constraint.check(value), self.reinterpreted_batch_ndims
        if inside.dim() < dims:
            raise ValueError(f"Expected value.dim() >= {self.base_constraint.event_dim + dims} but got {value.dim()}")
        for _ in range(dims):
            inside = inside.all(-1)
        return inside

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """What each component of a mixture takes: the value is compared with all of them."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        inside = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        if value.dim() < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return inside.reshape((*inside.shape[: value.dim() - self.event_dim], -1)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class _Parts(Constraint):
    """Each part of the value, along `dim`, in a region of its own."""

    cseq: list[Constraint]
    dim: int

    @property
    def is_discrete(self) -> Any:
        return any(part.is_discrete for part in self.cseq)

    @property
    def event_dim(self) -> Any:
        return max(part.event_dim for part in self.cseq)

    def _check_dim(self, value: Tensor) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for value with {value.dim()} dimensions")

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}()"


class _Cat(_Parts):
    """Parts of the given lengths, one after the other. Errors: AssertionError where a part is no constraint."""

    def __init__(self, cseq: Any, dim: int = 0, lengths: Any = None) -> None:
        self.cseq, self.dim = _all_constraints(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    def check(self, value: Tensor) -> Tensor:
        self._check_dim(value)
        starts = accumulate(self.lengths, initial=0)
        parts = zip(self.cseq, starts, self.lengths)
        return _joined([part.check(value.narrow(self.dim, i, n)) for part, i, n in parts], self.dim)


class _Stack(_Parts):
    """Single places. Errors: AssertionError where a part is no constraint."""

    def __init__(self, cseq: Any, dim: int = 0) -> None:
        self.cseq, self.dim = _all_constraints(cseq), dim

    @property
    def event_dim(self) -> Any:
        most = super().event_dim
        return most + (self.dim + most < 0)

    def check(self, value: Tensor) -> Tensor:
        self._check_dim(value)
        return _stacked([part.check(place) for part, place in zip(self.cseq, value.unbind(self.dim))], self.dim)


def _all_constraints(cseq: Any) -> list[Constraint]:
    """As a list. Errors: AssertionError, as PyTorch's, where one is no constraint."""
    if not all(isinstance(part, Constraint) for part in cseq):
        raise AssertionError("All elements of cseq must be Constraint instances")
    return list(cseq)


independent, cat, stack = _IndependentConstraint, _Cat, _Stack
real_vector: Constraint = independent(real, 1)


# ---- what depends on other parameters ----------------------------------------------------------------------
class _Dependent(Constraint):
    """Stands for a region that depends on other parameters; it cannot be checked alone."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> Any:
        return self._known("is_discrete")

    @property
    def event_dim(self) -> Any:
        return self._known("event_dim")

    def _known(self, name: str) -> Any:
        value = vars(self)["_" + name]
        if value is NotImplemented:
            raise NotImplementedError(f".{name} cannot be determined statically")
        return value

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> Constraint:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __repr__(self) -> str:
        return "Dependent()"


class _DependentProperty(property, _Dependent):
    """A property that stands for a dependent constraint when it is read from the class."""

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Any) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


dependent, dependent_property = _Dependent(), _DependentProperty


def is_dependent(constraint: Any) -> bool:
    """Whether it depends on other parameters."""
    return isinstance(constraint, _Dependent)
