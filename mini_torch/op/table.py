"""How an operation is declared. The one door through which every operation goes is in `door.py`.

A row is a forward and, per differentiable input, one formula for its gradient (a vector-Jacobian product), both in
plain NumPy:

    exp = unary("exp", np.exp, lambda g, out: g * out)
    mul = binary("mul", np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x)
    _sum = row("sum", lambda x, axis, keepdims: ..., x=lambda g, shape, axis, keepdims: ...)

A formula's parameter names say what it needs, and so what is saved: `g` (the gradient of the output), `out`, an input
by its name, an option of the forward by its name, and `shape` (its own input's shape). The engine sums a gradient over
broadcast axes and keeps its type; no formula does.

The same formula runs on arrays (eager backward) and on tensors (`create_graph=True`), so it uses NumPy's functions
only: `np.sum(g, axis=…)`, never `g.sum(…)`, never `+=`, `g[i] = …` or `out=`. What must write in place is a row of its
own, declared with its adjoint (take / scatter-add, window / overlap-add …). What `row` returns works on arrays, too, so
that one row's formula can call another.

Complex numbers: formulas are written as for real ones. A gradient is the conjugate of the derivative (PyTorch's
convention: the direction of steepest ascent), so for a complex g the engine takes conj(formula(conj(g), …)), which is
right for every holomorphic function. A row that is not (abs, real, conj, eigh …) says `holomorphic=False`; its formula
gets g as it is and conjugates where it must. A complex gradient of a real input loses its imaginary part.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import mode
from ..plan import Plan
from ..tensor import Tensor, wrap
from .door import door
from .quiet import hushed

__all__ = ["Formula", "Forward", "Row", "apply", "no_formula", "parameters_of", "record", "row", "rows", "variadic"]

Forward = Callable[..., Any]
Formula = Callable[..., Any]

rows: dict[str, Row] = {}  # the table: every operation by its name


class Row:
    """An operation's definition. `rules` has a formula (or None) per tensor input, in the forward's order."""

    __slots__ = ("apply", "bilinear", "broadcasts", "casts", "forward", "function", "given", "grad_name",
                 "holomorphic", "inputs", "lends", "name", "options", "plans", "record", "rules", "view")  # fmt: skip

    apply: Callable[..., Tensor]  # (inputs, options=())
    record: Callable[..., None]  # (inputs, options, out)
    function: Callable[..., Any]  # what `row` made of it

    def __init__(
        self, name: str, forward: Forward, rules: dict[str, Formula | None], *, options: tuple[str, ...] = (),
        grad_name: str | None = None, view: bool = False, casts: bool = False, broadcasts: bool = False,
        lends: bool = False, holomorphic: bool = True, bilinear: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        plain = forward if isinstance(forward, np.ufunc) else getattr(forward, "plain", None)
        self.given = plain or forward
        self.forward = hushed(plain) if plain else forward
        self.rules = rules
        self.inputs = tuple(rules)
        self.options = options
        taken = {"g", "out", "shape"}.intersection(self.inputs + options)
        assert not taken, f"row {name}: {taken} have a meaning of their own in formulas"
        self.grad_name = grad_name or name.title().replace("_", "") + "Backward0"
        self.view = view  # the forward gives a view of its input's memory
        self.casts = casts or not holomorphic  # an input may have another type than the output
        self.holomorphic = holomorphic
        self.broadcasts = broadcasts  # inputs may have different shapes
        self.bilinear = bilinear  # a gradient is g times the other input
        self.lends = lends  # a formula may return an array that somebody else holds
        self.plans: dict[int, Plan] = {}
        self.apply, self.record = self._first_apply, self._first_record
        rows[name] = self

    def _open(self, count: int) -> None:
        self.apply, self.record = door(self, count)

    def _first_apply(self, inputs: tuple[Tensor, ...], options: tuple[Any, ...] = ()) -> Tensor:
        self._open(len(inputs))
        return self.apply(inputs, options)

    def _first_record(self, inputs: tuple[Tensor, ...], options: tuple[Any, ...], out: Tensor) -> None:
        self._open(len(inputs))
        self.record(inputs, options, out)

    def plan(self, key: int) -> Plan:
        """The plan for one kind of call, see `door.RECORD`."""
        wanted = [rule if key >> i & 1 else None for i, rule in enumerate(self.rules.values())]
        self.plans[key] = plan = Plan(
            self.grad_name, self.inputs, self.options, wanted, broadcast=bool(key >> len(wanted)), casts=self.casts,
            lends=self.lends, holomorphic=self.holomorphic, bilinear=self.bilinear,
        )  # fmt: skip
        return plan

    def again(self, inputs: tuple[Tensor, ...], options: tuple[Any, ...]) -> Any:
        """The forward once more, where a RuntimeError may have meant that the quiet context was taken; see `quiet`.

        While a program is recorded, whatever goes wrong may mean that the forward cannot be taken apart (it looks at
        numbers, or asks for what only real arrays have): then it is one call, and an error of its own comes again.
        """
        if mode.recorder is not None:
            return mode.recorder.kernel(self.given, *[x._array for x in inputs], *options, title=self.name)
        if self.given is self.forward or not isinstance(sys.exc_info()[1], RuntimeError):
            raise
        with np.errstate(all="ignore"):
            return self.given(*[x._array for x in inputs], *options)

    def __repr__(self) -> str:
        return f"<row {self.name}({', '.join(self.inputs + self.options)})>"


def apply(row: Row, inputs: tuple[Tensor, ...], options: tuple[Any, ...] = ()) -> Tensor:
    """Runs the row's forward on the inputs' arrays and, where a gradient is wanted, records a node. See `door.py`."""
    return row.apply(inputs, options)


def record(row: Row, inputs: tuple[Tensor, ...], options: tuple[Any, ...], out: Tensor) -> None:
    """Puts a node behind `out` if one of the inputs wants a gradient."""
    row.record(inputs, options, out)


def parameters_of(function: Any) -> tuple[str, ...]:
    """A function's positional parameters by name (`inspect.signature` would take a third of the import's time)."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames[: code.co_argcount]


