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
    """The one graph: `nodes` in order, `inputs`, `outputs`; `dims` has each output's sizes, None for one
    without a formula."""

    def __init__(self, runs: Sequence[Translator], sizes: Sequence[OpenSize], fold: bool) -> None:
        self.sizes, self.fold = sizes, fold
        self.inputs = runs[0].inputs
        self.nodes: list[Node] = []
        self._known: dict[int, Wire] = {id(x): x for x in self.inputs}  # by the first run's wire: the final one
        self._partners = {id(alike[0]): [id(x) for x in alike] for alike in zip(*[run.inputs for run in runs])}
        self._size_wires: dict[Any, Wire] = {}
        self._seen: dict[tuple[int, ...], tuple[Wire, int]] = {}  # by its numbers: where a size stands, (wire, axis)
        self.outputs = [self._wire([run.outputs[i] for run in runs], "") for i in range(len(runs[0].outputs))] \
            if self._agree(runs) else []  # fmt: skip
        self.dims = [
            [formula_of(ns, sizes) for ns in zip(*[run.outputs[i].shape or () for run in runs])]
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
        for name in dict.fromkeys(name for n in nodes for name in n.attributes):
            values = [n.attributes.get(name) for n in nodes]
            if name == "ceil_mode":  # where the windows fit, it is not seen
                first.attributes[name] = 1
            elif any(v != values[0] for v in values):
                raise OnnxExporterError(
                    f"{first.op}{_place(first)} has another {name} at other sizes: {values} for "
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
        made = Node(first.op, [], first.attributes, first.path, first.what, first.line)
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
            for axis, values in enumerate(zip(*[n.outputs[old.index].shape or () for n in nodes])):
                self._seen.setdefault(values, (new, axis))
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
            small = all(a.size <= 8 for a in arrays)
            texts = ", ".join(str(a.tolist()) if small else f"of shape {[*a.shape]}" for a in arrays)
            raise OnnxExporterError(
                f"a tensor {texts}{place} depends on the dynamic sizes "
                f"({self._sizes_text()}) in a way that is not found, or in more than one. Make it of torch.arange, "
                "torch.ones and the like inside of the model, give an example of a larger size, or export without that "
                "dynamic size"
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
        """start, start + step …, with another length at every size: of whole numbers, each may stand there several
        times; of floats, the step may differ if the end does not."""
        longest = max(arrays, key=np.size)
        kind = longest.dtype
        if longest.ndim != 1 or kind.kind not in "if":
            return None
        times = _run_length(longest) if kind.kind == "i" else 1
        singles = [a[::times] for a in arrays]
        one = longest[::times]
        if one.size < 2 or any(not _equal(a, np.repeat(each, times)[: a.size]) for a, each in zip(arrays, singles)):
            return None
        lengths = [a.size for a in arrays]
        start, step, end = one[0], one[1] - one[0], one[-1]
        if all(_equal(a, (start + step * np.arange(a.size)).astype(kind)) for a in singles):
            out = self._range(lengths, place)
            if times != 1:
                out = self._op("Div", np.dtype(np.int64), out, Wire("constant", np.array(times)))
            out = self._op("Cast", kind, out, to=kind) if kind != np.int64 else out
            out = out if step == 1 else self._op("Mul", kind, out, Wire("constant", np.array(step)))
        elif kind.kind == "f" and all(np.allclose(a, np.linspace(start, end, a.size), atol=1e-6) for a in arrays):
            last = self._op("Max", np.dtype(np.int64), self._vector([[n - 1] for n in lengths], place),
                            Wire("constant", np.array(1)))  # fmt: skip
            out = self._op("Cast", kind, self._range(lengths, place), to=kind)
            out = self._op("Mul", kind, out, Wire("constant", np.array(end - start)))
            out = self._op("Div", kind, out, self._op("Cast", kind, last, to=kind))
        else:
            return None
        return self._op("Add", kind, out, Wire("constant", np.array(start))) if start else out

    def _range(self, lengths: Sequence[int], place: str) -> Wire:
        """0, 1 …, so many."""
        whole = np.dtype(np.int64)
        length = self._op("Squeeze", whole, self._vector([[n] for n in lengths], place),
                          Wire("constant", np.zeros(1, np.int64)))  # fmt: skip
        return self._op("Range", whole, Wire("constant", np.array(0)), length, Wire("constant", np.array(1)))

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
            rounded = [int(v) for v in np.round(exact)]
            whole = Wire("constant", np.array(rounded[:1])) if len({*rounded}) == 1 else self._size(rounded)
            if whole is None:
                continue
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
            if fixed is not None or len(set(values)) == 1:
                numbers.append(int(values[0]) if fixed is None else fixed)
                continue
            if numbers:
                parts.append(Wire("constant", np.array(numbers, np.int64)))
            numbers = []
            size = self._size(values)
            if size is None:
                raise OnnxExporterError(
                    f"the number {', '.join(map(str, values))}{place} depends on the dynamic sizes "
                    f"({self._sizes_text()}) in a way that is not found, or in more than one. Give an example of a "
                    "larger size, compute the number in a simpler way, or export without that dynamic size"
                )
            parts.append(size)
        if numbers or not parts:
            parts.append(Wire("constant", np.array(numbers, np.int64)))
        return parts[0] if len(parts) == 1 else self._op("Concat", np.dtype(np.int64), *parts, axis=0)

    def _size(self, values: Sequence[int]) -> Wire | None:
        """A number that differs, as a vector of one: a formula, or the size of an array that the file makes anyway,
        which is safer than a formula that rounds. None if it is neither."""
        formula = formula_of(values, self.sizes)
        if formula is not None and formula.divisor == 1:
            return self._sized(formula)
        if tuple(values) in self._seen:
            return self._size_of(*self._seen[tuple(values)])
        return None if formula is None else self._sized(formula)

    def _size_of(self, wire: Wire, axis: int) -> Wire:
        """An array's size along an axis, as a vector of one."""
        key = (id(wire), axis)
        if key not in self._size_wires:
            self._size_wires[key] = self._op("Shape", np.dtype(np.int64), wire, start=axis, end=axis + 1)
        return self._size_wires[key]

    def _sized(self, formula: Formula) -> Wire:
        """The formula's number as a vector of one, computed in the file from the inputs' shapes."""
        known = self._size_wires.get(formula)
        if known is not None:
            return known
        whole = np.dtype(np.int64)
        if formula == Formula(formula.sizes) and len(formula.sizes) == 1:
            size = next(s for s in self.sizes if s.name == formula.sizes[0])
            number, axis = size.places[0]
            out = self._size_of(self.inputs[number], axis)
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


def _run_length(x: Any) -> int:
    """How often the first number stands at the beginning."""
    others = np.flatnonzero(x != x[0])
    return int(others[0]) if others.size else 1


def _place(node: Node) -> str:
    return f' in module "{node.path}" ({node.what})' if node.path else f" in {node.what} ({node.line})"


def _equal(x: Any, y: Any) -> bool:
    return x is y or (x.shape == y.shape and x.dtype == y.dtype
                      and bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f")))  # fmt: skip
