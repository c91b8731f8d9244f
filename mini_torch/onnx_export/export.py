"""`export`: a model as a file of ONNX, from a recorded forward."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import OnnxExporterError
from ..graph import no_grad
from ..network import Module
from ..tensor import Tensor, wrap
from ..tree import flatten, unflatten
from .dimension import Dim, name_of
from .file import LOWEST_OPSET, OPSET, model_of, onnx_package
from .merge import Merged
from .open_sizes import OpenSize, sizes_to_try
from .program import ONNXProgram
from .trace import Trace, trace
from .translate import Translator

__all__ = ["TrainingMode", "export"]


class TrainingMode(enum.IntEnum):
    """The mode that a model runs in: EVAL, as it is (PRESERVE), TRAINING. PyTorch's `torch.onnx.TrainingMode`."""

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


def export(
    model: Callable[..., Any], args: Any = (), f: Any = None, *, kwargs: dict[str, Any] | None = None,
    verbose: bool | None = None, input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
    opset_version: int | None = None, dynamo: bool = True, external_data: bool = True, dynamic_shapes: Any = None,
    optimize: bool = True, verify: bool = False, export_params: bool = True, keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Any] | None = None, training: TrainingMode = TrainingMode.EVAL,
    do_constant_folding: bool = True,
) -> ONNXProgram:  # fmt: skip
    """Runs `model(*args, **kwargs)`, and writes what it did to the file `f` (a path or an open file, None: nowhere).

    - `input_names`, `output_names`: what they are called in the file; by default as in the model's `forward`, and
      "output", or "output_0", "output_1" …
    - `dynamic_axes`: sizes that are open, by input: `{"x": {0: "batch"}}` or `{"x": [0]}`. Sizes of the same name are
      the same number. A size of a result needs no mention, unless it is to have a name of its own.
    - `dynamic_shapes`: the same as PyTorch's newer way has it, by argument of the model: `{"x": {0: Dim("batch")}}`.
    - `opset_version`: from 18 on, 20 by default. `training`: the mode in which the model runs, EVAL by default.
    - `export_params=False` makes parameters inputs, `keep_initializers_as_inputs` lists them as inputs besides.
      `do_constant_folding` computes now what no input goes into. `verbose` prints the graph. With `verify`, the file is
      run in onnxruntime, and its results are compared. `dynamo`, `optimize` and `external_data` change nothing here.

    With open sizes, the model is run four times, with inputs that are repeated or cropped, and every number that
    differs between the runs must be a formula of the sizes. Errors: UnsupportedOperatorError for an operation without a
    translation, OnnxExporterError for a model that decides by its numbers or loops over an open size,
    MissingExtraError without the package `onnx`. Source: PyTorch's `torch.onnx.export`.

    >>> model = mini_torch.nn.Linear(3, 2)
    >>> program = export(model, (mini_torch.ones(4, 3),), input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    >>> [node.op_type for node in program.model_proto.graph.node]
    ['Gemm']
    """
    onnx_package()
    opset = OPSET if opset_version is None else int(opset_version)
    if opset < LOWEST_OPSET:
        raise ValueError(f"opset_version is {opset}; give one from {LOWEST_OPSET} on, or leave it out for {OPSET}")
    call = _Call(model, args, kwargs or {}, input_names)
    sizes, output_axes = _open_sizes(call, dynamic_axes, dynamic_shapes)
    with _in_mode(model, training):
        graph, structure = _recorded(call, sizes, opset, do_constant_folding)
    outputs = _output_names(output_names, len(graph.outputs))
    name = type(model).__name__ if isinstance(model, Module) else getattr(model, "__name__", "main_graph")
    proto = model_of(graph, name, call.names, outputs, output_axes, opset, export_params, keep_initializers_as_inputs)
    program = ONNXProgram(proto, call.flat, structure)
    program.check()
    if verbose:
        print(onnx_package().printer.to_text(proto.graph))
    if verify:
        with _in_mode(model, training), no_grad():
            program.verify(call.tensors, call.flat(call.run(call.tensors)))
    if f is not None:
        program.save(f)
    return program


