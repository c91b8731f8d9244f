"""Several graphs of one model, at several sizes, as one: what differs between them becomes a formula of the sizes.

What no input goes into is computed here, once, if that is the same in all graphs ("constant folding").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import OnnxExporterError
from .graph import Node, Wire
from .open_sizes import Formula, OpenSize, formula_of
from .translate import Translator

__all__ = ["Merged"]

_LARGE = 1 << 20  # bytes; what is larger, and made of less, is left to be made by the file
_MAKE_LARGE = ("Expand", "Tile", "Range", "ConstantOfShape")


class Merged:
    """The one graph: `nodes` in order, `inputs`, `outputs`; `dims` has each output's sizes, as numbers or formulas."""

    def __init__(self, runs: Sequence[Translator], sizes: Sequence[OpenSize], fold: bool) -> None:
        self.sizes, self.fold = sizes, fold
        self.inputs = runs[0].inputs
        self.nodes: list[Node] = []
        self._known: dict[int, Wire] = {id(x): x for x in self.inputs}  # by the first run's wire: the final one
        self._partners = {id(alike[0]): [id(x) for x in alike] for alike in zip(*[run.inputs for run in runs])}
        self._size_wires: dict[Any, Wire] = {}
        self.outputs = [self._wire([run.outputs[i] for run in runs], "") for i in range(len(runs[0].outputs))] \
            if self._agree(runs) else []  # fmt: skip
        self.dims = [
            [self._formula(ns, " in a result") for ns in zip(*[run.outputs[i].shape or () for run in runs])]
            for i in range(len(self.outputs))
        ]

    @staticmethod
    def _agree(runs: Sequence[Translator]) -> bool:
        counts = {len(run.outputs) for run in runs}
        if len(counts) > 1:
            raise OnnxExporterError(f"the model gives another number of results at other sizes: {sorted(counts)}")
        return True

    # ---- wires -------------------------------------------------------------------------------------------------------
    def _wire(self, alike: list[Wire], where: str) -> Wire:
        """The one wire for those that stand in the same place in all runs. (With a stack of its own: a network may be
        deeper than Python's.)"""
        stack = [(alike, where)]
        while stack:
            wires, place = stack[-1]
            first = wires[0]
            self._check_partners(wires, place)
            if id(first) in self._known:
                stack.pop()
                continue
            if first.kind != "made":
                self._known[id(first)] = self._leaf(wires, place)
            elif self._is_same(wires):
                self._known[id(first)] = self._folded(first)
            else:
                nodes = self._nodes(wires, place)
                waiting = self._unknown_inputs(nodes)
                if waiting:
                    stack += [(w, _place(nodes[0])) for w in reversed(waiting)]
                    continue
                self._emit(nodes)
            stack.pop()
        return self._known[id(alike[0])]

    def _unknown_inputs(self, nodes: list[Node]) -> list[list[Wire]]:
        """The nodes' inputs, each in all runs, for which there is no final wire yet."""
        unknown = []
        for alike in zip(*[n.inputs for n in nodes]):
            wires = [w for w in alike if w is not None]
            if wires and not self._is_shape(nodes, wires):
                self._check_partners(wires, _place(nodes[0]))
                if id(wires[0]) not in self._known:
                    unknown.append(wires)
        return unknown

    def _check_partners(self, wires: Sequence[Wire], place: str) -> None:
        """What stands beside a wire in the other runs must be the same everywhere."""
        ids = [id(w) for w in wires]
        if self._partners.setdefault(ids[0], ids) != ids:
            raise self._not_alike([w.kind if w.node is None else w.node.what for w in wires], place)

    def _is_same(self, wires: list[Wire]) -> bool:
        """Whether it can be computed here: no input goes in, and it is the same in all runs."""
        first = wires[0]
        if not self.fold or any(not w.is_fixed or w.array is None for w in wires):
            return False
        node = first.node
        if node is not None and node.op in _MAKE_LARGE and first.array.nbytes > _LARGE:
            return False
        if node is not None and node.op == "Transpose" and node.inputs[0] is not None \
                and node.inputs[0].kind == "parameter":  # fmt: skip
            return False  # the parameter keeps its name, and is there once; a runtime transposes it as it loads
        return all(_equal(first.array, w.array) for w in wires[1:])

    @staticmethod
    def _folded(wire: Wire) -> Wire:
        return Wire("constant", wire.array, wire.name)

    def _nodes(self, wires: list[Wire], place: str) -> list[Node]:
        """The nodes that make the wires, which must be alike."""
        nodes = [w.node for w in wires if w.node is not None]
        first = nodes[0]
        if len(nodes) < len(wires) or any(
            n.op != first.op or len(n.inputs) != len(first.inputs) or len(n.outputs) != len(first.outputs)
            or [x is None for x in n.inputs] != [x is None for x in first.inputs] for n in nodes
        ):  # fmt: skip
            raise self._not_alike([n.what for n in nodes], place or _place(first))
        for name, value in first.attributes.items():
            values = [n.attributes.get(name) for n in nodes]
            if any(v != value for v in values):
                raise OnnxExporterError(
                    f"{first.what}{_place(first)} has another {name} at other sizes: {values} for "
                    f"{self._sizes_text()}. ONNX takes a number there: export without that dynamic size"
                )
        return nodes

    def _not_alike(self, whats: Sequence[str], place: str) -> OnnxExporterError:
        return OnnxExporterError(
            f"the model does something else at other sizes{place}: {', '.join(dict.fromkeys(whats))} for "
            f"{self._sizes_text()}. A loop over a dynamic size, or an if that asks for it, cannot be exported: export "
            "without that dynamic size, or write it with operations on whole tensors"
        )

    def _sizes_text(self) -> str:
        return "; ".join(f"{s.name} = {', '.join(map(str, s.tried))}" for s in self.sizes) or "one size"

    def _emit(self, nodes: list[Node]) -> None:
        """The node of all runs in the final graph."""
        first = nodes[0]
        made = Node(first.op, [], first.attributes, first.path, first.what)
        for alike in zip(*[n.inputs for n in nodes]):
            if alike[0] is None:
                made.inputs.append(None)
            elif self._is_shape(nodes, alike):
                made.inputs.append(self._shape(nodes, [*alike]))
            else:
                made.inputs.append(self._known[id(alike[0])])
        made.outputs = []
        for old in first.outputs:
            new = Wire("made", name=old.name, node=made, index=old.index)
            new.shape, new.dtype = old.shape, old.dtype
            made.outputs.append(new)
            self._known[id(old)] = new
        self.nodes.append(made)

    # ---- constants ---------------------------------------------------------------------------------------------------
    def _leaf(self, wires: list[Wire], place: str) -> Wire:
        first = wires[0]
        if any(w.kind != first.kind for w in wires):
            raise self._not_alike([w.kind for w in wires], place)
        if first.kind == "parameter" or all(_equal(first.array, w.array) for w in wires[1:]):
            return first
        arrays = [w.array for w in wires]
        if first.end is not None and len({int(w.array.reshape(())) - (w.end or 0) for w in wires}) == 1:
            back = int(first.array.reshape(())) - first.end
            return Wire("constant", np.full_like(first.array, back if back < 0 else 2**62))  # counted from the end
        found = self._varying(arrays, place)
        if found is None:
            shapes = ", ".join(str([*a.shape]) for a in arrays)
            raise OnnxExporterError(
                f"a tensor of shapes {shapes} and of other numbers{place} depends on the dynamic sizes "
                f"({self._sizes_text()}) in a way that is not found. Make it of torch.arange, torch.ones and the like "
                "inside of the model, or export without that dynamic size"
            )
        return found

    def _varying(self, arrays: list[Any], place: str) -> Wire | None:
        """A constant that differs from run to run, as nodes that make it: numbers, all alike, or steps."""
        kind = arrays[0].dtype
        if all(a.size <= 8 and a.ndim < 2 and a.shape == arrays[0].shape for a in arrays):
            found = [self._number([a.reshape(-1)[i] for a in arrays], kind) for i in range(arrays[0].size)]
            numbers = [n for n in found if n is not None]
            if len(numbers) == len(found):
                joined = numbers[0] if len(numbers) == 1 else self._op("Concat", kind, *numbers, axis=0)
                if arrays[0].ndim == 0:
                    joined = self._op("Squeeze", kind, joined, Wire("constant", np.zeros(1, np.int64)))
                return joined
        if any(not a.size for a in arrays):
            return None
        value = arrays[0].reshape(-1)[0]
        if all(_equal(a, np.full_like(a, value)) for a in arrays):
            shape = self._vector([a.shape for a in arrays], place)
            return self._op("Expand", kind, Wire("constant", np.array(value)), shape)
        return self._steps(arrays, place)

    def _steps(self, arrays: list[Any], place: str) -> Wire | None:
        """start, start + step …, with another length at every size."""
        first = arrays[0]
        if first.ndim != 1 or first.dtype.kind not in "if" or min(a.size for a in arrays) < 2:
            return None
        start, step = first[0], first[1] - first[0]
        if any(not _equal(a, (start + step * np.arange(a.size)).astype(a.dtype)) for a in arrays):
            return None
        length = self._vector([a.shape for a in arrays], place)
        index = self._op("Range", np.dtype(np.int64), Wire("constant", np.array(0)),
                         self._op("Squeeze", np.dtype(np.int64), length, Wire("constant", np.zeros(1, np.int64))),
                         Wire("constant", np.array(1)))  # fmt: skip
        out = self._op("Cast", first.dtype, index, to=first.dtype) if first.dtype != np.int64 else index
        if step != 1:
            out = self._op("Mul", first.dtype, out, Wire("constant", np.array(step)))
        return self._op("Add", first.dtype, out, Wire("constant", np.array(start))) if start else out

    def _number(self, values: list[Any], kind: np.dtype[Any]) -> Wire | None:
        """A number that differs, as a vector of one: a formula, of floats also the reciprocal or a root of one."""
        ways: list[tuple[str, Callable[[Any], Any]]] = [("", lambda v: v)]
        if kind.kind == "f":
            ways += [("Reciprocal", lambda v: 1 / v), ("Sqrt", lambda v: v * v), ("Rsqrt", lambda v: 1 / (v * v))]
        for op, undone in ways:
            with np.errstate(all="ignore"):
                exact = np.array([undone(float(v)) for v in values])
            if not np.isfinite(exact).all() or np.abs(exact).max() > 2**50 \
                    or np.abs(exact - np.round(exact)).max() > 1e-5 * max(1, np.abs(exact).max()):  # fmt: skip
                continue
            formula = formula_of([int(v) for v in np.round(exact)], self.sizes)
            if formula is None:
                continue
            whole = self._sized(formula)
            out = whole if kind == np.int64 else self._op("Cast", kind, whole, to=kind)
            for each in {"Rsqrt": ("Sqrt", "Reciprocal"), "": ()}.get(op, (op,)):
                out = self._op(each, kind, out)
            return out
        return None

    # ---- shapes ------------------------------------------------------------------------------------------------------
    @staticmethod
    def _is_shape(nodes: list[Node], alike: Sequence[Wire | None]) -> bool:
        """Whether these are the shapes that Reshape or Expand bring their data to, and differ."""
        node, first = nodes[0], alike[0]
        return node.op in ("Reshape", "Expand") and len(node.inputs) > 1 and first is node.inputs[1] \
            and first is not None and first.kind == "constant" \
            and any(w is not None and not _equal(first.array, w.array) for w in alike[1:])  # fmt: skip

    def _shape(self, nodes: list[Node], alike: list[Wire]) -> Wire:
        """The shape of a Reshape, with 0 for a size of the data that stays and -1 for one that is left; of an Expand,
        with 1 for a size that the data has."""
        vectors = [[int(n) for n in w.array] for w in alike]
        reshape = nodes[0].op == "Reshape"
        shapes = [n.inputs[0].shape if n.inputs[0] is not None else None for n in nodes]
        rank = len(vectors[0])
        given: list[int | None] = [v if len(set(vs)) == 1 else None for v, *vs in zip(vectors[0], *vectors)]
        for i in range(rank):
            at = i if reshape else i - rank
            if given[i] is None and all(
                s is not None and -len(s) <= at < len(s) and s[at] == v[i] for s, v in zip(shapes, vectors)
            ):  # fmt: skip
                given[i] = 0 if reshape else 1
        if reshape and given.count(None) == 1:
            given[given.index(None)] = -1
        if None not in given:
            return Wire("constant", np.array(given, np.int64))
        return self._vector(vectors, _place(nodes[0]), given)

    def _vector(self, vectors: Sequence[Sequence[int]], place: str, given: Sequence[int | None] | None = None) -> Wire:
        """A vector of sizes: neighbours that are numbers together, and a formula for each of the others."""
        parts: list[Wire] = []
        numbers: list[int] = []
        for i, values in enumerate(zip(*vectors)):
            fixed = given[i] if given is not None else None
            formula = Formula((), shift=fixed) if fixed is not None else self._formula(values, place)
            if not formula.sizes:
                numbers.append(formula.shift)
                continue
            if numbers:
                parts.append(Wire("constant", np.array(numbers, np.int64)))
            numbers = []
            parts.append(self._sized(formula))
        if numbers or not parts:
            parts.append(Wire("constant", np.array(numbers, np.int64)))
        return parts[0] if len(parts) == 1 else self._op("Concat", np.dtype(np.int64), *parts, axis=0)

    def _formula(self, values: Sequence[int], place: str) -> Formula:
        found = formula_of(values, self.sizes)
        if found is None:
            raise OnnxExporterError(
                f"the number {', '.join(map(str, values))}{place} depends on the dynamic sizes ({self._sizes_text()}) "
                "in a way that is not found. Export without that dynamic size, or compute the size in a simpler way"
            )
        return found

    def _sized(self, formula: Formula) -> Wire:
        """The formula's number as a vector of one, computed in the file from the inputs' shapes."""
        known = self._size_wires.get(formula)
        if known is not None:
            return known
        whole = np.dtype(np.int64)
        if not formula.sizes:
            return Wire("constant", np.array([formula.shift], np.int64))
        if formula == Formula(formula.sizes) and len(formula.sizes) == 1:
            size = next(s for s in self.sizes if s.name == formula.sizes[0])
            number, axis = size.places[0]
            out = self._op("Shape", whole, self.inputs[number], start=axis, end=axis + 1)
        else:
            out = self._sized(Formula(formula.sizes[:1]))
            for name in formula.sizes[1:]:
                out = self._op("Mul", whole, out, self._sized(Formula((name,))))
            for op, number, neutral in (("Mul", formula.factor, 1), ("Add", formula.shift, 0),
                                        ("Div", formula.divisor, 1), ("Mul", formula.times, 1)):  # fmt: skip
                if number != neutral:
                    out = self._op(op, whole, out, Wire("constant", np.array([number], np.int64)))
        self._size_wires[formula] = out
        return out

    def _op(self, op: str, kind: np.dtype[Any], *inputs: Wire, **attributes: Any) -> Wire:
        node = Node(op, [*inputs], attributes, "", "size")
        out = Wire("made", node=node)
        out.dtype = kind
        node.outputs = [out]
        self.nodes.append(node)
        return out


def _place(node: Node) -> str:
    return f' in module "{node.path}" ({node.what})' if node.path else f" in {node.what}"


def _equal(x: Any, y: Any) -> bool:
    return x is y or (x.shape == y.shape and x.dtype == y.dtype
                      and bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f")))  # fmt: skip
