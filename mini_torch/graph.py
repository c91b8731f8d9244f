"""The graph of what was computed, and the walk back through it.

Every recorded operation leaves a `Node`. A node knows its row (the definition of the operation with its derivative
formulas), the values that those formulas need, and its edges: for each input, the node that made it, or the leaf
tensor itself. Backward visits the nodes that can be reached, latest first (an input is always made before what uses
it, so the order of birth is a topological order), asks each for its inputs' gradients, and adds up what meets.

The same walk serves two readings. On arrays it is plain NumPy. With `create_graph=True` the gradients are tensors, the
formulas' NumPy calls come back through NumPy's protocols, and so the gradient has a graph of its own.

Nothing here knows a concrete operation or the class `Tensor`; what the walk needs of tensors is handed in by
`tensor.py` (see `Lift`).
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from operator import attrgetter
from sys import getrefcount
from typing import Any, TypeVar

import numpy as np

from .errors import GraphFreedError, StaleTensorError

__all__ = ["Node", "enable_grad", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
           "set_grad_enabled"]  # fmt: skip


# ---- grad mode -------------------------------------------------------------------------------------------------------
class _Mode(threading.local):
    """What this thread records. The class attributes are the state of a new thread."""

    enabled = True
    inference = False
    spends = False  # whether a backward is under way that may use up what was kept, for there will be no second one
    anomaly = False
    check_nan = True
    hooks: tuple[Any, ...] = ()  # pairs of saved-tensor hooks, the innermost last
    recorder: Any = None  # what writes the program down, while one is recorded; see `capture`
    hooks_refused: str | None = None
    fills = True  # whether `uniform_` and its kind draw what they are asked for: not where it would be thrown away

    def watch(self, **settings: Any) -> None:
        """Sets `anomaly`, `check_nan` or `hooks`."""
        before = bool(self.anomaly or self.hooks)
        vars(self).update(settings)
        watches[0] += bool(self.anomaly or self.hooks) - before


watches = [0]  # how many threads have hooks or look for NaN: where there are none, operations need not ask
mode = _thread = _Mode()


F = TypeVar("F", bound=Callable[..., Any])
changes = [0]  # counts what modules and hooks have become, for those who took note of how they were


def repeated(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that changes more than tensors, as a scheduler's step does: a recorded program calls it every time."""

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if mode.recorder is None:
            return method(self, *args, **kwargs)
        return mode.recorder.effect(functools.partial(method, self, **kwargs), *args)

    return called


def unit(function: F) -> F:
    """A function of arrays that writes into its own or looks at numbers: a recorded program has it as one call."""

    @functools.wraps(function)
    def called(*args: Any) -> Any:
        return function(*args) if mode.recorder is None else mode.recorder.kernel(function, *args)

    return called  # type: ignore[return-value]


def as_unit(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args) of such a function, see `unit`."""
    return function(*args) if mode.recorder is None else mode.recorder.kernel(function, *args)


def verify(check: Callable[..., None], *args: Any) -> None:
    """A check of arrays' numbers, check(*args), which raises: a recorded program makes it at every call."""
    if mode.recorder is None:
        check(*args)
    else:
        mode.recorder.effect(check, *args)


class _ModeSwitch:
    """A context manager and decorator that sets some of `mode` and restores what was before, however it nests."""

    def _wanted(self) -> dict[str, bool]:
        raise NotImplementedError

    def __enter__(self) -> Any:
        wanted = self._wanted()
        if not hasattr(self, "_before"):
            self._before: list[dict[str, bool]] = []
        self._before.append({name: getattr(mode, name) for name in wanted})
        vars(mode).update(wanted)
        return self

    def __exit__(self, *_: object) -> None:
        vars(mode).update(self._before.pop())

    def _clone(self) -> _ModeSwitch:
        return type(self)()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, each call of which runs inside; of a generator, each step."""
        if inspect.isgeneratorfunction(function):
            return _generator_inside(self, function)

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self._clone():
                return function(*args, **kwargs)

        return inside


def _generator_inside(switch: _ModeSwitch, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        sent = None
        while True:
            try:
                with switch._clone():
                    item = generator.send(sent)
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield item
            except GeneratorExit:
                generator.close()
                raise

    return steps


class no_grad(_ModeSwitch):
    """Nothing is recorded inside. Use as `with no_grad():` or as a decorator. PyTorch's `torch.no_grad`."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)  # `@no_grad` without parentheses

    def _wanted(self) -> dict[str, bool]:
        return {"enabled": False}


