"""`Plan`: a recorded program made ready to run again and again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from operator import attrgetter, is_
from sys import getrefcount
from typing import Any

import numpy as np

from ..errors import StaleTensorError
from ..graph import Node
from ..op import in_quiet
from ..parts import Pick
from ..tensor import Tensor, make, wrap
from .chains import find_chains
from .guard import Guard
from .memory import Memory, takes_out
from .program import Program
from .record import Output, Recording, overlap
from .source import suggest_names
from .update import RunUpdate, runs_of
from .values import Call, Value, mapped
from .write import Writer

__all__ = ["Plan"]

_array_of = attrgetter("_array")
_flag_of = attrgetter("_requires_grad")


class Instance:
    """A program with buffers of its own, for one run at a time. `node` is the backward that waits for its values."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.forward = in_quiet(scope["forward"])
        self.backward = in_quiet(scope["backward"]) if "backward" in scope else None
        self.node: Callable[[], Any] = lambda: None

    def is_free(self) -> bool:
        """Whether nobody will go back through its last run."""
        node = self.node()
        return node is None or node.saved is None


class Plan:
    """One recorded program: when it holds, what it is in source, and its runs."""

    def __init__(self, recording: Recording, guard: Guard, arguments: list[str]) -> None:
        self.guard = guard
        self.used = False
        self.tensors = [x for x, _ in recording.outside]
        self.arrays = [x._array for x in self.tensors]
        self.flags = [x._requires_grad for x in self.tensors]
        self.tree = recording.tree
        self.outputs = _outputs(self.tree)
        self.leaves = recording.leaves
        self.outdated = False
        program = self.program = recording.program
        self.updates: dict[int, list[RunUpdate] | None] = {}
        fixed: dict[int, Any] = {}
        self.slots: dict[int, Tensor] = {}  # by the id of a leaf: its gradient, which lies in an optimizer's flat array
        for call in program.calls:
            if call.form == "update":
                runs = self.updates[id(call)] = runs_of(call.owner)
                self._assign_slots(runs or [], fixed)
        self._groups = [(call.owner, _sizes(call.owner)) for call in program.calls if call.form == "update"]
        program.simplify()
        suggest_names(program)
        find_chains(program)
        self.memory = Memory(program, fixed)
        self.writer = Writer(self, recording.names, arguments)
        self.source = self.writer.text
        self._code = compile(self.writer.text, "<compiled>", "exec")
        self.idle = [self._bind()]  # a list's pop and append are safe among threads
        self.waiting: list[Instance] = []  # for backward
        grads = [(x, self._grad_of(x, value)) for x, value in recording.grads]
        places = {id(value.owner): i for i, value in enumerate(program.inputs)}
        self._loose_grads = [_Target(x, places) for x, g in grads if isinstance(g, Value)]
        self._no_grads = [_Target(x, places) for x, g in grads if g is None]
        self._without_grad = [_Target(x, places) for x, grad in recording.grads_read if grad is None]
        self._with_grad = [_Target(x, places) for x, grad in recording.grads_read if grad is not None]
        self._same_grads = [
            (_Target(x, places), grad) for x, grad in recording.grads_read if grad is not None
            and any(grad is other for other in self.tensors)
        ]  # fmt: skip
        self._grads_given = [(_Target(x, places), _kind(x._grad)) for x in recording.grads_given]
        known = [*self._updated(), *[value.owner for value in program.inputs if guard.knows(value.owner)]]
        self._same = [(places[id(x)], x) for x in known if id(x) in places]  # not only the caller has them
        lent = [x for x, g in grads if isinstance(g, Tensor)]
        del grads  # references are counted now
        self.lent = Lent(lent, self.slots)
        self.single = isinstance(self.tree, Output) and self.tree.index is not None
        self._written = [x for x in recording.written if id(x) not in places and type(x._cell) is list]
        self.read_back = _read_back(program)
        self._written_arguments = [places[id(x)] for x in recording.written if id(x) in places]

    def _updated(self) -> list[Tensor]:
        """The tensors that optimizers step."""
        return [value.owner for call in self.program.calls if call.form == "update" for value in call.writes]

    # ---- making it ---------------------------------------------------------------------------------------------------
    def _assign_slots(self, runs: list[RunUpdate], fixed: dict[int, Any]) -> None:
        """Has gradients computed where the optimizer wants them, if that can be."""
        makers: dict[int, Call] = {id(call.out): call for call in self.program.calls if call.out is not None}
        found = {id(x): value for x, value in self.program.grads}
        roots = [id(value.root) for value in found.values()]
        for run in runs:
            for p, slot in zip(run.params, run.slots):
                value = found.get(id(p))
                if (
                    value is not None and not value.is_view and roots.count(id(value)) == 1 and id(value) in makers
                    and takes_out(makers[id(value)]) == "out" and value.strides == slot.strides
                    and value.dtype == slot.dtype and value not in self.program.outputs
                ):  # fmt: skip
                    fixed[id(value)] = slot
                    self.slots[id(p)] = wrap(slot)

    def _grad_of(self, x: Tensor, value: Value | None) -> Any:
        if value is None:
            return None
        return self.slots[id(x)] if id(value.root) in self.memory.fixed and id(x) in self.slots else value

    def _bind(self) -> Instance:
        scope = dict(self.writer.scope)
        for buffer in self.memory.buffers:
            scope[f"buffer_{buffer.index}"] = buffer.allocate()
        exec(self._code, scope)
        return Instance(scope)

    # ---- running it --------------------------------------------------------------------------------------------------
    def holds(self, tensors: list[Tensor]) -> bool:
        """Whether the program is still the one that would be recorded now, for these arguments."""
        if self.outdated:
            return False
        if not all(map(is_, map(_array_of, self.tensors), self.arrays)) or [*map(_flag_of, self.tensors)] != self.flags:
            return False
        if not self._grads_hold(tensors):
            return False
        for i, x in self._same:
            if tensors[i] is not x:
                return False
        for i in self._written_arguments:
            if i < len(tensors) and overlap(i, tensors):
                return False
        for optimizer, sizes in self._groups:
            if _sizes(optimizer) != sizes:
                return False
        return self.lent.is_free() and self.guard.holds()

    def outdate(self) -> None:
        """Says that an optimizer's step is another one from now on: the next call is recorded again."""
        self.outdated = True

    def _grads_hold(self, tensors: list[Tensor]) -> bool:
        for target in self._without_grad:
            if target.of(tensors)._grad is not None:
                return False
        for target in self._with_grad:
            if target.of(tensors)._grad is None:
                return False
        for target, grad in self._same_grads:
            if target.of(tensors)._grad is not grad:
                return False
        return all(_kind(target.of(tensors)._grad) == kind for target, kind in self._grads_given)

    def run(self, tensors: list[Tensor]) -> Any:
        """One run on these arguments."""
        self.used = True
        if self._grads_given:
            grads: list[Any] = [target.of(tensors)._grad for target, _ in self._grads_given]
            tensors = [*tensors, *grads]
        try:
            instance = self.idle.pop()
        except IndexError:  # backward waits for it, or another thread is in it
            instance = self._another()
        try:
            results = instance.forward(*[x._array for x in tensors])
        finally:
            (self.waiting if self.leaves else self.idle).append(instance)
        for x, g in zip(self.lent.leaves, self.lent.tensors):
            x._grad = g
        for target in self._no_grads:
            target.of(tensors)._grad = None
        for x in self._written:
            x._cell[0] += 1
        for i in self._written_arguments:
            tensors[i]._bump()
        if self.single and not self._loose_grads and not self.leaves:
            out = _tensor(results[0])
            if self.tree.spent is not None:
                out._node, out._requires_grad = self.tree.spent, True
            return out
        return self._handed_out(instance, results, tensors)

    def _handed_out(self, instance: Instance, results: tuple[Any, ...], tensors: list[Tensor]) -> Any:
        outputs, grads, kept = self.writer.split(results)
        for target, g in zip(self._loose_grads, grads):
            target.of(tensors)._grad = _tensor(g)
        made = [*map(_tensor, outputs)]
        for output in self.outputs:
            if output.spent is not None:
                made[output.index]._node, made[output.index]._requires_grad = output.spent, True  # type: ignore
        if self.leaves:
            _Back(self, instance, kept, tensors).behind(made)
        return mapped(self.tree, lambda x: (made[x.index] if x.index is not None else self._given(x, tensors))
                      if isinstance(x, Output) else x)  # fmt: skip

    def _given(self, x: Output, tensors: list[Tensor]) -> Any:
        """A result that is a tensor from outside: an argument of this call, or one that the function knows."""
        for value, tensor in zip(self.program.inputs, tensors):
            if value.owner is x.tensor:
                return tensor
        return x.tensor

    def _another(self) -> Instance:
        """An instance that nobody is in and no backward waits for."""
        for instance in [*self.waiting]:
            if instance.is_free():
                self.waiting.remove(instance)
                return instance
        return self._bind()


