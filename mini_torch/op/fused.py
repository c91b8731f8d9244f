"""Operations whose backward is written by hand as a whole: all gradients of one pass over what was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backward import grad
from ..graph import Lift, Node, enable_grad, mode
from ..parts import Pick
from ..plan import settled
from ..saved import pack
from ..tensor import Tensor, wrap
from .door import where_called
from .quiet import quiet

__all__ = ["fused", "replayed"]

Given = Sequence[Any]


def fused(
    name: str, forward: Callable[..., tuple[Any, Any]], pull: Callable[..., Given], plain: Callable[..., Any],
    grad_name: str | None = None, further: tuple[str, ...] = (), spend: Callable[..., Given] | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """Declares an operation by hand; what it returns takes tensors (or None), then options.

    - `plain(*tensors, *options)`, of recorded operations, says what is computed. The names of its parameters up to the
      `/` are the tensors'. Where the gradient itself needs a gradient (`create_graph`), it is run again, and the
      recorded gradient is its.
    - `forward(keep, *arrays, *options) → (result, kept)` is the same in NumPy; `kept` is whatever backward needs, and
      nothing without `keep`: then there will be none.
    - `pull(g, kept, wanted, *arrays, *options)` gives the gradient of each array, any value where `wanted` is False.

    An empty dict among the options gets further results, which have no gradient, by name. Both functions may write into
    arrays of their own; `pull` may not write into `kept`, for backward may come twice. Where it will not, `spend` is
    called instead, if it is given: the same, but what was kept is its own.

    With names of `further` results, which have a gradient, too, the forward gets such a dict for them behind the
    options; g is a list of all results' gradients, None where nothing arrives; and `plain` and what is declared return
    a tuple of all results.
    """
    count = plain.__code__.co_posonlyargcount
    if further:
        pull = _holomorphic(pull)
    plan = _Plan(grad_name or name.title().replace("_", "") + "Backward0", quiet(pull), plain, len(further))
    plan.title = f"{name}_backward"
    plan.spend = plan.run if spend is None else quiet(spend)
    run = quiet(forward)

    def function(*args: Any) -> Any:
        if further:
            args = (*args, {})
        inputs = args[:count]
        wanted = [x is not None and x.requires_grad for x in inputs] if mode.enabled else []
        keep = True in wanted
        arrays = [None if x is None else x._array for x in inputs]
        if mode.recorder is None:
            array, kept = run(keep, *arrays, *args[count:])
        else:
            array, kept = mode.recorder.kernel(run, keep, *arrays, *args[count:], handle=True, label=name, title=name)
        out = wrap(array)
        if further:
            outs = out, *[wrap(args[-1][each]) for each in further]
            if keep:
                plan.record_all(inputs, args[count:-1], wanted, kept, outs)
            return outs
        if keep:
            plan.record(inputs, args[count:], wanted, kept, out)
        return out

    function.__name__ = name
    return function


class _Plan:
    """What such an operation keeps for backward, and how it goes back; as `plan.Plan`, in loops."""

    keeps = True
    lends = saves_out = False
    holomorphic = False  # real numbers only
    title = ""  # its name in a recorded program

    def __init__(self, name: str, pull: Callable[..., Given], plain: Callable[..., Any], further: int) -> None:
        self.name, self.run, self.plain, self.further = name, pull, plain, further
        self.spend = pull

    def record(self, inputs: Given, options: Given, wanted: list[bool], kept: Any, out: Tensor) -> None:
        """Puts a node behind `out`. What is kept stands where other nodes have their result: it goes with the rest."""
        edges = [(x if x._node is None else x._node) if want else None for x, want in zip(inputs, wanted)]
        node = Node(self, edges, tuple([part for x in inputs if x is not None for part in (x, x._cell[0])]))
        node.out, node.options = kept, (wanted, [x is not None for x in inputs], options)
        out._node, out._requires_grad = node, True
        if mode.hooks:
            pack(node)
        if mode.anomaly:
            node.notes = {"traceback": where_called()}

    def record_all(
        self, inputs: Given, options: Given, wanted: list[bool], kept: Any, outs: tuple[Tensor, ...]
    ) -> None:
        """`record` of several results, which share a node."""
        self.record(inputs, options, wanted, kept, outs[0])
        node = outs[0]._node
        for i, out in enumerate(outs):
            out._node, out._requires_grad = Pick(node, i), True

    def _given(self, g: Any) -> Any:
        """The gradient, or the list of those of all results."""
        return [g.parts.get(i) for i in range(self.further + 1)] if self.further else g

    def _inputs(self, node: Node, saved: Given) -> list[Any]:
        """The saved inputs, and None where there was none."""
        given = iter(saved)
        return [next(given) if there else None for there in node.options[1]]

    def pull(self, node: Node, g: Any) -> list[Any]:
        """The inputs' gradients, as arrays."""
        node.check()
        wanted, _, options = node.options
        arrays = self._inputs(node, [x._array for x in node.saved[::2]])
        run = self.spend if mode.spends else self.run
        given = self._given(g), node.out, wanted, *arrays, *options
        grads = run(*given) if mode.recorder is None else mode.recorder.kernel(run, *given, title=self.title)
        return [settled(d, x.dtype) if want else None for d, x, want in zip(grads, arrays, wanted)]

    def pull_tensors(self, node: Node, g: Any, lift: Lift) -> Given:
        """`pull` on tensors: what the plain operation's gradient does is recorded in turn."""
        node.check()
        options = node.options[2]
        grads = self._given(g) if self.further else [g]
        return replayed(lambda *inputs: self.plain(*inputs, *options), self._inputs(node, node.tensors()), grads)


def _holomorphic(pull: Callable[..., Given]) -> Callable[..., Given]:
    """`pull` of several results, which is written as for real numbers, for complex ones, too."""

    def pulled(gs: Given, *rest: Any) -> Given:
        return [_conjugate(d) for d in pull([_conjugate(g) for g in gs], *rest)]

    pulled.__name__ = pull.__name__
    return pulled


def replayed(
    function: Callable[..., Any], inputs: Sequence[Tensor | None], grads: Sequence[Any]
) -> list[Tensor | None]:
    """The gradients of a function (of one result or several) of recorded operations, with a history of their own. None
    among `grads` is for a result that has none."""
    with enable_grad():
        # Clones: where one input is made from another, only its own part is wanted.
        copies = [None if x is None else x.clone() for x in inputs]
        results = function(*copies)
        results = [results] if isinstance(results, Tensor) else results
        wanted = [x for x in copies if x is not None and x.requires_grad]
        pairs = [
            (result, _conjugate(g if isinstance(g, Tensor) else wrap(g)))
            for result, g in zip(results, grads) if g is not None
        ]  # fmt: skip
        outs, given = zip(*pairs)
        found = iter(grad(outs, wanted, given, create_graph=True, materialize_grads=True))
        # A formula is as if for real numbers, and `grad` conjugates what comes in and goes out: it is undone here.
        return [_conjugate(next(found)) if x is not None and x.requires_grad else None for x in copies]


def _conjugate(x: Any) -> Any:
    kind = None if x is None else x._array.dtype.kind if isinstance(x, Tensor) else x.dtype.kind
    return np.conjugate(x) if kind == "c" else x