class enable_grad(no_grad):
    """Recording is on inside, also within `no_grad`. PyTorch's `torch.enable_grad`."""

    def _wanted(self) -> dict[str, bool]:
        return {"enabled": True}


class set_grad_enabled(_ModeSwitch):
    """Recording on or off: at once when called, and as a context manager until the end of the block.

    PyTorch's `torch.set_grad_enabled`.
    """

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = [{"enabled": is_grad_enabled()}]
        vars(_thread).update(self._wanted())

    def _wanted(self) -> dict[str, bool]:
        return {"enabled": self.mode}

    def __enter__(self) -> Any:
        vars(_thread).update(self._wanted())
        return self

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self.__exit__()  # as a decorator it acts inside the function only
        return super().__call__(function)

    def _clone(self) -> _ModeSwitch:
        return type(self)(self.mode)


class inference_mode(_ModeSwitch):
    """`no_grad`, and tensors made inside can never take part in a graph. PyTorch's `torch.inference_mode`."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _wanted(self) -> dict[str, bool]:
        return {"enabled": False, "inference": True} if self.mode else {"inference": False}

    def _clone(self) -> _ModeSwitch:
        return type(self)(self.mode)


def is_grad_enabled() -> bool:
    """Whether this thread records what it computes."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return mode.inference


class InferenceCell:
    """In place of the counters (writes, histories) of a tensor made in inference mode: it never has a history.

    Its version is only asked for by what wants to save the tensor for backward, and that is refused.
    """

    def __getitem__(self, which: int) -> int:
        if which:
            return 0
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal "
            "tensor and use it in autograd."
        )


# ---- nodes -----------------------------------------------------------------------------------------------------------
births = count()