class _Target:
    """A tensor that a run does something to: one from outside, or the argument at a place."""

    __slots__ = ("place", "tensor")

    def __init__(self, x: Tensor, places: dict[int, int]) -> None:
        self.place = places.get(id(x))
        self.tensor = x

    def of(self, arguments: list[Tensor]) -> Tensor:
        """Which one that is in this call."""
        return self.tensor if self.place is None else arguments[self.place]


class Lent:
    """The gradients that lie in an optimizer's flat array, which every run writes to anew, as tensors.

    Whoever keeps such a tensor over the next run is left with a copy. `slots` has them by the id of their leaf.
    """

    def __init__(self, leaves: list[Tensor], slots: dict[int, Tensor]) -> None:
        self.leaves, self.slots = leaves, slots
        self.tensors = [slots[id(x)] for x in leaves]
        self.arrays = [x._array for x in self.tensors]
        self.arrays += [x.base for x in {id(x.base): x for x in self.arrays}.values() if x.base is not None]
        self._of_arrays = [*map(getrefcount, self.arrays)]
        self._ours = [*map(getrefcount, self.tensors)]
        self._usual = [count + 1 for count in self._ours]  # when each is its leaf's `grad`, too

    def is_free(self) -> bool:
        """Whether nobody but the leaves has these gradients, after those who kept a tensor got a copy; False where
        somebody kept the very array, or a view of it."""
        if not self.tensors:
            return True
        if [*map(getrefcount, self.arrays)] != self._of_arrays:
            return False
        if [*map(getrefcount, self.tensors)] != self._usual:
            self._part()
        return True

    def _part(self) -> None:
        counts = [*map(getrefcount, self.tensors)]
        for i, (leaf, ours, count) in enumerate(zip(self.leaves, self._ours, counts)):
            kept = self.tensors[i]
            if count > ours + (leaf._grad is kept):
                slot = kept._array
                kept._array = slot.copy()
                self.tensors[i] = self.slots[id(leaf)] = wrap(slot)


