"""A program as Python source: straight-line NumPy, with every array under a name that says what it is."""

from __future__ import annotations

import builtins
import functools
import keyword
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .blocks import ChainWriter, cut
from .chains import Chain
from .memory import Memory, Slab, takes_out
from .program import Program
from .recorder import _getitem, _imag, _real, _setitem
from .values import Call, Value

__all__ = ["Source", "place"]

Array = np.ndarray[Any, Any]

_PLAIN = {np.ndarray.reshape, np.ndarray.ravel, np.ndarray.flatten, np.reshape, np.ravel, np.ndarray.astype}
_LARGE = 1 << 14  # bytes of an array that is worth being let go
_KEYWORD_OUT = {np.maximum, np.minimum}  # NumPy wants to give a third positional argument another meaning


def place(
    memory: Array, dtype: np.dtype[Any], shape: tuple[int, ...], order: tuple[int, ...] | None = None
) -> Array:  # fmt: skip
    """The first bytes of a buffer as an array of that type and shape, the dimensions in that order in memory."""
    flat = memory[: math.prod(shape) * dtype.itemsize].view(dtype)
    if order is None:
        return flat.reshape(shape)
    return flat.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


class Source:
    """The text of a program, and what it finds by name.

    `scope` has the functions and arrays from outside; `text` sets up the rest once (`buffers` are to be in the scope
    then) and defines `forward` and, if there is one, `backward`.
    """

    may_share = False  # chains among threads

    def __init__(self, program: Program, memory: Memory, names: dict[int, str], arguments: list[str]) -> None:
        self.program, self.memory = program, memory
        self.scope: dict[str, Any] = {"place": place, "dtype": np.dtype}
        self.setup: list[str] = []
        self.notes: list[str] = []
        self._owners = names
        self._names: dict[int, str] = {}
        self._objects: dict[int, str] = {}
        taken = {"forward", "backward", *keyword.kwlist, *dir(builtins)}
        self._used: set[str] = taken - {"input"}  # as many layers call their argument
        self._counts: dict[str, int] = {}  # how many have a name already
        self.of_blocks: dict[Any, Any] = {}  # names that the loops of several chains share
        self._kept: list[Any] = []
        for call in program.calls:  # functions keep their own names
            if isinstance(call, Chain):
                self.object(cut, "cut")
            for each in call.calls if isinstance(call, Chain) else [call]:
                if each.form in ("ufunc", "function"):
                    self.callee(each)
        self.arguments = [self._new(name) for name in arguments]
        for value, name in zip(program.inputs, self.arguments):
            self._names[id(value)] = name
        self._numbers_known: dict[Any, str] = {}
        self._placed: dict[str, int] = {}  # where in `setup` an array is placed, by how
        self._as_arrays = _as_arrays(program)
        self._numbers = {id(call): i for i, call in enumerate(program.calls)}

    # ---- names -------------------------------------------------------------------------------------------------------
    def _new(self, wish: str) -> str:
        """A name that nobody has, as near to the wish as can be."""
        base = re.sub(r"\W+", "_", wish).strip("_") or "x"
        base = f"_{base}" if base[0].isdigit() else base
        name, count = base, self._counts.get(base, 1)
        while name in self._used:
            count += 1
            name = f"{base}_{count}"
        self._counts[base] = count
        self._used.add(name)
        return name

    def object(self, x: Any, wish: str) -> str:
        """The name of a function or another thing from outside."""
        if id(x) not in self._objects:
            name = self._objects[id(x)] = self._new(wish)
            self.scope[name] = x
            self._kept.append(x)
        return self._objects[id(x)]

    def name(self, value: Value) -> str:
        """A value's name. What never changes is set up when it is first asked for."""
        if id(value) not in self._names:
            wish = value.name or value.kind
            if value.kind == "tensor":
                wish = self._owners.get(id(value.owner), "") or f"tensor_{value.index}"
            elif value.kind == "constant":
                wish = self._constant_name(value.array)
            self._names[id(value)] = self._new(wish)
            self._set_up(value)
        return self._names[id(value)]

    @staticmethod
    def _constant_name(array: Any) -> str:
        if array.ndim == 0:
            return "c" + repr(array.item()).replace("-", "minus_").replace(".", "_").replace("+", "")
        if array.size and array.dtype.kind != "V" and array.strides and (array == array.flat[0]).all():
            return {0: "zeros", 1: "ones"}.get(array.flat[0].item(), "constant")
        return "constant"

    def _set_up(self, value: Value) -> None:
        """Puts what is there before the first call into the scope, or writes how it is made."""
        name = self._names[id(value)]
        if value.kind in ("tensor", "constant"):
            self.scope[name] = value.array
            if value.kind == "tensor":
                self.notes.append(f"# {name}: {_type_name(value.dtype)} {list(value.shape)}")
        elif id(value) in self.memory.fixed:
            self.scope[name] = self.memory.fixed[id(value)]
        elif id(value) in self.memory.places:
            buffer = self.memory.places[id(value)]
            order = sorted(range(len(value.shape)), key=lambda axis: -value.strides[axis])
            turned = "" if order == sorted(order) else f", {tuple(order)}"
            kind = self.type(value.dtype)
            made = f"place({self.buffer(buffer)}, {kind}, {value.shape}{turned})"
            if made in self._placed:  # the same array, and so nearer
                self.setup[self._placed[made]] = f"{name} = {self.setup[self._placed[made]]}"
            else:
                self._placed[made] = len(self.setup)
                self.setup.append(f"{name} = {made}")

    def type(self, kind: np.dtype[Any]) -> str:
        """The name of a type."""
        return self.object(kind, _type_name(kind))

    def buffer(self, buffer: Slab) -> str:
        """The name of a buffer."""
        return f"buffer_{buffer.index}"

    # ---- arguments ---------------------------------------------------------------------------------------------------
    def render(self, x: Any) -> str:
        """An argument as it is written."""
        if isinstance(x, Value):
            return self.name(x)
        if isinstance(x, tuple):
            inner = ", ".join(map(self.render, x))
            if type(x) is not tuple and hasattr(x, "_fields"):
                return f"{self.object(type(x), type(x).__name__)}({inner})"
            return f"({inner},)" if len(x) == 1 else f"({inner})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.render, x))}]"
        if isinstance(x, dict) and all(isinstance(key, str | int) for key in x):
            return "{" + ", ".join(f"{key!r}: {self.render(each)}" for key, each in x.items()) + "}"
        if x is None or x is Ellipsis or type(x) in (bool, int, str):
            return repr(x) if x is not Ellipsis else "..."
        if type(x) is float and math.isfinite(x):
            return repr(x)
        if isinstance(x, slice):
            return f"slice({self.render(x.start)}, {self.render(x.stop)}, {self.render(x.step)})"
        if isinstance(x, np.dtype):
            return self.object(x, _type_name(x))
        if isinstance(x, type) and issubclass(x, np.generic):
            return self.object(np.dtype(x), _type_name(np.dtype(x)))
        if isinstance(x, np.generic):
            return self.object(x, self._constant_name(np.asarray(x)))
        return self.object(x, type(x).__name__)

    def _index(self, index: Any) -> str:
        parts = index if isinstance(index, tuple) else (index,)

        def one(part: Any) -> str:
            if isinstance(part, slice):
                ends = ["" if x is None else self.render(x) for x in (part.start, part.stop)]
                return ":".join(ends) + ("" if part.step is None else f":{self.render(part.step)}")
            return self.render(part)

        return ", ".join(map(one, parts)) if parts else "()"

    def _operand(self, x: Any, call: Call) -> str:
        """An operand of a ufunc: a number as a 0-d array, which costs a third of what Python's costs."""
        if isinstance(x, bool | int | float) and call.out is not None:
            kinds = {v.dtype for v in call.args if isinstance(v, Value)}
            kind = next(iter(kinds)) if len(kinds) == 1 else None
            if kind is not None and call.out.dtype in (kind, np.dtype(bool)) and (kind.kind in "fc" or type(x) is int):
                with np.errstate(all="ignore"):
                    array = np.array(x, kind)
                array.flags.writeable = False
                key = (repr(x), kind)
                if key not in self._numbers_known:
                    self._numbers_known[key] = self.object(array, self._constant_name(array))
                return self._numbers_known[key]
        return self.render(x)

    # ---- calls -------------------------------------------------------------------------------------------------------
    def expression(self, call: Call) -> str:
        """The call without a place for its result."""
        function, args = call.function, call.args
        if function is _getitem:
            return f"{self.render(args[0])}[{self._index(args[1])}]"
        if function in (_real, _imag):
            return f"{self.render(args[0])}.{call.name.strip('_')}"
        rest = [f"{key}={self.render(x)}" for key, x in call.kwargs.items()]
        if call.form == "method" and isinstance(args[0], Value) and hasattr(np.ndarray, call.name):
            inner = ", ".join([*map(self.render, args[1:]), *rest])
            return f"{self.render(args[0])}.{call.name}({inner})"
        operands = [self._operand(x, call) for x in args] if call.form == "ufunc" else [*map(self.render, args)]
        return f"{self.callee(call)}({', '.join([*operands, *rest])})"

    def callee(self, call: Call) -> str:
        """The function as it is written."""
        function = call.function
        ufunc = call.owner
        if isinstance(ufunc, np.ufunc):
            return f"{self.object(ufunc, ufunc.__name__)}.{function.__name__}"
        return self.object(function, call.name.strip("_<>") or "kernel")

    def into(self, call: Call, how: str) -> str:
        """The call with its result put where it belongs."""
        out, function = call.out, call.function
        assert out is not None
        target = self.name(out)
        if how == "fill":
            value = call.args[3]
            return "" if value is None else f"{target}.fill({self.render(value)})"
        if how == "copy":
            source = self.render(call.args[0])
            if function in _PLAIN and function is not np.ndarray.astype:
                target = self._as_source(call, target)
            unsafe = ', "unsafe"' if function is np.ndarray.astype and call.args[0].dtype != out.dtype else ""
            return f"{self.object(np.copyto, 'copyto')}({target}, {source}{unsafe})"
        text = self.expression(call)
        positional = (call.form == "ufunc" or function is np.dot) and not call.kwargs and function not in _KEYWORD_OUT
        text = text[:-1] if text.endswith("()") else f"{text[:-1]}, "
        return f"{text}{target})" if positional else f"{text}out={target})"

    def _as_source(self, call: Call, target: str) -> str:
        """A reshaping copy's target in the shape of what it copies."""
        name = self._new(f"{target}_as_{call.args[0].name or 'source'}")
        self.setup.append(f"{name} = {target}.reshape({call.args[0].shape})")
        return name

    def statement(self, call: Call) -> str:
        """The call as a line; "" if there is nothing to do."""
        memory, out = self.memory, call.out
        if out is not None and out.is_view and memory.is_static(out) and all(map(memory.is_static, call.reads())):
            if id(out) not in self._names:
                name = self._names[id(out)] = self._new(out.name or self._view_name(call))
                self.setup.append(f"{name} = {self.expression(call)}")
            return ""
        if call.function is _setitem:
            target, index, value = call.args
            return f"{self.render(target)}[{self._index(index)}] = {self.render(value)}"
        if call.writes:
            out_argument = call.kwargs.get("out")
            if call.form == "ufunc" and isinstance(out_argument, Value) and len(call.kwargs) == 1 \
                    and call.function not in _KEYWORD_OUT:  # fmt: skip
                operands = [self._operand_into(x, call, out_argument) for x in call.args]
                return f"{self.callee(call)}({', '.join([*operands, self.name(out_argument)])})"
            return self.expression(call)
        how = takes_out(call)
        if how and out is not None and (id(out) in memory.places or id(out) in memory.fixed):
            return self.into(call, how)
        targets = ["_" if v is None else self._loose(v, call) for v in call.outs]
        text = self.expression(call)
        if call.many:
            return f"{', '.join(targets)}{',' if len(targets) == 1 else ''} = {text}"
        if out is not None and id(out) in self._as_arrays:
            text = f"{self.object(np.asarray, 'asarray')}({text})"
        return f"{targets[0]} = {text}" if targets and targets != ["_"] else text

    def _operand_into(self, x: Any, call: Call, out: Value) -> str:
        if isinstance(x, float) and out.dtype.kind == "f" and all(
            v.dtype == out.dtype for v in call.args if isinstance(v, Value)
        ):  # fmt: skip
            array = np.array(x, out.dtype)
            return self.object(array, self._constant_name(array))
        return self.render(x)

    def _loose(self, value: Value, call: Call) -> str:
        if id(value) not in self._names:
            self._names[id(value)] = self._new(value.name or (self._view_name(call) if value.is_view else call.name))
        return self._names[id(value)]

    def _view_name(self, call: Call) -> str:
        first = next(iter(call.reads()), None)
        base = "x" if first is None else self.name(first)
        if call.function is np.ndarray.transpose and len(call.args) == 1:
            return f"{base}_T"
        if first is not None and call.out is not None and call.out.dtype != first.dtype:
            return f"{base}_bits"
        return f"{base}_{'part' if call.function is _getitem else 'view'}"

    # ---- the whole ---------------------------------------------------------------------------------------------------
    def segment(self, calls: list[Call], update: Callable[[Call], list[str]]) -> list[str]:
        """The lines of some calls, with a comment where another part of the network begins."""
        lines: list[str] = []
        scope = None
        loose: dict[int, list[str]] = {}  # names of what was made loose, by memory
        for call in calls:
            if isinstance(call, Chain):
                new = ChainWriter(self, call).lines()
            else:
                new = update(call) if call.form == "update" else [self.statement(call)]
            for out in call.outs:
                if out is not None and not self.memory.is_static(out) and id(out) in self._names \
                        and (out.root.nbytes >= _LARGE or out.dtype.hasobject):  # fmt: skip
                    loose.setdefault(id(out.root), []).append(self._names[id(out)])
            new = [line for line in [*new, self._let_go(call, loose)] if line]
            if new and call.scope != scope:
                scope = call.scope
                lines += [""] * bool(lines) + [f"# {scope}"] * bool(scope)
            lines += new
        return lines

    def _let_go(self, call: Call, loose: dict[int, list[str]]) -> str:
        """Frees what was made loose and is not read after this call: the next one finds its memory still warm."""
        last, number = self.memory.last, self._numbers[id(call)]
        roots = {id(v.root) for v in [*call.reads(), *filter(None, call.outs)]}
        gone = [root for root in roots if root in loose and last[root] == number and root not in self.memory.across]
        names = [name for root in gone for name in loose.pop(root)]
        return f"del {', '.join(sorted(names))}" if names else ""

    def scalar(self, array: Array, wish: str) -> str:
        """The name of an array of ours."""
        return self.object(array, wish)


