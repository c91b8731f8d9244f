"""Declaring operations of several results, such as the eigenvalues and the eigenvectors of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Lift, Node, mode
from ..parts import Parts, Pick
from ..plan import settled
from ..saved import pack
from ..tensor import Tensor, make, wrap
from .table import Formula, Forward, Row, parameters_of

__all__ = ["several"]


def several(
    name: str, forward: Forward, results: tuple[str, ...], /, *, kept: tuple[str, ...] = (),
    grad_name: str | None = None, holomorphic: bool = True, **rules: Formula | None,
) -> Callable[..., tuple[Any, ...]]:  # fmt: skip
    """Declares an operation whose forward returns a tuple, one array for each of `results`.

    As in `row`, the forward's first parameters are the tensors that `rules` names, and a formula's parameters say what
    it reads: inputs and options by name, `shape`, the results by name, and the gradient of each as `g_<result>`, which
    is zeros where nothing arrives. Results that are not floating have no gradient. What the forward returns beyond the
    results is `kept`, for the formulas alone; on arrays it is returned as well.

        slogdet = several("slogdet", np.linalg.slogdet, ("sign", "logabsdet"),
                          x=lambda g_logabsdet, x: g_logabsdet[..., None, None] * np.swapaxes(np.linalg.inv(x), -1, -2))
    """
    parameters = parameters_of(forward)
    count = len(rules)
    assert parameters[:count] == tuple(rules), f"row {name}: forward{parameters} does not start with {tuple(rules)}"
    new = Row(name, forward, rules, options=parameters[count:], grad_name=grad_name, holomorphic=holomorphic)
    plans: dict[int, Any] = new.plans
    shown = len(results)

    def function(*args: Any) -> tuple[Any, ...]:
        inputs, options = args[:count], args[count:]
        if not any(isinstance(x, Tensor) for x in inputs):
            return forward(*args)
        tensors = [x if isinstance(x, Tensor) else wrap(x) for x in inputs]
        arrays = [x._array for x in tensors]
        made = [*map(wrap, forward(*arrays, *options) if mode.recorder is None else
                     mode.recorder.kernel(forward, *arrays, *options, title=name))]  # fmt: skip
        outs = tuple(made[:shown])
        wanted = [mode.enabled and x.requires_grad and rule is not None for x, rule in zip(tensors, rules.values())]
        if any(wanted):
            key = sum(want << i for i, want in enumerate(wanted))
            plan = plans.get(key) or plans.setdefault(key, _Plan(new, results, kept, wanted))
            plan.record(tensors, options, outs, made[shown:])
        return outs

    function.__name__ = name
    return function


class _Plan:
    """What one kind of call keeps for backward, and how it goes back. (Loops, where `plan.Plan` writes code: what has
    several results takes longer than its bookkeeping.)"""

    keeps = lends = True
    saves_out = False  # they are among what is saved
    holomorphic = False  # for the walk: conjugates are taken here

    def __init__(self, row: Row, results: tuple[str, ...], kept: tuple[str, ...], wanted: list[bool]) -> None:
        self.name, self.row, self.results = row.grad_name, row, results
        self.formulas = [rule if want else None for rule, want in zip(row.rules.values(), wanted)]
        self.arguments = [() if f is None else parameters_of(f) for f in self.formulas]
        used = {name for names in self.arguments for name in names}
        self.pulls = [i for i, name in enumerate(results) if f"g_{name}" in used]
        self.saves = [i for i, name in enumerate(row.inputs) if name in used]
        self.saves_results = [i for i, name in enumerate(results) if name in used]
        self.saved_names = [row.inputs[i] for i in self.saves] + [results[i] for i in self.saves_results] + [*kept]

    def record(
        self, inputs: list[Tensor], options: tuple[Any, ...], outs: tuple[Tensor, ...], kept: list[Tensor]
    ) -> None:
        """Puts one node behind the floating results."""
        edges = [x if x._node is None else x._node for x in inputs]
        node = _Node(self, [e if f else None for e, f in zip(edges, self.formulas)])
        # A result is kept without its node, which would be a cycle: see `result`.
        saved = [inputs[i] for i in self.saves] + [outs[i].detach() for i in self.saves_results] + kept
        node.saved = tuple([part for x in saved for part in (x, x._cell[0])])
        node.options = options
        node.shapes = tuple([x._array.shape for x in inputs])
        node.kinds = tuple([x._array.dtype for x in inputs])
        node.results = [(x._array.shape, x._array.dtype) for x in outs]
        if mode.hooks:
            pack(node)
        for i, out in enumerate(outs):
            if out._array.dtype.kind in "fc":
                out._node, out._requires_grad = Pick(node, i), True

    def pull(self, node: _Node, g: Any) -> list[Any]:
        """The inputs' gradients, as arrays."""
        node.check()
        saved = [x._array for x in node.saved[::2]]
        return [None if d is None else settled(d, kind) for d, kind in zip(self._run(node, g, saved), node.kinds)]

    def pull_tensors(self, node: _Node, g: Any, lift: Lift) -> list[Any]:
        """`pull` on tensors: what the formulas do is recorded in turn."""
        node.check()
        saved = node.tensors()
        for at, i in enumerate(self.saves_results, len(self.saves)):
            saved[at] = node.result(saved[at], i)
        grads = self._run(node, g, saved)
        return [None if d is None else lift.cast(lift.tensor(d), kind) for d, kind in zip(grads, node.kinds)]

    def _run(self, node: _Node, g: Parts, saved: list[Any]) -> list[Any]:
        flip = self._conjugate if self.row.holomorphic else lambda d: d
        values = dict(zip(self.row.options, node.options))
        for i in self.pulls:
            given = g.parts.get(i)
            values[f"g_{self.results[i]}"] = np.zeros(*node.results[i]) if given is None else flip(given)
        values.update(zip(self.saved_names, saved))
        grads: list[Any] = []
        for formula, arguments, shape in zip(self.formulas, self.arguments, node.shapes):
            values["shape"] = shape
            given_to = [values[name] for name in arguments]
            if formula is None:
                grads.append(None)
            elif mode.recorder is None or (isinstance(saved, list) and any(isinstance(x, Tensor) for x in saved)):
                grads.append(flip(formula(*given_to)))
            else:
                grads.append(flip(mode.recorder.formula(formula, *given_to)))
        return grads

    @staticmethod
    def _conjugate(x: Any) -> Any:
        kind = x._array.dtype.kind if isinstance(x, Tensor) else x.dtype.kind
        return np.conjugate(x) if kind == "c" else x


class _Node(Node):
    """The node behind several results."""

    __slots__ = ("results",)

    results: list[tuple[tuple[int, ...], Any]]

    def result(self, saved: Tensor, index: int) -> Tensor:
        """A kept result with its place in the graph."""
        out: Tensor = make(Tensor, saved._array)
        out._cell, out._node, out._requires_grad = saved._cell, Pick(self, index), True
        return out