class Node:
    """One recorded operation.

    `plan` has the formulas (see `plan.Plan`); `edges`, per input, the node or leaf tensor behind it, or None where no
    gradient is wanted; `saved` the input tensors that the formulas read, each followed by its version at that time,
    and None once backward has used them up; `out` is (array, version counter, version) of the result where a formula
    reads it. A node never holds its own output tensor: that would be a reference cycle, and memory would wait for the
    collector. `notes` holds hooks and, in anomaly mode, the traceback of the forward call.
    """

    __slots__ = ("__weakref__", "birth", "edges", "kinds", "notes", "options", "out", "plan", "saved", "shapes")

    kinds: tuple[Any, ...]
    options: tuple[Any, ...]
    out: Any
    shapes: tuple[Any, ...]

    def __init__(self, plan: Any, edges: Sequence[Any], saved: tuple[Any, ...] | None = ()) -> None:
        self.plan = plan
        self.edges = edges
        self.saved: Any = saved  # None once it is used up, see `check`
        self.birth: float = next(births)
        self.notes: dict[str, Any] | None = None

    def note(self, name: str) -> dict[int, Any]:
        """The hooks of that name, a dict to add to."""
        self.notes = {} if self.notes is None else self.notes
        return self.notes.setdefault(name, {})

    def tensors(self) -> list[Any]:
        """The saved tensors, unpacked where hooks had packed them."""
        return [getattr(x, "unpacked", x) for x in self.saved[::2]]

    def name(self) -> str:
        """PyTorch's name for the node, e.g. 'AddBackward0'; a name in braces is an option of the row."""
        name = self.plan.name
        return name.format(**dict(zip(self.plan.options, self.options))) if "{" in name else name

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """Per input: (the node behind it, 0); for a leaf an `AccumulateGrad`, for none None."""
        return tuple(
            (edge if edge is None or isinstance(edge, Node) else AccumulateGrad(edge), 0) for edge in self.edges
        )

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook((g,)) -> (g,) | None` sees, and may replace, the gradient that arrives here."""
        return RemovableHandle(self.note("prehooks"), lambda g: _only(hook((g,))))

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """`hook(grad_inputs, grad_outputs) -> grad_inputs | None` runs when the node's gradients are there."""
        return RemovableHandle(self.note("hooks"), hook)

    def check(self) -> None:
        """Raises if the saved values are gone, or were changed since they were saved."""
        if self.saved is None:
            raise GraphFreedError
        for tensor, version in zip(self.saved[::2], self.saved[1::2]):
            if tensor._cell[0] != version:
                raise StaleTensorError(self.name(), tensor._array.shape, tensor._cell[0], version)
        if self.plan.saves_out and self.out[1][0] != self.out[2]:
            raise StaleTensorError(self.name(), self.out[0].shape, self.out[1][0], self.out[2])


class AccumulateGrad:
    """How a leaf shows up in `next_functions`: the place where its gradient is added up."""

    def __init__(self, variable: Any) -> None:
        self.variable = variable

    next_functions: tuple[Any, ...] = ()

    def name(self) -> str:
        """'AccumulateGrad', as in PyTorch."""
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(self.variable)


class RemovableHandle:
    """What registering a hook returns; `remove()` takes the hook away again. Also a context manager."""

    _numbers = count()

    def __init__(self, hooks: dict[int, Any], hook: Any = None, *marks: dict[int, Any]) -> None:
        self.hooks, self.marks = hooks, marks
        changes[0] += 1
        # Hooks that were unpickled have numbers of another program.
        self.id = next(number for number in self._numbers if number not in hooks)
        if hook is not None:
            hooks[self.id] = hook

    def remove(self) -> None:
        """Takes the hook away, and what is said of it in `marks`; a second call does nothing."""
        changes[0] += 1
        for dictionary in (self.hooks, *self.marks):
            dictionary.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _only(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


# ---- the walk --------------------------------------------------------------------------------------------------------
class Lift:
    """What the walk needs to know of tensors; `tensor.py` hands in the one instance."""

    def tensor(self, value: Any) -> Any:
        """The value as a tensor."""
        raise NotImplementedError

    def cast(self, value: Any, kind: Any) -> Any:
        """The tensor in NumPy's number type `kind`; its real part where that is real."""
        raise NotImplementedError

    def output(self, node: Node) -> Any:
        """The node's saved output as a tensor with the node behind it."""
        raise NotImplementedError

    def accumulate(self, leaves: dict[Any, Any], borrowed: set[Any], create_graph: bool) -> None:
        """Adds to each leaf's `grad` its gradient; that of a borrowed one is not the leaf's to keep."""
        raise NotImplementedError

    def call_hooks(self, hooks: dict[int, Any] | None, g: Any) -> Any:
        """`g` after the hooks, which see tensors; in and out as it came (array or tensor)."""
        raise NotImplementedError


def reachable(roots: Iterable[Any]) -> list[Node]:
    """All nodes behind `roots`, latest first."""
    seen = {root for root in roots if isinstance(root, Node)}
    stack = list(seen)
    order = []
    while stack:
        node = stack.pop()
        order.append(node)
        for edge in node.edges:
            if isinstance(edge, Node) and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    order.sort(key=attrgetter("birth"), reverse=True)
    return order


def _leading_to(order: Sequence[Node], wanted: set[Any]) -> list[Node]:
    """Those nodes of `order` from which something wanted can be reached."""
    useful = set(wanted)
    kept = []
    for node in reversed(order):
        if any(edge in useful for edge in node.edges if edge is not None):
            useful.add(node)
            kept.append(node)
    kept.reverse()
    return kept


def walk_back(
    lift: Lift, roots: Sequence[tuple[Any, Any]], *, retain_graph: bool, create_graph: bool,
    capture: Sequence[Any] | None = None,
) -> dict[Any, Any]:  # fmt: skip
    """Sends gradients from `roots`, pairs of (node or leaf, gradient), back through the graph.

    Without `capture`, leaves get their `grad` and the result is empty; with it, nothing is accumulated, and the
    result has, per node or leaf of `capture` that was reached, its gradient.
    """
    captured, wanted = {}, set(capture or ())
    useful = None if capture is None else set(_leading_to(reachable([target for target, _ in roots]), wanted))
    check_nan, pull = mode.anomaly and mode.check_nan, _other_pull(lift, create_graph)
    pending, leaves = _sent_in(roots)
    borrowed = set(leaves)  # those whose gradient so far belongs to somebody else too
    heap = sorted((-node.birth, node) for node in pending if useful is None or node in useful)
    while heap:
        node = heappop(heap)[1]  # the latest: whatever sends to it has been there
        g = pending.pop(node)
        if node.notes is not None:
            g = lift.call_hooks(node.notes.get("prehooks"), g)
        if wanted and node in wanted:
            captured[node] = g
        plan = node.plan
        try:
            if pull is not None:
                grads = pull(plan, node, g)
            elif plan.holomorphic and g.dtype.kind == "c":
                grads = plan.pull_complex(node, g)
            else:
                grads = plan.pull(node, g)
        except Exception as error:
            _tell_origin(node, error)
            raise
        if node.notes is not None:
            grads = _node_hooks(lift, node, grads, g)
            if check_nan:
                _check_nan(node, grads)
        if plan.keeps and not retain_graph:  # a node that keeps nothing can be walked again, as in PyTorch
            node.saved = node.out = None
        for edge, grad in zip(node.edges, grads):
            if grad is None:
                continue
            if isinstance(edge, Node):
                if edge in pending:
                    _add_to(pending, edge, grad)
                else:
                    pending[edge] = grad
                    if useful is None or edge in useful:
                        heappush(heap, (-edge.birth, edge))
            elif edge in leaves:
                _add_to(leaves, edge, grad)
                borrowed.discard(edge)
            else:
                leaves[edge] = grad
                if create_graph or grad is g or plan.lends or grad.base is not None:
                    borrowed.add(edge)
    for leaf in [leaf for leaf in leaves if leaf._hooks]:
        leaves[leaf] = lift.call_hooks(leaf._hooks, leaves[leaf])
        borrowed.add(leaf)  # the hook may have kept it
    if capture is None:
        lift.accumulate(leaves, borrowed, create_graph)
        return {}
    for node in wanted.intersection(pending):  # what is wanted but leads nowhere further
        captured[node] = lift.call_hooks(node.notes.get("prehooks"), pending[node]) if node.notes else pending[node]
    return {place: g for place, g in (*captured.items(), *leaves.items()) if place in wanted}


def _other_pull(lift: Lift, create_graph: bool) -> Callable[..., Any] | None:
    """How a plan is asked for gradients where these are to be tensors, or what is done is written down."""
    if create_graph:
        return lambda plan, node, g: plan.pull_tensors(node, g, lift)
    return None if mode.recorder is None else mode.recorder.pull


def _add_to(gradients: dict[Any, Any], place: Any, more: Any) -> None:
    """Adds a second gradient to that of `place`: in its memory, if nobody else holds that."""
    g = gradients[place]
    if getrefcount(g) == _ALONE and type(g) is type(more) is np.ndarray and g.base is None:
        np.add(g, more, g)
    else:
        gradients[place] = g + more


def _references(gradients: dict[Any, Any], place: Any) -> int:
    """What `_add_to` sees where only the dict holds the gradient: this depends on the version of Python."""
    g = gradients[place]
    return getrefcount(g)


_ALONE = _references({None: object()}, None)


def _sent_in(roots: Sequence[tuple[Any, Any]]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The gradients that a walk begins with: those of nodes and those of leaves."""
    nodes: dict[Any, Any] = {}
    leaves: dict[Any, Any] = {}
    for target, g in roots:
        place = nodes if isinstance(target, Node) else leaves
        place[target] = place[target] + g if target in place else g
    return nodes, leaves


def _node_hooks(lift: Lift, node: Node, grads: Sequence[Any], g: Any) -> Sequence[Any]:
    hooks = (node.notes or {}).get("hooks")
    if not hooks:
        return grads
    tensors = tuple(None if x is None else lift.tensor(x) for x in grads)
    for hook in list(hooks.values()):
        changed = hook(tensors, (lift.tensor(g),))
        if changed is not None:
            tensors = changed if isinstance(changed, tuple) else (changed,)
    as_given = (lambda t: t) if not isinstance(g, np.ndarray) else (lambda t: t._array)
    return [None if t is None else as_given(t) for t in tensors]


# ---- anomaly detection -----------------------------------------------------------------------------------------------
def _tell_origin(node: Node, error: Exception) -> None:
    """Adds to a failing backward where its forward was called, if anomaly detection had noted it."""
    if not node.notes or "traceback" not in node.notes:
        return
    origin = f"{node.name()}: the forward call was\n{node.notes['traceback']}"
    if hasattr(error, "add_note"):
        error.add_note(origin)
    else:  # Python 3.10
        error.args = ("\n".join([*map(str, error.args[:1]), origin]), *error.args[1:])


def _check_nan(node: Node, grads: Sequence[Any]) -> None:
    for i, grad in enumerate(grads):
        array = getattr(grad, "_array", grad)
        if isinstance(array, np.ndarray) and array.dtype.kind in "fc" and np.isnan(array).any():
            origin = (node.notes or {}).get("traceback", "(recorded outside detect_anomaly)")
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output. The forward call was:\n{origin}"
            )
