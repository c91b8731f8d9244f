"""What differs from run to run, as nodes that make it of the inputs' sizes: a number, a shape, a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import OnnxExporterError
from .graph import Node, Wire
from .open_sizes import Formula, OpenSize, formula_of

__all__ = ["SizeNodes", "equal", "place_of"]


class SizeNodes:
    """Adds to `nodes` what makes a number of sizes. `see` tells it of arrays that the file has anyway."""

    def __init__(self, sizes: Sequence[OpenSize], inputs: Sequence[Wire], nodes: list[Node]) -> None:
        self.sizes, self.inputs, self.nodes = sizes, inputs, nodes
        self._made: dict[Any, Wire] = {}  # by a formula, or an array's axis
        self._seen: dict[tuple[int, ...], tuple[Wire, int]] = {}  # by its numbers: where a size stands, (wire, axis)

    def see(self, wire: Wire, shapes: Sequence[tuple[int, ...] | None]) -> None:
        """Notes an array, and its shapes in the runs."""
        for axis, values in enumerate(zip(*[shape or () for shape in shapes])):
            self._seen.setdefault(values, (wire, axis))

    def text(self) -> str:
        """The sizes in the runs, for messages."""
        return "; ".join(f"{s.name} = {', '.join(map(str, s.tried))}" for s in self.sizes) or "one size"

    def constant(self, arrays: list[Any], place: str) -> Wire | None:
        """A constant that differs from run to run, as nodes that make it: numbers, all alike, ones on the diagonal, or
        steps."""
        kind = arrays[0].dtype
        if all(a.size <= 8 and a.ndim < 2 and a.shape == arrays[0].shape for a in arrays):
            found = [self._number([a.reshape(-1)[i] for a in arrays], kind) for i in range(arrays[0].size)]
            numbers = [n for n in found if n is not None]
            if len(numbers) == len(found):
                joined = numbers[0] if len(numbers) == 1 else self._op("Concat", kind, *numbers, axis=0)
                if arrays[0].ndim == 0:
                    joined = self._op("Squeeze", kind, joined, _constant([0]))
                return joined
        if any(not a.size for a in arrays):
            return None
        value = arrays[0].reshape(-1)[0]
        if all(equal(a, np.full_like(a, value)) for a in arrays):
            shape = self._vector([a.shape for a in arrays], place)
            return self._op("Expand", kind, _constant(value), shape)
        if all(a.ndim == 2 and equal(a, np.eye(*a.shape, dtype=kind)) for a in arrays):
            zeros = self._op("Expand", kind, _constant(0, kind), self._vector([a.shape for a in arrays], place))
            return self._op("EyeLike", kind, zeros)
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
        if one.size < 2 or any(not equal(a, np.repeat(each, times)[: a.size]) for a, each in zip(arrays, singles)):
            return None
        lengths = [a.size for a in arrays]
        start, step, end = one[0], one[1] - one[0], one[-1]
        if all(equal(a, (start + step * np.arange(a.size)).astype(kind)) for a in singles):
            out = self._range(lengths, place)
            if times != 1:
                out = self._op("Div", np.dtype(np.int64), out, _constant(times))
            out = self._op("Cast", kind, out, to=kind) if kind != np.int64 else out
            out = out if step == 1 else self._op("Mul", kind, out, _constant(step))
        elif kind.kind == "f" and all(np.allclose(a, np.linspace(start, end, a.size), atol=1e-6) for a in arrays):
            last = self._op("Max", np.dtype(np.int64), self._vector([[n - 1] for n in lengths], place), _constant(1))
            out = self._op("Cast", kind, self._range(lengths, place), to=kind)
            out = self._op("Mul", kind, out, _constant(end - start))
            out = self._op("Div", kind, out, self._op("Cast", kind, last, to=kind))
        else:
            return None
        return self._op("Add", kind, out, _constant(start)) if start else out

    def _range(self, lengths: Sequence[int], place: str) -> Wire:
        """0, 1 …, so many."""
        whole = np.dtype(np.int64)
        length = self._op("Squeeze", whole, self._vector([[n] for n in lengths], place), _constant([0]))
        return self._op("Range", whole, _constant(0), length, _constant(1))

    def _number(self, values: list[Any], kind: np.dtype[Any]) -> Wire | None:
        """A number that differs, as a vector of one: a formula, of floats also the reciprocal, a root, the logarithm
        of one."""
        ways: list[tuple[str, Callable[[Any], Any]]] = [("", lambda v: v)]
        if kind.kind == "f":
            ways += [("Reciprocal", lambda v: 1 / v), ("Sqrt", lambda v: v * v), ("Rsqrt", lambda v: 1 / (v * v)),
                     ("Log", np.exp)]  # fmt: skip
        for op, undone in ways:
            with np.errstate(all="ignore"):
                exact = np.array([undone(float(v)) for v in values])
            if not np.isfinite(exact).all() or np.abs(exact).max() > 2**50 \
                    or np.abs(exact - np.round(exact)).max() > 1e-5 * max(1, np.abs(exact).max()):  # fmt: skip
                continue
            rounded = [int(v) for v in np.round(exact)]
            whole = _constant(rounded[:1]) if len({*rounded}) == 1 else self._size(rounded)
            if whole is None:
                continue
            out = whole if kind == np.int64 else self._op("Cast", kind, whole, to=kind)
            for each in {"Rsqrt": ("Sqrt", "Reciprocal"), "": ()}.get(op, (op,)):
                out = self._op(each, kind, out)
            return out
        return None

    def shape(self, nodes: list[Node], alike: list[Wire]) -> Wire:
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
            return _constant(given, np.int64)
        return self._vector(vectors, place_of(nodes[0]), given)

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
                parts.append(_constant(numbers, np.int64))
            numbers = []
            size = self._size(values)
            if size is None:
                raise OnnxExporterError(
                    f"the number {', '.join(map(str, values))}{place} depends on the dynamic sizes "
                    f"({self.text()}) in a way that is not found, or in more than one. Give an example of a "
                    "larger size, compute the number in a simpler way, or export without that dynamic size"
                )
            parts.append(size)
        if numbers or not parts:
            parts.append(_constant(numbers, np.int64))
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
        if key not in self._made:
            self._made[key] = self._op("Shape", np.dtype(np.int64), wire, start=axis, end=axis + 1)
        return self._made[key]

    def _sized(self, formula: Formula) -> Wire:
        """The formula's number as a vector of one, computed in the file from the inputs' shapes."""
        known = self._made.get(formula)
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
                    out = self._op(op, whole, out, _constant([number], np.int64))
        self._made[formula] = out
        return out

    def _op(self, op: str, kind: np.dtype[Any], *inputs: Wire, **attributes: Any) -> Wire:
        node = Node(op, [*inputs], attributes, "sizes", "size")
        out = Wire("made", node=node)
        out.dtype = kind
        node.outputs = [out]
        self.nodes.append(node)
        return out


def _constant(value: Any, dtype: Any = None) -> Wire:
    return Wire("constant", np.array(value, dtype))


def _run_length(x: Any) -> int:
    """How often the first number stands at the beginning."""
    others = np.flatnonzero(x != x[0])
    return int(others[0]) if others.size else 1


def place_of(node: Node) -> str:
    """Where a node was met, for messages."""
    return f' in module "{node.path}" ({node.what})' if node.path else f" in {node.what} ({node.line})"


def equal(x: Any, y: Any) -> bool:
    """Whether two arrays are the same, to the last bit."""
    return x is y or (x.shape == y.shape and x.dtype == y.dtype
                      and bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f")))  # fmt: skip
