"""The graph of a file while it is built: wires, which stand for arrays, and the nodes between them.

`Builder` has a method for what most translations need (a node, a constant, a cast, another shape), so that a
translation reads like the sentence "softmax is a Softmax along that axis".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["Builder", "NoTranslation", "Node", "Wire"]

_FAR = 2**62  # beyond the end of every axis

Array = np.ndarray[Any, Any]


class NoTranslation(Exception):
    """There is no way to say this operation, or this form of it, in ONNX; the text says what and why."""


class Wire:
    """One array of the file.

    - "input": an argument's; "parameter": of a tensor from outside, with its name; "constant": numbers; "made": by a
      node.
    - `shape` and `dtype` are those of the recorded run, None where nobody asked.
    - `array`: the numbers, of a parameter, a constant, and of what is made of these alone.
    - `end`: of a constant that is a place on an axis, the axis' size.
    - `missing`: why there is none: what it is made of has no translation.
    """

    __slots__ = ("array", "dtype", "end", "index", "kind", "missing", "name", "node", "shape")

    def __init__(self, kind: str, array: Any = None, name: str = "", node: Node | None = None, index: int = 0) -> None:
        self.kind, self.array, self.name, self.node, self.index = kind, array, name, node, index
        self.shape: tuple[int, ...] | None = None if array is None else array.shape
        self.dtype: Any = None if array is None else array.dtype
        self.end: int | None = None
        self.missing = ""

    @property
    def is_fixed(self) -> bool:
        """Whether no input goes into it."""
        return self.kind in ("parameter", "constant") or (self.node is not None and self.node.is_fixed)

    @property
    def dims(self) -> tuple[int, ...]:
        """Its shape, which must be known."""
        assert self.shape is not None
        return self.shape

    @property
    def rank(self) -> int:
        """Its number of dimensions."""
        return len(self.dims)

    @property
    def size(self) -> int:
        """Its number of elements."""
        return math.prod(self.dims)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} {self.dtype}{self.shape}>"


class Node:
    """`outputs = op(inputs)`; `path` is the module where it was met, `line` that of the program, `what` the operation
    that it is a translation of.

    An input of None is one that ONNX lets out.
    """

    __slots__ = ("attributes", "inputs", "is_fixed", "line", "op", "outputs", "path", "what")

    def __init__(self, op: str, inputs: list[Wire | None], attributes: dict[str, Any], path: str, what: str,
                 line: str = "") -> None:  # fmt: skip
        self.op, self.inputs, self.attributes = op, inputs, attributes
        self.path, self.what, self.line = path, what, line
        self.outputs: list[Wire] = []
        self.is_fixed = all(x is None or x.is_fixed for x in inputs) and not op.startswith("Random")

    def __repr__(self) -> str:
        return f"{self.outputs} = {self.op}({self.inputs}, {self.attributes})"


class Builder:
    """The graph of one recorded run. `path`, `what` and `line` are those of the operation at hand, `outs` its results'
    shapes and types."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[Node] = []
        self.path, self.what, self.line = "", "", ""
        self.outs: list[tuple[tuple[int, ...], Any]] = []

    # ---- wires -------------------------------------------------------------------------------------------------------
    def constant(self, value: Any, dtype: Any = None) -> Wire:
        """Numbers. (A copy: what is recorded may be written to later.)"""
        return Wire("constant", np.array(value, dtype))

    def ints(self, values: Iterable[int]) -> Wire:
        """A vector of int64, as shapes, axes and the like are given."""
        return self.constant([int(v) for v in values], np.int64)

    def wire(self, x: Any, dtype: Any) -> Wire:
        """A wire, or a number as a constant, of that type."""
        return self.cast(x, dtype) if isinstance(x, Wire) else self.constant(x, dtype)

    # ---- nodes -------------------------------------------------------------------------------------------------------
    def op(self, op: str, *inputs: Wire | None, count: int = 1, **attributes: Any) -> Any:
        """The result of a new node, or a list of `count` results."""
        given = list(inputs)
        while given and given[-1] is None:
            given.pop()
        node = Node(op, given, {k: v for k, v in attributes.items() if v is not None}, self.path, self.what,
                    self.line)  # fmt: skip
        self.nodes.append(node)
        node.outputs = [Wire("made", node=node, index=i) for i in range(count)]
        first = next((x for x in given[op == "Where" :] if x is not None), None)  # whose type the result has
        for out in node.outputs:
            out.dtype = None if first is None else first.dtype
        return node.outputs[0] if count == 1 else node.outputs

    def test(self, op: str, *inputs: Wire, **attributes: Any) -> Wire:
        """The result, of bools, of a new node."""
        out: Wire = self.op(op, *inputs, **attributes)
        out.dtype = np.dtype(bool)
        return out

    def cast(self, x: Wire, dtype: Any) -> Wire:
        """x in another type, or itself."""
        dtype = np.dtype(dtype)
        if x.dtype == dtype:
            return x
        if x.kind == "constant":
            return self.constant(x.array.astype(dtype))
        out: Wire = self.op("Cast", x, to=dtype)
        out.shape, out.dtype = x.shape, dtype
        return out

    def reshape(self, x: Wire, shape: Sequence[int]) -> Wire:
        """x in another shape; of what was reshaped before, its source."""
        shape = tuple([int(n) for n in shape])
        if x.shape == shape:
            return x
        if x.node is not None and x.node.op == "Reshape" and x.node.inputs[0] is not None:
            return self.reshape(x.node.inputs[0], shape)
        out: Wire = self.op("Reshape", x, self.ints(shape))
        out.shape = shape
        return out

    def transpose(self, x: Wire, axes: Sequence[int]) -> Wire:
        """x with its dimensions in another order."""
        axes = [int(a) % len(axes) for a in axes]
        if axes == sorted(axes):
            return x
        if x.node is not None and x.node.op == "Transpose" and x.node.inputs[0] is not None:
            before = x.node.attributes["perm"]
            return self.transpose(x.node.inputs[0], [before[a] for a in axes])
        out: Wire = self.op("Transpose", x, perm=axes)
        out.shape = None if x.shape is None else tuple([x.shape[a] for a in axes])
        return out

    def swap(self, x: Wire, a: int, b: int) -> Wire:
        """x with two dimensions exchanged."""
        axes = [*range(x.rank)]
        axes[a], axes[b] = axes[b], axes[a]
        return self.transpose(x, axes)

    def expand(self, x: Wire, shape: Sequence[int]) -> Wire:
        """x broadcast to the shape."""
        if x.shape == tuple(shape):
            return x
        out: Wire = self.op("Expand", x, self.ints(shape))
        out.shape = tuple(shape)
        return out

    def squeeze(self, x: Wire, axes: Sequence[int]) -> Wire:
        """x without these dimensions of one element."""
        if not axes:
            return x
        axes = [a % x.rank for a in axes]
        out: Wire = self.op("Squeeze", x, self.ints(axes))
        out.shape = tuple([n for i, n in enumerate(x.dims) if i not in axes])
        return out

    def unsqueeze(self, x: Wire, axes: Sequence[int]) -> Wire:
        """x with new dimensions of one element at these places of the result."""
        if not axes:
            return x
        rank = x.rank + len(axes)
        axes = sorted(a % rank for a in axes)
        source = x.node.inputs[0] if x.node is not None and x.node.op == "Squeeze" else None
        if source is not None and x.node is not None and x.node.inputs[1] is not None \
                and [*x.node.inputs[1].array] == axes and source.rank == rank:  # fmt: skip
            return source
        out: Wire = self.op("Unsqueeze", x, self.ints(axes))
        rest = iter(x.dims)
        out.shape = tuple([1 if i in axes else next(rest) for i in range(rank)])
        return out

    def slice(self, x: Wire, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Wire:
        """x[…, start:stop:step, …] along an axis, with bounds as Python has them."""
        size, step = x.dims[axis], 1 if step is None else step
        if start in (None, 0) and stop is None and step == 1:
            return x
        first = (0 if step > 0 else _FAR) if start is None else start
        last = (_FAR if step > 0 else -_FAR) if stop is None else stop
        out: Wire = self.op("Slice", x, self.place(first, x, axis), self.place(last, x, axis), self.ints([axis]),
                            None if step == 1 else self.ints([step]))  # fmt: skip
        out.shape = (*x.dims[:axis], len(range(size)[start:stop:step]), *x.dims[axis + 1 :])
        return out

    def place(self, i: int, x: Wire, axis: int) -> Wire:
        """A place on an axis, as a vector of one; it may be the same place counted from the end of every size."""
        out = self.ints([i])
        out.end = x.dims[axis] if i >= 0 else None
        return out

    def pick(self, x: Wire, axis: int, i: int) -> Wire:
        """x[…, i, …]: without that dimension."""
        index = self.constant(i, np.int64)
        index.end = x.dims[axis] if i >= 0 else None
        out: Wire = self.op("Gather", x, index, axis=axis)
        out.shape = (*x.dims[:axis], *x.dims[axis + 1 :])
        return out

    def concat(self, parts: Sequence[Wire], axis: int) -> Wire:
        """The parts one behind the other."""
        if len(parts) == 1:
            return parts[0]
        out: Wire = self.op("Concat", *parts, axis=axis)
        first = parts[0].shape
        if first is not None and all(part.shape is not None for part in parts):
            out.shape = (*first[:axis], sum([part.dims[axis] for part in parts]), *first[axis + 1 :])
        return out