# ---- declaring -------------------------------------------------------------------------------------------------------
def row(name: str, forward: Forward, /, *, grad_name: str | None = None, view: bool = False, casts: bool = False,
        broadcasts: bool = False, lends: bool = False, holomorphic: bool = True,
        **rules: Formula | None) -> Callable[..., Any]:  # fmt: skip
    """Declares an operation: the forward's first parameters are the tensors that `rules` names, the rest options.

    The result takes all of them by position. On tensors it runs and records; on arrays it only runs the forward. A
    rule of None is for an input that has no gradient (an index, say) but must not change before backward. `casts` is
    for a result of another type than an input's (a gradient takes its input's type).
    """
    parameters = parameters_of(forward)
    count = len(rules)
    assert parameters[:count] == tuple(rules), f"row {name}: forward{parameters} does not start with {tuple(rules)}"
    new = Row(name, forward, rules, options=parameters[count:], grad_name=grad_name, view=view, casts=casts,
              broadcasts=broadcasts, lends=lends, holomorphic=holomorphic)  # fmt: skip

    def of_one(x: Any, *options: Any) -> Any:
        return new.apply((x,), options) if isinstance(x, Tensor) else forward(x, *options)

    def of_several(*args: Any) -> Any:
        inputs = args[:count]
        for x in inputs:
            if not isinstance(x, Tensor):
                break
        else:
            return new.apply(inputs, args[count:])
        if not any(isinstance(x, Tensor) for x in inputs):
            return forward(*args)
        return new.apply(tuple([x if isinstance(x, Tensor) else wrap(x) for x in inputs]), args[count:])

    function = of_one if count == 1 else of_several
    function.__name__ = name
    new.function = function
    return function


def no_formula(what: str) -> Formula:
    """The formula of an input that PyTorch has no derivative for: NotImplementedError, when one is wanted."""

    def refuse(g: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{what}' is not implemented.")

    return refuse


def variadic(name: str, forward: Forward, rule: Formula) -> Callable[..., Any]:
    """Declares an operation of any number of tensors, called as `f(tensors, *options)`.

    `forward(arrays, *options)`; `rule(i, g, *options)` is the gradient of the i-th. There is one row per number.
    """
    options = parameters_of(forward)[1:]

    @functools.cache
    def row_of(count: int) -> Row:
        rules: dict[str, Formula | None] = {f"x{i}": functools.partial(rule, i) for i in range(count)}
        return Row(name, lambda *args: forward(args[:count], *args[count:]), rules, options=options)

    def function(tensors: Any, *options: Any) -> Any:
        if not any(isinstance(x, Tensor) for x in tensors):
            return forward(tensors, *options)
        return row_of(len(tensors)).apply(tuple([x if isinstance(x, Tensor) else wrap(x) for x in tensors]), options)

    row_of(2)
    return function

