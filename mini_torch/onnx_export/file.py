"""The file: a merged graph as an `onnx.ModelProto`, with names that a reader finds the model's own in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import MissingExtraError, OnnxExporterError
from ..version import __version__
from .graph import Node, Wire
from .merge import Merged

__all__ = ["LOWEST_OPSET", "OPSET", "model_of", "onnx_package"]

OPSET, LOWEST_OPSET = 20, 18  # 20 is what PyTorch 2.13 writes, and onnxruntime 1.17 reads
_LIMIT = 2**31 - 1  # bytes of a file of protocol buffers


def onnx_package() -> Any:
    """The package `onnx`. MissingExtraError, which says what to install, where there is none."""
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "mini_torch.onnx.export") from error
    return onnx


def model_of(
    graph: Merged, name: str, inputs: Sequence[str], outputs: Sequence[str], output_axes: dict[str, dict[int, str]],
    opset: int, export_params: bool, as_inputs: bool,
) -> Any:  # fmt: skip
    """The model. The results get the names `outputs`, their open sizes those of `output_axes` where they have one."""
    onnx = onnx_package()
    helper = onnx.helper
    names = _Names(graph, inputs, outputs)
    constants = names.constants
    size = sum(w.array.nbytes for w in constants)
    if size > _LIMIT and export_params:
        raise OnnxExporterError(
            f"the model has {size / 2**30:.1f} GiB of parameters, and a file of ONNX holds 2; export it in parts, or "
            "in half precision (model.half())"
        )
    nodes = [helper.make_node(n.op, [names.of(x) for x in n.inputs], [names.of(x) for x in n.outputs], names.nodes[i],
                              **_attributes(n, helper)) for i, n in enumerate(names.ordered)]  # fmt: skip
    parameters = [w for w in constants if w.kind == "parameter"]
    held = constants if export_params else [w for w in constants if w.kind != "parameter"]
    further = parameters if as_inputs or not export_params else []
    made = helper.make_graph(
        nodes, name,
        [_described(helper, n, x.dtype, _dims(graph, i, x)) for i, (n, x) in enumerate(zip(inputs, graph.inputs))]
        + [_described(helper, names.of(w), w.dtype, w.array.shape) for w in further],
        [_described(helper, n, x.dtype, _output_dims(n, dims, output_axes.get(n, {})))
         for n, x, dims in zip(outputs, names.results, graph.dims)],
        [_tensor(onnx, w, names.of(w)) for w in held],
    )  # fmt: skip
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(made, producer_name="mini_torch", producer_version=__version__, opset_imports=imports,
                             ir_version=helper.find_min_ir_version_for(imports))  # fmt: skip


def _attributes(node: Node, helper: Any) -> dict[str, Any]:
    given = dict(node.attributes)
    if node.op == "Cast":
        given["to"] = _kind(helper, given["to"])
    return given


def _kind(helper: Any, dtype: np.dtype[Any]) -> int:
    try:
        return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    except (KeyError, ValueError) as error:
        raise OnnxExporterError(f"ONNX has no tensors of {dtype}; cast them first") from error


def _described(helper: Any, name: str, dtype: Any, dims: Sequence[Any]) -> Any:
    return helper.make_tensor_value_info(name, _kind(helper, dtype), [*dims])


def _dims(graph: Merged, number: int, wire: Wire) -> list[Any]:
    """An input's sizes, with names for open ones."""
    names = {axis: size.name for size in graph.sizes for i, axis in size.places if i == number}
    return [names.get(axis, n) for axis, n in enumerate(wire.dims)]


def _output_dims(name: str, formulas: Sequence[Any], named: dict[int, str]) -> list[Any]:
    """A result's sizes: numbers, the names given, or formulas; one without a formula has a name of its own."""
    return [f.shift if f is not None and not f.sizes else named.get(i, f"{name}_dim_{i}" if f is None else str(f))
            for i, f in enumerate(formulas)]  # fmt: skip


def _tensor(onnx: Any, wire: Wire, name: str) -> Any:
    return onnx.numpy_helper.from_array(np.ascontiguousarray(wire.array).reshape(wire.array.shape), name)


class _Names:
    """A name for each wire and each node; no two alike.

    Nodes are called after the module where they were met and what they do, "/layers/0/Gemm"; parameters as in
    `state_dict`.
    """

    def __init__(self, graph: Merged, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._of: dict[int, str] = {id(x): name for x, name in zip(graph.inputs, inputs)}
        self._used = {*inputs, *outputs}
        self.ordered = _needed(graph)
        self.results: list[Wire] = []
        for wire, name in zip(graph.outputs, outputs):
            if wire.kind != "made" or id(wire) in self._of:  # an input, a constant, or a result twice
                copy = Node("Identity", [wire], {}, "", "")
                copy.outputs = [Wire("made", node=copy)]
                copy.outputs[0].dtype, copy.outputs[0].shape = wire.dtype, wire.shape
                self.ordered.append(copy)
                wire = copy.outputs[0]
            self._of[id(wire)] = name
            self.results.append(wire)
        self.constants = self._constants()
        self.nodes = [self._free("/" + "/".join([*filter(None, n.path.split(".")), n.op])) for n in self.ordered]
        for node, name in zip(self.ordered, self.nodes):
            for i, out in enumerate(node.outputs):
                self._of.setdefault(id(out), f"{name}_output_{i}")

    def of(self, wire: Wire | None) -> str:
        """The wire's name; "" for an input that is left out."""
        return "" if wire is None else self._of[id(wire)]

    def _free(self, name: str) -> str:
        found, number = name, 0
        while found in self._used:
            number += 1
            found = f"{name}_{number}"
        self._used.add(found)
        return found

    def _constants(self) -> list[Wire]:
        """What is stored in the file, equal small ones once."""
        found: list[Wire] = []
        same: dict[Any, str] = {}
        for node in self.ordered:
            for wire in node.inputs:
                if wire is None or wire.kind not in ("parameter", "constant") or id(wire) in self._of:
                    continue
                if wire.kind == "parameter":
                    key: Any = wire.name
                else:
                    key = (wire.array.tobytes(), wire.dtype, wire.array.shape) if wire.array.nbytes < 256 else id(wire)
                if key not in same:
                    same[key] = self._free(wire.name or "constant")
                    found.append(wire)
                self._of[id(wire)] = same[key]
        return found


def _needed(graph: Merged) -> list[Node]:
    """The nodes that the results depend on, in order."""
    wanted: set[int] = set()
    stack = [w.node for w in graph.outputs if w.node is not None]
    while stack:
        node = stack.pop()
        if id(node) not in wanted:
            wanted.add(id(node))
            stack += [x.node for x in node.inputs if x is not None and x.node is not None]
    return [node for node in graph.nodes if id(node) in wanted]
