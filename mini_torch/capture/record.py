"""Running a function once, for real, and writing it down."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..backward import backward, gradients_into
from ..graph import Node, mode, reachable
from ..network.module import Module
from ..random.generator import default_generator
from ..tensor import Tensor
from ..view import View
from .program import Program
from .recorder import Recorder
from .traced import Traced
from .values import Value, mapped
from .watch import Watch

__all__ = ["NotRecorded", "Output", "Recording", "following", "record"]


class Output:
    """In place of a tensor in what the function returned: the number of a result, or a tensor that was there before."""

    __slots__ = ("index", "requires_grad", "spent", "tensor")

    def __init__(self, index: int | None, tensor: Tensor | None, requires_grad: bool = False) -> None:
        self.index, self.tensor, self.requires_grad = index, tensor, requires_grad
        self.spent: Node | None = None  # the node behind it, where backward has been there already


class Recording:
    """What one run gave: its result, and the program, unless there are `reasons` why there is none.

    `tree` is the result with an `Output` for each tensor; `outside` are the tensors that it read; `grads_read` those
    whose `grad` it asked for, `grads_given` those whose grad's numbers it is given after the arguments; `grads` the
    leaves whose `grad` it set, each with its value or None; `leaves` the tensors that want a gradient of the results;
    `modules` those that were called, `names` their parameters' names.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.result: Any = None
        self.tree: Any = None
        self.outside: list[tuple[Tensor, Value]] = []
        self.written: list[Tensor] = []
        self.grads_read: list[tuple[Tensor, Any]] = []
        self.grads_given: list[Tensor] = []
        self.grads: list[tuple[Tensor, Value | None]] = []
        self.leaves: list[Tensor] = []
        self.names: dict[int, str] = {}
        self.modules: list[Module] = []
        self.program: Program


class NotRecorded(Exception):
    """The function failed while it was recorded; what it did to tensors and generators is undone, unless an optimizer
    had stepped (`went_on`). The error is the cause."""

    def __init__(self, went_on: bool) -> None:
        self.went_on = went_on


def record(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Tensor],
    fullgraph: bool,
) -> Recording:  # fmt: skip
    """Runs function(*args, **kwargs) and writes it down; `tensors` are those among the arguments."""
    recorder, out = Recorder(fullgraph), Recording()
    watch = Watch(recorder)
    place = None if default_generator._bits is None else default_generator.place()
    drawn = _other_randomness()
    leaves, args, kwargs = _with_leaves(args, kwargs)
    given = [leaves.get(id(x), x) for x in tensors]
    with watch.watching(), following(recorder, out):
        inputs = [watch.enter(x, "input") for x in given]
        try:
            out.result = function(*args, **kwargs)
        except Exception as error:
            if not recorder.updated:
                recorder.undo()
                if place is not None:
                    default_generator.go_to(place)
            raise NotRecorded(recorder.updated) from error
        if any(now != then for now, then in zip(_other_randomness(), drawn) if then is not None):
            recorder.give_up("draws random numbers of Python's or NumPy's, which a plan would not draw again")
        out.program = Program(recorder.calls, inputs)
        _finish(recorder, watch, out)
        if any(value.root.written and overlap(i, given) for i, value in enumerate(inputs)):
            recorder.give_up("writes to an argument that shares memory with another")
        out.program.inputs += [value for _, value in watch.grads_given]
    back = {id(leaf): x for x, leaf in zip(tensors, given) if leaf is not x}
    _send_on(recorder, back, given)
    _lead_on([x for x in _tensors(out.result) if x._node is not None], back)
    out.result = mapped(out.result, lambda x: back.get(id(x), x))
    out.outside = [(x, t.value) for x, t in watch.outside.values() if t.value.kind == "tensor"]
    out.grads_read = [*watch.grads_read.values()]
    out.grads_given = [leaf for leaf, _ in watch.grads_given]
    out.reasons = recorder.reasons
    return out


def overlap(i: int, tensors: list[Tensor]) -> bool:
    """Whether the memory of the i-th is also another's."""
    x = tensors[i]._array
    return any(x is not other._array and np.may_share_memory(x, other._array) for other in tensors)