class _Call:
    """The model's call: `tensors` are those among its arguments, `names` what they are called."""

    def __init__(
        self, model: Callable[..., Any], args: Any, kwargs: dict[str, Any], names: Sequence[str] | None
    ) -> None:
        self.model = model
        self.args = args if isinstance(args, tuple) else tuple(args) if isinstance(args, list) else (args,)
        self.kwargs = kwargs
        leaves, self.structure = flatten((self.args, kwargs))
        self.leaves = [x.detach() if isinstance(x, Tensor) else x for x in leaves]
        self.tensors = [x for x in self.leaves if isinstance(x, Tensor)]
        self.arguments = self._arguments()
        found = [name for argument, value in self.arguments.items() for name in _leaf_names(argument, value)]
        given = list(names or ())
        if len(given) > len(found):
            raise ValueError(f"input_names has {len(given)} names ({', '.join(given)}) for {len(found)} tensors")
        self.names = given + found[len(given) :]

    def _arguments(self) -> dict[str, Any]:
        """The arguments by the parameter that they are for."""
        function = self.model.forward if isinstance(self.model, Module) else self.model
        bound = inspect.signature(function).bind(*self.args, **self.kwargs)
        out: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                out.update({f"{name}_{i}": each for i, each in enumerate(value)})
            elif kind is inspect.Parameter.VAR_KEYWORD:
                out.update(value)
            else:
                out[name] = value
        return out

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """The model's result for other tensors in the places of the given ones."""
        rest = iter(tensors)
        args, kwargs = unflatten([next(rest) if isinstance(x, Tensor) else x for x in self.leaves], self.structure)
        return self.model(*args, **kwargs)

    @staticmethod
    def flat(tree: Any) -> list[Tensor]:
        """The tensors among other arguments, or results."""
        return [x for x in flatten(tree)[0] if isinstance(x, Tensor)]


def _leaf_names(name: str, value: Any) -> list[str]:
    """Names of the tensors in an argument: its own, or with their place in it."""
    if isinstance(value, Tensor):
        return [name]
    if isinstance(value, Mapping):
        return [n for key, each in value.items() for n in _leaf_names(f"{name}_{key}", each)]
    if isinstance(value, tuple | list):
        return [n for i, each in enumerate(value) for n in _leaf_names(f"{name}_{i}", each)]
    return []


def _output_names(given: Sequence[str] | None, count: int) -> list[str]:
    names = ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    if given is not None and len(given) > count:
        raise ValueError(f"output_names has {len(given)} names ({', '.join(given)}), and the model {count} results")
    return [*(given or ()), *names[len(given or ()) :]]


@contextmanager
def _in_mode(model: Any, training: TrainingMode) -> Iterator[None]:
    """Inside, the model is in that mode; after, each module is as it was."""
    modules = [*model.modules()] if isinstance(model, Module) else []
    before = [module.training for module in modules]
    try:
        if modules and training != TrainingMode.PRESERVE:
            model.train(training == TrainingMode.TRAINING)
        yield
    finally:
        for module, was in zip(modules, before):
            module.training = was


# ---- open sizes ------------------------------------------------------------------------------------------------------
def _open_sizes(
    call: _Call, dynamic_axes: Mapping[str, Any] | None, dynamic_shapes: Any
) -> tuple[list[OpenSize], dict[str, dict[int, str]]]:
    """The open sizes of the inputs; and names that were given to sizes of results."""
    if dynamic_axes is not None and dynamic_shapes is not None:
        raise ValueError("dynamic_axes and dynamic_shapes both say which sizes are open: give one of them")
    wanted: list[tuple[int, int, Any, str]] = []
    of_outputs: dict[str, dict[int, str]] = {}
    for name, axes in (dynamic_axes or {}).items():
        named = {int(a): f"{name}_dim_{a}" for a in axes} if not isinstance(axes, Mapping) else dict(axes)
        if name not in call.names:
            of_outputs[name] = {int(a): str(n) for a, n in named.items()}
            continue
        number = call.names.index(name)
        wanted += [(number, int(axis), dim, f"{name}_dim_{axis}") for axis, dim in named.items()]
    if dynamic_shapes is not None:
        wanted += _of_shapes(call, dynamic_shapes)
    sizes: dict[str, OpenSize] = {}
    for number, axis, dim, otherwise in wanted:
        _enter_size(call, sizes, number, axis, dim, otherwise)
    return [*sizes.values()], of_outputs