@functools.cache
def _type_name(kind: np.dtype[Any]) -> str:
    return "boolean" if kind.kind == "b" else kind.name


def suggest_names(program: Program) -> None:
    """Gives values that have no name one by what makes them; a view's base is named after it."""
    for call in program.calls:
        for out in call.outs:
            if out is not None and out.is_view and out.name and not out.root.name:
                out.root.name = f"{out.name}_{'base' if out.dtype == out.root.dtype else 'bits'}"
    for call in program.calls:
        for out in call.outs:
            if out is not None and not out.name and not out.is_view:
                out.name = _NAMES.get(call.name, call.name.strip("_<>"))


_NAMES = {
    "not_equal": "mask", "equal": "mask", "greater": "mask", "less": "mask", "greater_equal": "mask",
    "less_equal": "mask", "astype": "copied", "fresh": "made", "subtract": "difference", "multiply": "scaled",
    "add": "total", "divide": "quotient", "matmul": "product", "dot": "product", "exp": "exponential", "sqrt": "root",
    "reduce": "total", "negative": "opposite", "maximum": "larger", "minimum": "smaller", "square": "squared",
    "reciprocal": "inverse", "where": "chosen",
}  # fmt: skip


def _as_arrays(program: Program) -> set[int]:
    """Results without dimensions, of which NumPy makes scalars, where only an array will do: something is written into
    it, or an operation of ours reads it."""
    ours = [call for call in program.calls if call.form in ("kernel", "effect", "update")]
    wanted = {id(value) for call in ours for value in call.reads()}
    return {
        id(call.out) for call in program.calls
        if call.out is not None and call.out.shape == () and not call.is_view
        and (call.out.written or id(call.out) in wanted)
    }  # fmt: skip
