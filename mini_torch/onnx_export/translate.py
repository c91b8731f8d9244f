"""From one recorded run to one graph: each operation by its row where the table has it, else by its NumPy calls.

Everything that was recorded is translated, in order, and what no result needs is not written (`file`). So a row and
the calls of its forward are both there for a while. An operation without a translation makes a wire that is `missing`;
so is what is made of it; only when a result is missing, that is an error.

ONNX has no memory: a write into an array is a new wire in its place, and a write into a view is put back, step by step,
into what it is a view of (`writes`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..capture.values import Call, Value, leaves, mapped
from ..errors import OnnxExporterError, UnsupportedOperatorError
from ..op import rows as all_rows
from . import table
from .graph import Builder, NoTranslation, Wire
from .trace import Applied, Trace
from .writes import put_back, written

__all__ = ["Translator"]


class Translator:
    """The graph of a trace: `inputs` and `outputs` are wires, `builder.nodes` what is between them.

    `names` are those of tensors from outside, by their id.
    """

    def __init__(self, trace: Trace, names: dict[int, str], opset: int) -> None:
        self.trace, self.names = trace, names
        self.builder = Builder(opset)
        self.wires: dict[int, Wire] = {}
        self.makers: dict[int, Call] = {}  # of views, which are made anew when what they show was written to
        self.views: dict[int, list[Value]] = {}  # by their root
        self.inputs = []
        for value in trace.inputs:
            wire = Wire("input")
            wire.shape, wire.dtype = value.shape, value.dtype
            self.wires[id(value)] = wire
            self.inputs.append(wire)
        self._follow()
        self.outputs = [self._needed(self.wire(value)) for value in trace.outputs]

    def _follow(self) -> None:
        applied = iter(self.trace.applied)
        next_row = next(applied, None)
        for i, call in enumerate([*self.trace.calls, None]):
            while next_row is not None and next_row.at <= i:
                self._row(next_row, self.trace.calls[i - 1].scope if i else "")
                next_row = next(applied, None)
            if call is not None:
                self._call(call)

    @staticmethod
    def _needed(wire: Wire) -> Wire:
        if wire.missing:
            raise UnsupportedOperatorError(wire.missing)
        return wire

    # ---- values ------------------------------------------------------------------------------------------------------
    def wire(self, value: Value) -> Wire:
        """The wire that has this value's numbers now."""
        found = self.wires.get(id(value))
        if found is None:
            if id(value) in self.makers:
                self._call(self.makers[id(value)])  # a view of what was written to
                return self.wires[id(value)]
            found = self.wires[id(value)] = self._from_outside(value)
        return found

    def _from_outside(self, value: Value) -> Wire:
        array = self.trace.arrays[id(value)]
        if value.kind == "tensor":
            name = self.names.get(id(value.owner), "")
            return Wire("parameter" if name else "constant", array, name)
        return Wire("constant", np.array(array))

    def _wired(self, x: Any) -> Any:
        """x with wires in the places of values."""
        return mapped(x, lambda each: self.wire(each) if type(each) is Value else each)

    # ---- operations --------------------------------------------------------------------------------------------------
    def _row(self, applied: Applied, scope: str) -> None:
        translation = table.rows.get(applied.name)
        if translation is None or applied.out.kind == "object":
            return
        instead = self.wires.get(id(applied.out))
        args = [*self._wired(applied.inputs), *self._wired(tuple(applied.options))]
        made = self._translated(translation, applied.name, scope, args, {}, [applied.out])
        if not made[0].missing or instead is None:
            self.wires[id(applied.out)] = made[0]

    def _call(self, call: Call) -> None:
        if call.form == "effect":
            return
        outs = [out for out in call.outs if out is not None and out.kind != "object"]
        args, kwargs = [*self._wired(call.args)], self._wired(call.kwargs)
        if call.writes:
            self._write(call, args, kwargs)
            return
        kind, name = name_of(call)
        translation = getattr(table, kind).get(name)
        if translation is None:
            translation = _no_translation
        if not call.pure:
            translation = _random
        made = self._translated(translation, name, call.scope, args, kwargs, outs)
        for out, wire in zip(outs, made):
            self.wires[id(out)] = wire
            if out.is_view and call.form != "kernel":
                self.makers[id(out)] = call
                self.views.setdefault(id(out.root), []).append(out)

    def _translated(
        self, translation: Callable[..., Any], name: str, scope: str, args: list[Any], kwargs: dict[str, Any],
        outs: list[Value],
    ) -> list[Wire]:  # fmt: skip
        b = self.builder
        b.path, b.what = scope.rpartition(": ")[0], name
        b.outs = [(out.shape, out.dtype) for out in outs]
        missing = self._missing_among((args, kwargs))
        function, b.line = self.trace.asked.get(id(outs[0]), ("", "")) if outs else ("", "")
        if not missing:
            try:
                made = translation(b, *args, **kwargs)
                wires = made if isinstance(made, list) else [made]
                return [self._settled(wire, out) for wire, out in zip(wires, outs)]
            except NoTranslation as reason:
                missing = _complaint(name, scope, str(reason), function, b.line)
            except (TypeError, AssertionError, AttributeError, KeyError) as error:
                missing = _complaint(name, scope, f"called in a way that is not known ({error})", function, b.line)
        return [self._missing(missing) for _ in outs]

    @staticmethod
    def _missing_among(given: Any) -> str:
        """Why one of the wires is missing, "" if none is."""
        return next((x.missing for x in leaves(given) if isinstance(x, Wire) and x.missing), "")

    @staticmethod
    def _missing(why: str) -> Wire:
        wire = Wire("made")
        wire.missing = why
        return wire

    def _settled(self, wire: Wire, out: Value) -> Wire:
        """The wire with what is known of its value from the run."""
        if wire.missing or wire.kind in ("input", "parameter"):
            return wire
        assert wire.shape is None or wire.shape == out.shape, f"{self.builder.what}: {wire.shape} for {out.shape}"
        wire = self.builder.cast(wire, out.dtype)
        wire.shape = out.shape
        array = self.trace.arrays[id(out)]
        if wire.is_fixed and wire.array is None and not out.root.written and isinstance(array, np.ndarray):
            wire.array = array
        return wire

    # ---- writes ------------------------------------------------------------------------------------------------------
    def _write(self, call: Call, args: list[Any], kwargs: dict[str, Any]) -> None:
        (target,) = call.writes if len(call.writes) == 1 else (None,)
        if target is None:
            raise OnnxExporterError(f"{name_of(call)[1]} writes into several arrays at once; write them one by one")
        b = self.builder
        b.path, b.what, b.outs = call.scope.rpartition(": ")[0], name_of(call)[1], [(target.shape, target.dtype)]
        self._check_writable(target, call)
        old = self.wire(target)
        missing = old.missing or self._missing_among((args, kwargs))
        new = self._missing(missing)
        if not missing:
            try:
                changed = written(b, call, old, args, {k: v for k, v in kwargs.items() if k != "out"}, name_of(call))
                new = self._put_back(target, b.cast(changed, target.dtype))
            except NoTranslation as reason:
                new = self._missing(_complaint(name_of(call)[1], call.scope, str(reason)))
        for view in self.views.get(id(target.root), []):
            self.wires.pop(id(view), None)
        self.wires[id(target.root)] = new

    def _put_back(self, target: Value, new: Wire) -> Wire:
        """What the target's memory holds after the target has become `new`."""
        new.shape = target.shape
        while target is not target.root:
            maker = self.makers.get(id(target))
            if maker is None:
                raise NoTranslation("it writes into a view; write into a .clone()")
            parent = next(x for x in maker.reads() if x.root is target.root)
            new = put_back(self.builder, maker, self.wire(parent), new)
            new.shape = parent.shape
            target = parent
        return new

    def _check_writable(self, target: Value, call: Call) -> None:
        if target.root.kind == "tensor":
            name = self.names.get(id(target.root.owner), "a tensor from outside")
            raise OnnxExporterError(
                f"the model writes to {name}{_where(call.scope)}, and a file of ONNX keeps nothing from one run to the "
                "next. Return the new value as a result, or call model.eval() first if it is a layer in training mode"
            )


