"""relu of a linear layer in one step: half of the bookkeeping, and the zeros go into the layer's own result.

Nobody notices. The node behind the result is called as relu's is, and as soon as somebody looks at it, it becomes the
two that are expected: relu's, and the layer's behind it.
"""

from __future__ import annotations

import functools
from typing import Any

from ..graph import Lift, Node, mode, watches
from ..op import rows
from ..op.quiet import hushed
from ..plan import Plan
from ..tensor import Tensor, make
from .activation import rectified, relu_rule
from .linalg.products import linear_forward

__all__ = ["linear_relu"]

_LINEAR, _RELU = rows["linear"], rows["relu"]


def _forward(x: Any, weight: Any, bias: Any) -> Any:
    out = linear_forward(x, weight, bias)
    return rectified(out, out)


_run = hushed(_forward)


def linear_relu(input: Any, weight: Any, bias: Any) -> Tensor | None:
    """relu(linear(input, weight, bias)) for a matrix of floats; None for what is anything else, or watched."""
    if watches[0] or mode.recorder is not None:
        return None
    try:
        x, w, b = input._array, weight._array, bias._array
        kind = x.dtype
        if not (w.dtype is kind is b.dtype and kind.char in "fd" and x.ndim == 2 == w.ndim and b.ndim == 1):
            return None
        out: Tensor = make(Tensor, _run(x, w, b))
    except (AttributeError, RuntimeError, ValueError):  # no tensors, quiet taken, shapes that do not fit: not here
        return None
    if mode.enabled:
        _LINEAR.record((input, weight, bias), (), out)
        node = out._node
        if node is not None:
            node.__class__, node.plan, node.out = _Joint, _joint_plan(node.plan), (out._array, out._cell, 0)
    return out


class _Joint(Node):
    """The node of both: `edges` and `saved` are the layer's, `out` is relu's."""

    __slots__ = ()

    def _part(self) -> None:
        layers = Node(self.plan.linear, self.edges, self.saved)
        layers.birth = self.birth - 0.5  # before relu, and after what it was made from
        self.__class__, self.plan, self.edges = Node, _RELU.plans.get(1) or _RELU.plan(1), (layers,)  # type: ignore[assignment]
        self.saved = None if self.saved is None else ()

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The layer's node, which there is from now on."""
        self._part()
        return self.next_functions

    def note(self, name: str) -> dict[int, Any]:
        """The hooks of that name; they see relu's gradients."""
        self._part()
        return self.note(name)

    def check(self) -> None:
        """Raises as the two would."""
        self._part()
        self.check()
        self.edges[0].check()


class _JointPlan:
    """How it goes back: by relu's formula, then as the layer does."""

    keeps = saves_out = True
    lends = holomorphic = False
    name, options = _RELU.grad_name, ()

    def __init__(self, linear: Plan) -> None:
        self.linear = linear

    def pull(self, node: Node, g: Any) -> Any:
        """The gradients of input, weight and bias, as arrays."""
        if node.saved is None or node.out[1][0] != node.out[2]:
            node.check()
        return self.linear.pull(node, relu_rule(g, node.out[0]))

    def pull_tensors(self, node: Node, g: Any, lift: Lift) -> list[Any]:
        """`pull` on tensors: what the formulas do is recorded in turn."""
        if node.saved is None or node.out[1][0] != node.out[2]:
            node.check()
        g = relu_rule(g, lift.output(node))
        return self.linear.pull_tensors(Node(self.linear, node.edges, node.saved), g, lift)


_joint_plan = functools.cache(_JointPlan)
