"""Running a model once, for real, and noting which operations of ours and which calls of NumPy's it is made of.

The recording itself is that of `compile` (see `capture.recorder`): whatever a program does with a tensor's numbers is
written down, and what cannot be is noticed. Here it is noted besides which row's forward a stretch of calls was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..capture.record import following
from ..capture.recorder import Recorder
from ..capture.values import Call, Value
from ..capture.watch import Watch
from ..errors import OnnxExporterError
from ..graph import mode, no_grad
from ..network import Module
from ..random.generator import default_generator
from ..tensor import Tensor
from ..tree import flatten

__all__ = ["Applied", "Trace", "is_in_onnx_export", "trace"]

_HERE = __file__.rpartition("onnx_export")[0]  # the package
_OPS = _HERE + "ops"
_NUMPY = np.__file__.removesuffix("__init__.py")


@dataclass
class Applied:
    """A row's forward: it is over before call number `at`, and gave `out`."""

    at: int
    name: str
    inputs: list[Any]
    options: Any
    out: Value


@dataclass
class Trace:
    """What one run was: calls in order, rows, and the values that went in and came out; `arrays` has the numbers that
    each value had when it was made, `asked` which function made it, and the program's line."""

    calls: list[Call] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    arrays: dict[int, Any] = field(default_factory=dict)
    asked: dict[int, tuple[str, str]] = field(default_factory=dict)


class _Recorder(Recorder):
    """Keeps the numbers of each value, and the rows."""

    def __init__(self) -> None:
        super().__init__(fullgraph=False)
        self.arrays: dict[int, Any] = {}
        self.kept: list[Value] = []  # alive, as they are known by their id
        self.applied: list[Applied] = []
        self.asked: dict[int, tuple[str, str]] = {}

    def value(self, kind: str, real: Any, root: Value | None = None, owner: Any = None) -> Value:
        made = super().value(kind, real, root, owner)
        self.arrays[id(made)] = real
        self.kept.append(made)
        self.asked[id(made)] = _asked_for()
        return made

    def row(self, name: str, inputs: tuple[Tensor, ...], options: Any, out: Value) -> None:
        """Notes that `out` is that row's result."""
        noted = [self._noted(x._array) for x in inputs]
        if not any(x is out for x in noted):
            self.applied.append(Applied(len(self.calls), name, noted, self._noted(options), out))


def _asked_for() -> tuple[str, str]:
    """The function of ours that the program called to get what is made now, "" for a method, and the program's line."""
    frame, name = sys._getframe(2), ""
    while frame.f_back is not None and frame.f_code.co_filename.startswith((_HERE, _NUMPY, "<")):
        code = frame.f_code
        if code.co_filename.startswith("<the door"):
            name = ""  # what is inside of it is a row's forward
        elif code.co_filename.startswith(_OPS) and code.co_name[0] not in "_<":
            name = code.co_name
        frame = frame.f_back
    return name, f"line {frame.f_lineno} of {frame.f_code.co_filename}"


class _Watch(Watch):
    """Sees rows come out of the one door."""

    recorder: _Recorder

    def set_array(self, x: Tensor, array: Any) -> None:
        super().set_array(x, array)
        frame = sys._getframe(1)
        code, known = frame.f_code, frame.f_locals
        if code.co_name == "apply" and code.co_filename.startswith("<the door") and self.recorder.active:
            made: Any = x._array
            self.recorder.row(known["row"].name, known["inputs"], known["options"], made.value)


def is_in_onnx_export() -> bool:
    """Whether a model runs now to be exported. Source: PyTorch's `torch.onnx.is_in_onnx_export`."""
    return isinstance(mode.recorder, _Recorder)


def trace(
    model: Callable[..., Any], inputs: list[Tensor], run: Callable[[list[Tensor]], Any]
) -> tuple[Trace, Any]:
    """run(inputs), which calls the model, as a `Trace`; and its result."""
    recorder = _Recorder()
    watch = _Watch(recorder)
    place = None if default_generator._bits is None else default_generator.place()
    found = Trace(recorder.calls, recorder.applied, arrays=recorder.arrays, asked=recorder.asked)
    try:
        with watch.watching(), following(recorder), no_grad():
            found.inputs = [watch.enter(x, "input") for x in inputs]
            result = run(inputs)
            found.outputs = [_value(x, recorder) for x in flatten(result)[0] if isinstance(x, Tensor)]
    finally:
        recorder.undo()
        if place is not None:
            default_generator.go_to(place)
    if recorder.reasons:
        raise OnnxExporterError(
            f"a file of ONNX has no choices: {_name(model)} {recorder.reasons[0]}. Write it with tensors alone "
            "(torch.where for an if, masks for indices of bools), or take that part out of the model"
        )
    return found, result


def _value(x: Tensor, recorder: _Recorder) -> Value:
    held: Any = x._array
    return held.value if recorder.holds(held) else recorder.constant(held).value


def _name(model: Any) -> str:
    return type(model).__name__ if isinstance(model, Module) else getattr(model, "__name__", "the function")