def _other_randomness() -> tuple[Any, Any]:
    """Where the streams of random numbers are that are not ours; None for NumPy's before it is loaded."""
    numpys = sys.modules.get("numpy.random")
    state = None if numpys is None else numpys.get_state(legacy=False)["state"]
    return random.getstate(), None if state is None else (state["key"].tobytes(), state["pos"])


def _finish(recorder: Recorder, watch: Watch, out: Recording) -> None:
    """What became of the run: results, gradients, what it left behind."""
    program, made = out.program, []  # type: ignore[var-annotated]
    out.tree = mapped(out.result, lambda x: _output(x, program, watch, made) if isinstance(x, Tensor) else x)
    out.grads = [
        (x, None if x._grad is None else _value(x._grad)) for x in watch.grads.values()
        if x._grad is None or watch.grads_read.get(id(x), (x, None))[1] is not x._grad
    ]  # fmt: skip
    program.grads = [(x, value) for x, value in out.grads if value is not None]
    for x, value in program.grads:
        value.name = f"d_{out.names.get(id(x), 'leaf')}"
    grad_tensors = [x._grad for x, _ in program.grads]
    alive = _with_graph(made, out.tree)
    if alive:
        try:
            _record_backward(recorder, program, alive, out)
        except Exception as error:
            recorder.give_up(f"has a gradient that raises {type(error).__name__}: {error}")
    nodes = reachable([x._node for x in made if x._node is not None])
    kept = _kept_by(nodes)
    kept += watch.grads_of([x for x in kept if all(x is not other for other in made)])
    for x in watch.survivors(_with_bases([*made, *grad_tensors, *out.leaves, *kept])):
        recorder.give_up(f"leaves a tensor of shape {list(x.shape)} somewhere outside, which a plan would not do again")
        break
    if watch.rebound:
        recorder.give_up("gives a tensor from outside other memory")
    recorder.check_constants()
    begun = recorder.begin_anew()
    program.turn = None if program.turn is None else program.turn + begun
    for node in nodes:
        for name in ("out", "options"):
            if hasattr(node, name):
                setattr(node, name, mapped(getattr(node, name), lambda x: x.held if type(x) is Traced else x))
    out.written = [x for x, t in watch.outside.values() if t.value.root.written]


def _value(x: Tensor) -> Value:
    """The value that stands for a tensor's array, while it is watched."""
    traced: Any = x._array
    return traced.value


def _kept_by(nodes: list[Node]) -> list[Tensor]:
    """The tensors that a history holds."""
    found: list[Tensor] = []
    for node in nodes:
        found += [edge for edge in node.edges if isinstance(edge, Tensor)]
        found += _tensors(node.saved or ())
        found += _tensors([*vars(node.ctx).values()] if hasattr(node, "ctx") else ())
        found += _tensors(mapped(getattr(node, "options", ()), lambda x: x.base if type(x) is View else x))
    return found


def _with_bases(tensors: list[Tensor]) -> list[Tensor]:
    return [*tensors, *[x._view.base for x in tensors if x._view is not None]]


def _with_leaves(args: Any, kwargs: Any) -> tuple[dict[int, Tensor], Any, Any]:
    """The arguments with a leaf in place of each tensor that has a history: there the recorded way back ends."""
    leaves: dict[int, Tensor] = {}

    def leaf(x: Any) -> Any:
        if not isinstance(x, Tensor) or x.grad_fn is None:
            return x
        if id(x) not in leaves:
            leaves[id(x)] = x.detach().requires_grad_()
        return leaves[id(x)]

    return leaves, *mapped((args, kwargs), leaf)


def _send_on(recorder: Recorder, back: dict[int, Tensor], given: list[Tensor]) -> None:
    """Goes on with a backward that has come to an argument with a history of its own. No plan does that."""
    arrived = {id(leaf): leaf for leaf in given if id(leaf) in back and leaf.grad is not None}
    if arrived:
        recorder.give_up("goes back through an argument into what that was made of")
        backward([back[number] for number in arrived], [leaf.grad for leaf in arrived.values()])


def _lead_on(results: list[Tensor], back: dict[int, Tensor]) -> None:
    """Leads the way back from this run's results on into the arguments' own history."""
    if back:
        for node in reachable([x._node for x in results]):
            node.edges = tuple([back[id(e)]._node if id(e) in back else e for e in node.edges])


