"""What a recorded operation keeps for backward, and how it goes back: written out as straight-line Python.

For every combination of inputs that want a gradient, a row gets one `Plan`. Its two hot functions are generated from
the formulas' parameter names, because loops over inputs, names and saved values cost more than the small products they
serve (a third of a small network's training step). `plan.source` shows them. For `x * y`, both wanting a gradient:

    def keep(inputs, options, out):
        x, y = inputs
        out._node = node = new(Node)
        ...
        node.edges = (x if x._node is None else x._node, y if y._node is None else y._node)
        node.saved = (x, x._cell[0], y, y._cell[0])

    def pull(node, g):
        if node.saved is None: node.check()
        x, x_version, y, y_version = node.saved
        if x._cell[0] != x_version or y._cell[0] != y_version: node.check()
        x, y = x._array, y._array
        d0 = formula0(g, y)
        if type(d0) is not ndarray or d0.dtype is not g.dtype: d0 = settled(d0, g.dtype)
        ...
        return d0, d1
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .broadcasting import product_to_shape, sum_to_shape
from .graph import Lift, Node, births, mode

__all__ = ["Plan", "settled"]


class Plan:
    """What one kind of call keeps for backward; see the module's docstring.

    `formulas` has a formula per input, None where no gradient is wanted. A formula's parameters are named after what it
    reads: `g`, `out`, inputs, options, `shape`. With `broadcast`, gradients are summed to their input's shape (g
    before the formula, where this reads nothing else; `bilinear` says that each is g times the other input). With
    `casts` they are brought to their input's type, else that of `g` is theirs. If `holomorphic`, the formulas take and
    give conjugates, see `table.py`.
    """

    __slots__ = ("arguments", "bilinear", "casts", "formulas", "holomorphic", "inputs", "keep", "keeps", "lends",
                 "name", "options", "pull", "saves", "saves_out", "shapes", "source", "sums", "wanted")  # fmt: skip

    keep: Callable[[tuple[Any, ...], tuple[Any, ...], Any], None]
    pull: Callable[[Node, Any], Sequence[Any]]

    def __init__(
        self, name: str, inputs: Sequence[str], options: Sequence[str], formulas: Sequence[Callable[..., Any] | None],
        *, broadcast: bool = False, casts: bool = False, lends: bool = False, holomorphic: bool = True,
        bilinear: bool = False,
    ) -> None:  # fmt: skip
        self.holomorphic, self.bilinear = holomorphic, bilinear
        self.name, self.casts, self.lends, self.sums = name, casts, lends, broadcast
        self.inputs, self.options, self.formulas = tuple(inputs), tuple(options), tuple(formulas)
        self.arguments = [[] if f is None else list(inspect.signature(f).parameters) for f in formulas]
        used = {name for names in self.arguments for name in names}
        self.wanted = tuple(i for i, f in enumerate(formulas) if f is not None)
        self.saves = tuple(i for i, name in enumerate(inputs) if name in used)
        self.saves_out = "out" in used
        self.keeps = bool(self.saves) or self.saves_out
        self.shapes = tuple(
            i for i in self.wanted if broadcast or "shape" in self.arguments[i]
        )
        self.source = "\n".join([*self._keep_lines(), "", "", *self._pull_lines()])
        scope = {
            "plan": self, "new": object.__new__, "Node": Node, "births": births, "ndarray": np.ndarray,
            "settled": settled, "sum_to_shape": sum_to_shape,
            "product_to_shape": product_to_shape, **{f"formula{i}": f for i, f in enumerate(formulas)},
        }  # fmt: skip
        exec(compile(self.source, f"<plan of {name}>", "exec"), scope)
        self.keep, self.pull = scope["keep"], scope["pull"]  # type: ignore[assignment]

    # ---- writing it out ----------------------------------------------------------------------------------------------
    def _keep_lines(self) -> list[str]:
        names = self.inputs
        edges = [f"{x} if {x}._node is None else {x}._node" if f else "None" for x, f in zip(names, self.formulas)]
        saved = [part for i in self.saves for part in (names[i], f"{names[i]}._cell[0]")]
        lines = [
            "def keep(inputs, options, out):",
            f"    {_tuple(names)} = inputs",
            "    out._node = node = new(Node)",
            "    out._requires_grad = True",
            "    node.plan = plan",
            "    node.birth = next(births)",
            "    node.notes = None",
            f"    node.edges = ({_tuple(edges)})",
            f"    node.saved = ({_tuple(saved)})",
        ]
        if self.shapes:
            lines.append(f"    node.shapes = ({_tuple([f'{names[i]}._array.shape' for i in self.shapes])})")
        if self.casts:
            lines.append(f"    node.kinds = ({_tuple([f'{names[i]}._array.dtype' for i in self.wanted])})")
        if self.options:
            lines.append("    node.options = options")
        if self.saves_out:
            lines.append("    node.out = (out._array, out._cell, out._cell[0])")
        return lines

    def _pull_lines(self) -> list[str]:
        saved = [self.inputs[i] for i in self.saves]
        lines = ["def pull(node, g):"]
        if self.keeps:
            lines.append("    if node.saved is None: node.check()")
        if saved:
            lines.append(f"    {_tuple([part for x in saved for part in (x, f'{x}_version')])} = node.saved")
            lines.append(f"    if {' or '.join(f'{x}._cell[0] != {x}_version' for x in saved)}: node.check()")
            lines.append(f"    {', '.join(saved)} = {', '.join(f'{x}._array' for x in saved)}")
        if self.saves_out:
            lines.append("    out, out_cell, out_version = node.out")
            lines.append("    if out_cell[0] != out_version: node.check()")
        if self.shapes:
            lines.append(f"    {_tuple([f'shape{i}' for i in self.shapes])} = node.shapes")
        if self.casts:
            lines.append(f"    {_tuple([f'kind{i}' for i in self.wanted])} = node.kinds")
        if set(self.options).intersection(*[[n for names in self.arguments for n in names]]):
            lines.append(f"    {_tuple(self.options)} = node.options")
        for i, formula in enumerate(self.formulas):
            if formula is not None:
                lines += self._gradient_lines(i)
        lines.append(f"    return {_tuple([f'd{i}' if f else 'None' for i, f in enumerate(self.formulas)])}")
        return lines

    def _gradient_lines(self, i: int) -> list[str]:
        arguments = ", ".join(f"shape{i}" if name == "shape" else name for name in self.arguments[i])
        lines = [f"    d{i} = formula{i}({arguments})"]
        if self.sums and self.arguments[i] == ["g"]:
            lines = [f"    d{i} = formula{i}(g if g.shape == shape{i} else sum_to_shape(g, shape{i}))"]
        elif self.sums and self.bilinear:
            product = f"product_to_shape({arguments}, shape{i})"
            lines = [f"    d{i} = formula{i}({arguments}) if g.shape == shape{i} else {product}"]
        kind = f"kind{i}" if self.casts else "g.dtype"
        lines.append(f"    if type(d{i}) is not ndarray or d{i}.dtype is not {kind}: d{i} = settled(d{i}, {kind})")
        if self.sums:
            lines.append(f"    if d{i}.shape != shape{i}: d{i} = sum_to_shape(d{i}, shape{i})")
        return lines

    def pull_complex(self, node: Node, g: Any) -> list[Any]:
        """`pull` for a complex gradient of a holomorphic function."""
        return [d if d is None or d.dtype.kind != "c" else np.conjugate(d) for d in self.pull(node, np.conjugate(g))]

    def pull_singly(self, node: Node, g: Any, call: Callable[..., Any]) -> list[Any]:
        """`pull` with each formula's call made by `call(formula, *arguments)`."""
        node.check()
        values = {"g": g, "out": next(iter(node.out)) if self.saves_out else None}
        values.update(zip([self.inputs[i] for i in self.saves], [x._array for x in node.saved[::2]]))
        values.update(zip(self.options, node.options) if self.options else ())
        shapes = dict(zip(self.shapes, node.shapes)) if self.shapes else {}
        kinds = dict(zip(self.wanted, node.kinds)) if self.casts else {}
        grads: list[Any] = [None] * len(self.formulas)
        for i in self.wanted:
            values["shape"] = shapes.get(i)
            grad = settled(call(self.formulas[i], *[values[name] for name in self.arguments[i]]), kinds.get(i, g.dtype))
            grads[i] = sum_to_shape(grad, shapes[i]) if self.sums and grad.shape != shapes[i] else grad
        return grads

    # ---- reading 2 ---------------------------------------------------------------------------------------------------
    def pull_tensors(self, node: Node, g: Any, lift: Lift) -> list[Any]:
        """`pull` on tensors: what the formulas do is recorded in turn."""
        node.check()
        conjugate = self.holomorphic and g.is_complex()
        values = {"g": np.conjugate(g) if conjugate else g, "out": lift.output(node) if self.saves_out else None}
        values.update(zip([self.inputs[i] for i in self.saves], node.tensors()))
        values.update(zip(self.options, node.options) if self.options else ())
        shapes = dict(zip(self.shapes, node.shapes)) if self.shapes else {}
        grads: list[Any] = []
        for i, formula in enumerate(self.formulas):
            if formula is None:
                grads.append(None)
                continue
            values["shape"] = shapes.get(i)
            grad = lift.tensor(formula(*[values[name] for name in self.arguments[i]]))
            if conjugate and grad.is_complex():
                grad = np.conjugate(grad)
            grad = lift.cast(grad, node.kinds[self.wanted.index(i)] if self.casts else g._array.dtype)
            if self.sums and grad.shape != shapes[i]:
                grad = sum_to_shape(grad, shapes[i])
            grads.append(grad)
        return grads


def _tuple(parts: Sequence[str]) -> str:
    return ", ".join(parts) + ("," if parts else "") if len(parts) != 0 else "()"


def settled(grad: Any, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A gradient as an array of that type: NumPy makes scalars of 0-d arrays, NumPy 1 a float64 of such a float32 times
    a Python number, and complex numbers leave gradients of real ones complex."""
    if mode.recorder is not None and mode.recorder.holds(grad):
        return grad.settled(kind)
    return np.asarray(grad.real if grad.dtype.kind == "c" != kind.kind else grad, kind)
