"""Several graphs of one model, at several sizes, as one: they must have the same nodes; what else differs is made of
the sizes (`varying`).

What no input goes into is computed here, once, if that is the same in all graphs ("constant folding").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import OnnxExporterError
from .graph import Node, Wire
from .open_sizes import OpenSize, formula_of
from .translate import Translator
from .varying import SizeNodes, equal, place_of

__all__ = ["Merged"]

_LARGE = 1 << 20  # bytes; what is larger, and made of less, is left to be made by the file
_MAKE_LARGE = ("Expand", "Tile", "Range", "ConstantOfShape")


class Merged:
    """The one graph: `nodes` in order, `inputs`, `outputs`; `dims` has each output's sizes, None for one without
    a formula."""

    def __init__(self, runs: Sequence[Translator], sizes: Sequence[OpenSize], fold: bool) -> None:
        self.sizes, self._fold = sizes, fold
        self.inputs = runs[0].inputs
        self.nodes: list[Node] = []
        self._known: dict[int, Wire] = {id(x): x for x in self.inputs}  # by the first run's wire: the final one
        self._partners = {id(alike[0]): [id(x) for x in alike] for alike in zip(*[run.inputs for run in runs])}
        self._of_sizes = SizeNodes(sizes, self.inputs, self.nodes)
        counts = {len(run.outputs) for run in runs}
        if len(counts) > 1:
            raise OnnxExporterError(f"the model gives another number of results at other sizes: {sorted(counts)}")
        outputs = [[*alike] for alike in zip(*[run.outputs for run in runs])]
        self.outputs = [self._wire(alike, "") for alike in outputs]
        self.dims = [[formula_of(ns, sizes) for ns in zip(*[w.shape or () for w in alike])] for alike in outputs]

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
                self._known[id(first)] = Wire("constant", first.array, first.name)
            else:
                nodes = self._nodes(wires, place)
                waiting = self._unknown_inputs(nodes)
                if waiting:
                    stack += [(w, place_of(nodes[0])) for w in reversed(waiting)]
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
                self._check_partners(wires, place_of(nodes[0]))
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
        if not self._fold or any(not w.is_fixed or w.array is None for w in wires):
            return False
        node = first.node
        if node is not None and node.op in _MAKE_LARGE and first.array.nbytes > _LARGE:
            return False
        if node is not None and node.op == "Transpose" and node.inputs[0] is not None \
                and node.inputs[0].kind == "parameter":  # fmt: skip
            return False  # the parameter keeps its name, and is there once; a runtime transposes it as it loads
        return all(equal(first.array, w.array) for w in wires[1:])

    def _nodes(self, wires: list[Wire], place: str) -> list[Node]:
        """The nodes that make the wires, which must be alike."""
        nodes = [w.node for w in wires if w.node is not None]
        first = nodes[0]
        if len(nodes) < len(wires) or any(
            n.op != first.op or len(n.inputs) != len(first.inputs) or len(n.outputs) != len(first.outputs)
            or [x is None for x in n.inputs] != [x is None for x in first.inputs] for n in nodes
        ):  # fmt: skip
            raise self._not_alike([n.what for n in nodes], place or place_of(first))
        if all(_is_whole_image(n) for n in nodes):
            for n in nodes:
                n.op, n.attributes = f"Global{n.op}", {}
        for name in dict.fromkeys(name for n in nodes for name in n.attributes):
            values = [n.attributes.get(name) for n in nodes]
            if name == "ceil_mode":  # where the windows fit, it is not seen
                first.attributes[name] = 1
            elif any(v != values[0] for v in values):
                raise OnnxExporterError(
                    f"{first.op}{place_of(first)} has another {name} at other sizes: {values} for "
                    f"{self._of_sizes.text()}. ONNX takes a number there: export without that dynamic size"
                )
        return nodes

    def _not_alike(self, whats: Sequence[str], place: str) -> OnnxExporterError:
        return OnnxExporterError(
            f"the model does something else at other sizes{place}: {', '.join(dict.fromkeys(whats))} for "
            f"{self._of_sizes.text()}. A loop over a dynamic size, or an if that asks for it, cannot be exported: "
            "export without that dynamic size, or write it with operations on whole tensors"
        )

    def _emit(self, nodes: list[Node]) -> None:
        """The node of all runs in the final graph."""
        first = nodes[0]
        made = Node(first.op, [], first.attributes, first.path, first.what, first.line)
        for alike in zip(*[n.inputs for n in nodes]):
            if alike[0] is None:
                made.inputs.append(None)
            elif self._is_shape(nodes, alike):
                made.inputs.append(self._of_sizes.shape(nodes, [*alike]))
            else:
                made.inputs.append(self._known[id(alike[0])])
        made.outputs = []
        for old in first.outputs:
            new = Wire("made", name=old.name, node=made, index=old.index)
            new.shape, new.dtype = old.shape, old.dtype
            made.outputs.append(new)
            self._known[id(old)] = new
            self._of_sizes.see(new, [n.outputs[old.index].shape for n in nodes])
        self.nodes.append(made)

    @staticmethod
    def _is_shape(nodes: list[Node], alike: Sequence[Wire | None]) -> bool:
        """Whether these are the shapes that Reshape or Expand bring their data to, and differ."""
        node, first = nodes[0], alike[0]
        return node.op in ("Reshape", "Expand") and len(node.inputs) > 1 and first is node.inputs[1] \
            and first is not None and first.kind == "constant" \
            and any(w is not None and not equal(first.array, w.array) for w in alike[1:])  # fmt: skip

    # ---- constants ---------------------------------------------------------------------------------------------------
    def _leaf(self, wires: list[Wire], place: str) -> Wire:
        first = wires[0]
        if any(w.kind != first.kind for w in wires):
            raise self._not_alike([w.kind for w in wires], place)
        if first.kind == "parameter" or all(equal(first.array, w.array) for w in wires[1:]):
            return first
        arrays = [w.array for w in wires]
        if first.end is not None and len({int(w.array.reshape(())) - (w.end or 0) for w in wires}) == 1:
            back = int(first.array.reshape(())) - first.end
            return Wire("constant", np.full_like(first.array, back if back < 0 else 2**62))  # counted from the end
        found = self._of_sizes.constant(arrays, place)
        if found is None:
            small = all(a.size <= 8 for a in arrays)
            texts = ", ".join(str(a.tolist()) if small else f"of shape {[*a.shape]}" for a in arrays)
            raise OnnxExporterError(
                f"a tensor {texts}{place} depends on the dynamic sizes "
                f"({self._of_sizes.text()}) in a way that is not found, or in more than one. Make it of torch.arange, "
                "torch.ones and the like inside of the model, give an example of a larger size, or export without that "
                "dynamic size"
            )
        return found


def _is_whole_image(node: Node) -> bool:
    """Whether it pools with one window, which is the whole image."""
    (x, *_), (out, *more) = node.inputs or [None], node.outputs
    return node.op in ("AveragePool", "MaxPool") and not more and x is not None and x.shape is not None \
        and out.shape is not None and [*x.shape[2:]] == node.attributes["kernel_shape"] \
        and {*out.shape[2:]} == {1}  # fmt: skip