def _tensors(x: Any) -> list[Tensor]:
    found: list[Tensor] = []
    mapped(x, lambda each: found.append(each) if isinstance(each, Tensor) else None)
    return found


def _output(x: Tensor, program: Program, watch: Watch, made: list[Tensor]) -> Output:
    if id(x) in watch.outside:
        return Output(None, x)
    for i, known in enumerate(made):
        if known is x:
            return Output(i, None, x._requires_grad)
    x._refresh()  # a view of what was written to has the history that its base has now
    made.append(x)
    program.outputs.append(_value(x))
    return Output(len(made) - 1, None, x._requires_grad)


def _with_graph(made: list[Tensor], tree: Any) -> list[Tensor]:
    """The results that backward can start from; the others' outputs get a node that says that it cannot any more."""
    outputs: dict[int, Output] = {}
    mapped(tree, lambda x: outputs.setdefault(x.index, x) if isinstance(x, Output) and x.index is not None else x)
    alive = []
    for i, x in enumerate(made):
        if x._requires_grad and any(n.plan.keeps and n.saved is None for n in reachable([x._node])):
            outputs[i].spent, outputs[i].requires_grad = Node(Spent(x._node.name()), (), None), False
        elif x._requires_grad:
            alive.append(x)
    return alive


class Spent:
    """Instead of a plan: of a node that backward has been to. It has nothing left but its name."""

    keeps, lends, saves_out, holomorphic = True, False, False, False

    def __init__(self, name: str) -> None:
        self.name = name

    def pull(self, node: Node, g: Any) -> Any:
        """The error of a second time."""
        node.check()

    def pull_tensors(self, node: Node, g: Any, lift: Any) -> Any:
        """The same."""
        node.check()


def _record_backward(recorder: Recorder, program: Program, wanted: list[Tensor], out: Recording) -> None:
    """Writes down the way back, too, from a gradient for each result to those of all leaves."""
    out.leaves = leaves = _leaves([x._node for x in wanted])
    program.turn = len(recorder.calls)
    seeds = []
    for x in wanted:
        real = np.zeros(x._array.shape, x._array.dtype)
        seeds.append(Traced(real, recorder.value("seed", real), recorder))
    program.seeds = [seed.value for seed in seeds]
    found = gradients_into([x._node for x in wanted], seeds, leaves)
    out.leaves = [x for x, g in zip(leaves, found) if g is not None]
    program.pulled = [_value_of(g, recorder) for g in found if g is not None]


def _value_of(g: Any, recorder: Recorder) -> Value:
    return (g if type(g) is Traced else recorder.constant(g)).value


def _leaves(nodes: list[Any]) -> list[Tensor]:
    found: dict[int, Tensor] = {}
    for node in reachable(nodes):
        for edge in node.edges:
            if isinstance(edge, Tensor):
                found[id(edge)] = edge
    return [*found.values()]


# ---- names -----------------------------------------------------------------------------------------------------------
@contextmanager
def following(recorder: Recorder, out: Recording | None = None) -> Iterator[None]:
    """Inside, the recorder knows which module is at work, and `out` gets the modules and their parameters' names."""
    call = Module.__call__
    modules: dict[int, str] = {}

    def named(module: Module, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is not recorder:
            return call(module, *args, **kwargs)
        if id(module) not in modules:
            modules.update({id(m): name for name, m in module.named_modules()})
            if out is not None:
                _name_parameters(module, out)
        before = recorder.scope, recorder.path
        name = recorder.path = modules[id(module)]
        recorder.scope = f"{name}: {type(module).__name__}" if name else type(module).__name__
        try:
            return call(module, *args, **kwargs)
        finally:
            recorder.scope, recorder.path = before

    Module.__call__ = named  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Module.__call__ = call  # type: ignore[method-assign]


def _name_parameters(module: Module, out: Recording) -> None:
    out.modules += [m for m in module.modules() if m not in out.modules]
    out.names.update({id(p): _short(name) for name, p in [*module.named_parameters(), *module.named_buffers()]})


def _short(name: str) -> str:
    """'0.weight' as 'weight_0', for a name cannot begin with a digit."""
    path, _, last = name.rpartition(".")
    return f"{last}_{path}".replace(".", "_").strip("_") if path[:1].isdigit() else name.replace(".", "_")

