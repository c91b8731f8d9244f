"""Constraints: regions that a parameter or a sample must lie in, and how to ask whether it does.

`check(value)` gives a bool tensor without the `event_dim` last axes, which together are one event.
PyTorch's `torch.distributions.constraints`, whose names and texts these are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtype import finfo
from ..ops.join import cat as _joined
from ..ops.join import stack as _stacked
from ..tensor import Tensor

__all__ = [
    "Constraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property", "greater_than",
    "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent", "less_than",
    "lower_cholesky", "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square",
    "stack", "symmetric", "unit_interval",
]  # fmt: skip


class Constraint:
    """A region. `is_discrete`: it holds single points; `event_dim`: how many last axes are one event."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event in `value` lies in the region."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return type(self).__name__.lstrip("_") + "()"


class _Region(Constraint):
    """A region given by its test; `bounds` are what its name is printed with."""

    def __init__(
        self, name: str, check: Callable[[Tensor], Tensor], *, is_discrete: bool = False, event_dim: int = 0,
        **bounds: Any,
    ) -> None:  # fmt: skip
        self.name, self._check, self.is_discrete, self.event_dim = name, check, is_discrete, event_dim
        self._bounds = bounds
        vars(self).update(bounds)

    def check(self, value: Tensor) -> Tensor:
        return self._check(value)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={bound}' for name, bound in self._bounds.items())})"


# ---- numbers -----------------------------------------------------------------------------------------------
def greater_than(lower_bound: Any) -> Constraint:
    """lower_bound < x."""
    return _Region("GreaterThan", lambda x: lower_bound < x, lower_bound=lower_bound)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """lower_bound ≤ x."""
    return _Region("GreaterThanEq", lambda x: lower_bound <= x, lower_bound=lower_bound)


def less_than(upper_bound: Any) -> Constraint:
    """x < upper_bound."""
    return _Region("LessThan", lambda x: x < upper_bound, upper_bound=upper_bound)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """lower_bound ≤ x ≤ upper_bound."""
    inside = lambda x: (lower_bound <= x) & (x <= upper_bound)  # noqa: E731
    return _Region("Interval", inside, lower_bound=lower_bound, upper_bound=upper_bound)


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """lower_bound ≤ x < upper_bound."""
    inside = lambda x: (lower_bound <= x) & (x < upper_bound)  # noqa: E731
    return _Region("HalfOpenInterval", inside, lower_bound=lower_bound, upper_bound=upper_bound)


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """lower_bound ≤ n ≤ upper_bound, whole."""
    inside = lambda x: (x % 1 == 0) & (lower_bound <= x) & (x <= upper_bound)  # noqa: E731
    bounds = {"lower_bound": lower_bound, "upper_bound": upper_bound}
    return _Region("IntegerInterval", inside, is_discrete=True, **bounds)


def _integers_from(lower_bound: int) -> Constraint:
    whole = lambda x: (x % 1 == 0) & (x >= lower_bound)  # noqa: E731
    return _Region("IntegerGreaterThan", whole, is_discrete=True, lower_bound=lower_bound)


real: Constraint = _Region("Real", lambda x: x == x)  # all but NaN
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
nonnegative_integer = _integers_from(0)
positive_integer = _integers_from(1)
boolean: Constraint = _Region("Boolean", lambda x: (x == 0) | (x == 1), is_discrete=True)


# ---- vectors -----------------------------------------------------------------------------------------------
def _one_hot(x: Tensor) -> Tensor:
    return ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1)


def multinomial(upper_bound: Any) -> Constraint:
    """Counts, none negative, that sum to no more than upper_bound."""
    inside = lambda x: (x >= 0).all(-1) & (x.sum(-1) <= upper_bound)  # noqa: E731
    return _Region("Multinomial", inside, is_discrete=True, event_dim=1)


one_hot: Constraint = _Region("OneHot", _one_hot, is_discrete=True, event_dim=1)
simplex: Constraint = _Region(
    "Simplex", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), event_dim=1
)  # fmt: skip


# ---- matrices ----------------------------------------------------------------------------------------------
def _lower(x: Tensor) -> Tensor:
    return (x.tril() == x).flatten(-2).all(-1)