class _Back:
    """The way back through a run: what stands for a node's plan."""

    keeps = lends = True
    saves_out = holomorphic = False
    name = "CompiledFunctionBackward"

    def __init__(self, plan: Plan, instance: Instance, kept: tuple[Any, ...], tensors: list[Tensor]) -> None:
        self.plan, self.instance, self.kept, self.tensors = plan, instance, kept, tensors

    def behind(self, made: list[Tensor]) -> None:
        """Puts a node behind the results."""
        plan = self.plan
        given = {id(value.owner): x for value, x in zip(plan.program.inputs, self.tensors)}
        saved = [given.get(id(x), x) for x in plan.read_back]
        self.saved = [(x, x._cell[0]) for x in saved if type(x._cell) is list]
        edges = [given.get(id(x), x) for x in plan.leaves]
        node = Node(self, [x if x._node is None else x._node for x in edges])
        self.instance.node = weakref.ref(node)
        wanted = [x for x in plan.outputs if x.requires_grad]
        self.shapes = [(made[x.index]._array.shape, made[x.index]._array.dtype) for x in wanted]  # type: ignore
        for i, x in enumerate(wanted):
            out = made[x.index]  # type: ignore[index]
            out._node, out._requires_grad = Pick(node, i), True

    def pull(self, node: Node, g: Any) -> list[Any]:
        """The leaves' gradients."""
        node.check()
        for x, version in self.saved:
            if x._cell[0] != version:
                raise StaleTensorError(self.name, x._array.shape, x._cell[0], version)
        seeds = [g.parts[i] if i in g.parts else np.zeros(*shape) for i, shape in enumerate(self.shapes)]
        assert self.instance.backward is not None
        return [*map(np.asarray, self.instance.backward(*seeds, *self.kept))]

    def pull_tensors(self, node: Node, g: Any, lift: Any) -> list[Any]:
        """RuntimeError: a compiled function's gradient has no graph, as in PyTorch."""
        raise RuntimeError(
            "a compiled function's gradient cannot be differentiated again (create_graph=True): call the function "
            "itself"
        )


def _read_back(program: Program) -> list[Tensor]:
    """The tensors from outside that backward reads: it must find them as they were."""
    if program.turn is None:
        return []
    roots = {id(v.root): v.root for call in program.calls[program.turn :] for v in call.reads()}
    return [root.owner for root in roots.values() if root.kind in ("input", "tensor") and not root.written]


def _kind(x: Tensor | None) -> Any:
    """What a gradient that is an argument of the program has to have in common with the recorded one."""
    if x is None:
        return None
    array = x._array
    return array.shape, array.dtype, array.strides, x._requires_grad


def _sizes(optimizer: Any) -> list[int]:
    """How many parameters each group of an optimizer has."""
    return [len(group["params"]) for group in optimizer.param_groups]


def _outputs(tree: Any) -> list[Output]:
    found: dict[int, Output] = {}

    def see(x: Any) -> Any:
        if isinstance(x, Output) and x.index is not None:
            found.setdefault(x.index, x)
        return x

    mapped(tree, see)
    return [found[i] for i in sorted(found)]


def _tensor(array: Any) -> Tensor:
    return make(Tensor, array) if type(array) is np.ndarray else wrap(array)