def name_of(call: Call) -> tuple[str, str]:
    """The table in which a call's translation is, and its name there."""
    if call.form == "kernel":
        return "kernels", call.name
    owner = call.owner
    if isinstance(owner, np.ufunc):
        return "numpy_calls", f"{owner.__name__}.{call.own_name}"
    return "numpy_calls", call.own_name


def _no_translation(b: Builder, *args: Any, **kwargs: Any) -> Any:
    raise NoTranslation("it has no translation")


def _random(b: Builder, *args: Any, **kwargs: Any) -> Any:
    raise NoTranslation("it draws random numbers, which a file of ONNX would not draw again as PyTorch does; draw them "
                        "outside and give them to the model as an input, or call model.eval()")  # fmt: skip


def _where(scope: str) -> str:
    return f' in module "{scope}"' if scope else ""


def _complaint(name: str, scope: str, reason: str, function: str = "", line: str = "") -> str:
    """An error's text: the operation, for a part of a function with the function, and where it was met."""
    named = name if name in all_rows else name.strip("_").removesuffix("_cpu").removesuffix("_vml")
    of = f" of {function}" if function not in ("", named) else ""
    where = f" in {line}" if line else ""
    return (
        f"the operation {named}{of}{_where(scope) or where} cannot be written to ONNX: {reason}. Put other operations "
        "in its place (docs/onnx.md lists those that can be), or take it out of the model and do it in NumPy after the "
        "file has run"
    )