def _cholesky(x: Tensor) -> Tensor:
    return _lower(x) & (x.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


def _rows_of_length_one(x: Tensor) -> Tensor:
    length = x.detach().square().sum(-1).sqrt()
    return _cholesky(x) & ((length - 1).abs() <= finfo(x.dtype).eps * x.shape[-1] * 10).all(-1)


def _square(x: Tensor) -> Tensor:
    return x.new_full(x.shape[:-2], x.shape[-2] == x.shape[-1]).bool()


def _symmetric(x: Tensor) -> Tensor:
    return x.isclose(x.mT, atol=1e-6).all(-2).all(-1) if x.shape[-2] == x.shape[-1] else _square(x)


def _definite(x: Tensor) -> Tensor:
    from ..ops.linalg.definite import cholesky_ex  # opens when it is asked for

    symmetric_there = _symmetric(x)
    return cholesky_ex(x).info.eq(0) if symmetric_there.all() else symmetric_there


def _semidefinite(x: Tensor) -> Tensor:
    from ..ops.linalg.spectrum import eigvalsh  # opens when it is asked for

    symmetric_there = _symmetric(x)
    return eigvalsh(x).ge(0).all(-1) if symmetric_there.all() else symmetric_there


lower_triangular: Constraint = _Region("LowerTriangular", _lower, event_dim=2)
lower_cholesky: Constraint = _Region("LowerCholesky", _cholesky, event_dim=2)
corr_cholesky: Constraint = _Region("CorrCholesky", _rows_of_length_one, event_dim=2)
square: Constraint = _Region("Square", _square, event_dim=2)
symmetric: Constraint = _Region("Symmetric", _symmetric, event_dim=2)
positive_semidefinite: Constraint = _Region("PositiveSemidefinite", _semidefinite, event_dim=2)
positive_definite: Constraint = _Region("PositiveDefinite", _definite, event_dim=2)


# ---- made of others ----------------------------------------------------------------------------------------
class IndependentConstraint(Constraint):
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
        inside = self.base_constraint.check(value)
        if inside.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        for _ in range(self.reinterpreted_batch_ndims):
            inside = inside.all(-1)
        return inside

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(IndependentConstraint):
    """What each component of a mixture takes: the value is compared with all of them."""

    def __init__(self, base_constraint: Constraint) -> None:
        super().__init__(base_constraint, 0)

    def check(self, value: Tensor) -> Tensor:
        if value.dim() < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return self.base_constraint.check(value.unsqueeze(-1 - self.event_dim)).all(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint!r})"


class _Parts(Constraint):
    """Each part of the value, along `dim`, in a region of its own: of given lengths, or single places."""

    def __init__(self, parts: Any, dim: int = 0, lengths: Any = None, *, stacked: bool = False) -> None:
        self.cseq, self.dim, self._stacked = list(parts), dim, stacked
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    @property
    def is_discrete(self) -> Any:
        return any(part.is_discrete for part in self.cseq)

    @property
    def event_dim(self) -> Any:
        most = max(part.event_dim for part in self.cseq)
        return most + (self._stacked and self.dim + most < 0)

    def check(self, value: Tensor) -> Tensor:
        if self._stacked:
            return _stacked([part.check(value.select(self.dim, i)) for i, part in enumerate(self.cseq)], self.dim)
        pieces = value.split(self.lengths, self.dim)
        return _joined([part.check(piece) for part, piece in zip(self.cseq, pieces)], self.dim)


def independent(base_constraint: Constraint, reinterpreted_batch_ndims: int) -> Constraint:
    """`base_constraint` for events with that many more axes."""
    return IndependentConstraint(base_constraint, reinterpreted_batch_ndims)


def cat(cseq: Any, dim: int = 0, lengths: Any = None) -> Constraint:
    """Consecutive parts along `dim`, each in a region of its own."""
    return _Parts(cseq, dim, lengths)


def stack(cseq: Any, dim: int = 0) -> Constraint:
    """The places along `dim`, each in a region of its own."""
    return _Parts(cseq, dim, stacked=True)


real_vector = independent(real, 1)


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


class dependent_property(property, _Dependent):
    """A property that stands for a dependent constraint when it is read from the class."""

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Any) -> dependent_property:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


dependent = _Dependent()


def is_dependent(constraint: Any) -> bool:
    """Whether it depends on other parameters."""
    return isinstance(constraint, _Dependent)