def _enter_size(call: _Call, sizes: dict[str, OpenSize], number: int, axis: int, dim: Any, otherwise: str) -> None:
    name = name_of(dim, otherwise)
    if name is None:
        return
    shape = call.tensors[number].shape
    if not -len(shape) <= axis < len(shape):
        raise IndexError(f"input {call.names[number]} has no dimension {axis}: its shape is {list(shape)}")
    axis %= len(shape)
    size = sizes.setdefault(name, OpenSize(name, [], shape[axis]))
    if size.given != shape[axis]:
        other, there = size.places[0]
        raise ValueError(
            f"the size {name!r} is {size.given} in input {call.names[other]} (dimension {there}) and {shape[axis]} in "
            f"input {call.names[number]} (dimension {axis}); sizes that may differ need names that differ"
        )
    size.places.append((number, axis))
    if isinstance(dim, Dim):
        size.low, size.high = dim.min, dim.max


def _of_shapes(call: _Call, given: Any) -> list[tuple[int, int, Any, str]]:
    """`dynamic_shapes` as (input, axis, dim, a name if it has none): a dict by argument, or a tuple in their order."""
    if not isinstance(given, Mapping):
        given = dict(zip(call.arguments, given))
    unknown = [name for name in given if name not in call.arguments]
    if unknown:
        raise ValueError(
            f"dynamic_shapes names {unknown[0]!r}, and the model's arguments are {', '.join(call.arguments)}"
        )
    out: list[tuple[int, int, Any, str]] = []
    number = 0
    for argument, value in call.arguments.items():
        for spec in _specs(given.get(argument), value):
            axes = spec.items() if isinstance(spec, Mapping) else enumerate(spec or ())
            out += [(number, axis, dim, f"{call.names[number]}_dim_{axis}") for axis, dim in axes]
            number += 1
    return out


def _specs(spec: Any, value: Any) -> list[Any]:
    """What is said of each tensor in an argument, in order."""
    if isinstance(value, Tensor):
        return [spec]
    if isinstance(value, Mapping):
        return [s for key, each in value.items() for s in _specs((spec or {}).get(key), each)]
    if isinstance(value, tuple | list):
        parts = spec if spec is not None else [None] * len(value)
        return [s for part, each in zip(parts, value) for s in _specs(part, each)]
    return []


# ---- recording -------------------------------------------------------------------------------------------------------
def _recorded(call: _Call, sizes: list[OpenSize], opset: int, fold: bool) -> tuple[Merged, Any]:
    """The model's graph, and the structure of its result."""
    names = _parameter_names(call.model)
    if not sizes:
        found, result = trace(call.model, call.tensors, call.run)
        return Merged([Translator(found, names, opset)], [], fold), flatten(result)[1]
    traces, result = _at_other_sizes(call, sizes)
    return Merged([Translator(found, names, opset) for found in traces], sizes, fold), flatten(result)[1]


def _at_other_sizes(call: _Call, sizes: list[OpenSize]) -> tuple[list[Trace], Any]:
    """The model's runs at the first set of sizes that it takes, and its result."""
    first_error: Exception | None = None
    for attempt in sizes_to_try(sizes):
        for size, tried in zip(sizes, attempt):
            size.tried = tried
        try:
            found = [trace(call.model, _tensors_at(call, sizes, i), call.run) for i in range(len(attempt[0]))]
            return [each for each, _ in found], found[0][1]
        except OnnxExporterError:
            raise
        except Exception as error:  # the model's own, which may not take this size
            first_error = first_error or error
    raise OnnxExporterError(
        f"the model does not run at other sizes than those given: {type(first_error).__name__}: {first_error}. Say "
        "what the size may be (dynamic_shapes with Dim(name, min=…, max=…)), or export without that dynamic size"
    ) from first_error


def _tensors_at(call: _Call, sizes: list[OpenSize], number: int) -> list[Tensor]:
    """The call's tensors at the sizes of that run."""
    return [
        _resized(x, {axis: s.tried[number] for s in sizes for place, axis in s.places if place == i})
        for i, x in enumerate(call.tensors)
    ]


def _resized(x: Tensor, sizes: dict[int, int]) -> Tensor:
    """x repeated or cropped to other sizes."""
    array = x._array
    for axis, n in sizes.items():
        array = np.take(array, np.arange(n) % max(array.shape[axis], 1), axis)
    out: Tensor = wrap(array)
    return out


def _parameter_names(model: Any) -> dict[int, str]:
    """The names of parameters and buffers, as in `state_dict`; a shared one has its first name."""
    if not isinstance(model, Module):
        return {}
    found: dict[int, str] = {}
    for name, x in [*model.named_parameters(), *model.named_buffers()]:
        found.setdefault(id(x), name)
    return found
