"""A recorded program, and what can be left out of it: dead calls, what is computed twice, what never changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .algebra import simpler
from .values import Call, Value, mapped

__all__ = ["Program"]

_COMMUTE = {np.add, np.multiply}  # which are the same in the other order, bit for bit


class Program:
    """Calls in order, and what becomes of their values.

    `inputs` are the arguments' values, `outputs` the results', `grads` the gradients that leaves have in the end, by
    leaf. If there is a `backward`, it begins at call number `turn`: `seeds` are the gradients that come in, `pulled`
    those that go out.
    """

    def __init__(self, calls: list[Call], inputs: list[Value]) -> None:
        self.calls = calls
        self.inputs = inputs
        self.outputs: list[Value] = []
        self.grads: list[tuple[Any, Value]] = []
        self.turn: int | None = None
        self.seeds: list[Value] = []
        self.pulled: list[Value] = []

    def results(self) -> list[Value]:
        """What outlives the program."""
        return [*self.outputs, *(value for _, value in self.grads), *self.pulled]

    # ---- passes ------------------------------------------------------------------------------------------------------
    def simplify(self) -> None:
        """Leaves out what need not be done at every call."""
        self._keep(self._live())
        self._merge_equal()
        self._elide_copies()
        self._fold_constants()
        if self._use_algebra():
            self._merge_equal()
        self._keep(self._live())

    def _live(self) -> set[int]:
        """The calls that something depends on: a result, memory from outside, or another such call."""
        wanted = {id(value.root) for value in self.results()}
        read = {id(value) for value in self.results()}
        live: set[int] = set()
        for i in range(len(self.calls) - 1, -1, -1):
            call = self.calls[i]
            if call.is_view and call.pure and not call.writes and not any(id(out) in read for out in call.outs):
                continue
            touched = [out.root for out in call.outs if out is not None] + [value.root for value in call.writes]
            if (
                not call.pure
                or any(id(root) in wanted for root in touched)
                or any(value.root.kind in ("input", "tensor") for value in call.writes)
            ):
                live.add(id(call))
                wanted.update(id(value.root) for value in [*call.reads(), *call.writes])
                read.update(id(value) for value in [*call.reads(), *call.writes])
        return live

    def _keep(self, live: set[int]) -> None:
        if self.turn is not None:
            self.turn = sum(id(call) in live for call in self.calls[: self.turn])
        self.calls = [call for call in self.calls if id(call) in live]

    def _merge_equal(self) -> None:
        """Of two calls that are sure to give the same, the second goes."""
        first: dict[Any, Call] = {}
        instead: dict[int, Value] = {}
        kept_before_turn = 0
        kept: list[Call] = []
        dropped: list[Call] = []  # values are told apart by their ids, which are theirs as long as they live
        versions: dict[int, int] = {}  # how often a memory was written to so far
        results = {id(value.root) for value in self.results()}
        for i, call in enumerate(self.calls):
            if instead:
                call.replace(instead)
            key = self._key(call, versions, results)
            for value in call.writes:
                versions[id(value.root)] = versions.get(id(value.root), 0) + 1
            known = None if key is None else first.setdefault(key, call)
            if known is not None and known is not call:
                instead.update({id(a): b for a, b in zip(call.outs, known.outs) if b is not None})
                dropped.append(call)
                continue
            _follow(call, instead)
            kept.append(call)
            kept_before_turn += self.turn is not None and i < self.turn
        self.calls = kept
        if self.turn is not None:
            self.turn = kept_before_turn
        self._replace(instead)

    def _elide_copies(self) -> None:
        """A copy of what nobody looks at afterwards is that itself."""
        last = last_uses(self)
        instead: dict[int, Value] = {}
        kept, dropped, turn = [], [], self.turn
        for i, call in enumerate(self.calls):
            if instead:
                call.replace(instead)
                _follow(call, instead)
            source, out = call.args[0] if call.args else None, call.out
            if (
                call.function is np.ndarray.astype and out is not None and isinstance(source, Value)
                and (source.dtype, source.shape, source.strides) == (out.dtype, out.shape, out.strides)
                and source.root.kind == "made" and last[id(source.root)] == i
                and not (turn is not None and i >= turn)
            ):  # fmt: skip
                instead[id(out)] = source
                last[id(source.root)] = max(i, last[id(out)])
                dropped.append(call)
                source.root.written |= out.written
                source.name = out.name or source.name
                if self.turn is not None and turn is not None and i < turn:
                    self.turn -= 1
                continue
            kept.append(call)
        self.calls = kept
        self._replace(instead)

    def _replace(self, instead: dict[int, Value]) -> None:
        """Puts other values in the place of results."""
        self.outputs = [instead.get(id(x), x) for x in self.outputs]
        self.pulled = [instead.get(id(x), x) for x in self.pulled]
        self.grads = [(leaf, instead.get(id(x), x)) for leaf, x in self.grads]

    def _use_algebra(self) -> bool:
        """Leaves out what arithmetic makes needless; whether there was such a call."""
        results = {id(value.root) for value in self.results()}
        makers: dict[int, Call] = {}
        instead: dict[int, Value] = {}
        kept, dropped, before_turn = [], [], 0
        for i, call in enumerate(self.calls):
            if instead:
                call.replace(instead)
                _follow(call, instead)
            same = simpler(call, makers, results)
            if same is not None:
                instead[id(call.out)] = same
                dropped.append(call)
                continue
            if call.out is not None:
                makers[id(call.out)] = call
            kept.append(call)
            before_turn += self.turn is not None and i < self.turn
        self.calls = kept
        self.turn = None if self.turn is None else before_turn
        return bool(dropped)

    @staticmethod
    def _key(call: Call, versions: dict[int, int], results: set[int]) -> Any:
        """What two calls have in common that give the same; None for one that has no like."""
        if not call.pure or call.writes or call.form == "kernel" or None in call.outs or not call.outs:
            return None
        made = [out.root for out in call.outs if out is not None]
        if not call.is_view and any(root.written or id(root) in results for root in made):
            return None
        then = None if call.is_view else [versions.get(id(value.root), 0) for value in call.reads()]
        try:
            args = _frozen(call.args)
            if call.function in _COMMUTE:
                args = tuple(sorted(args, key=repr))
            key = (call.function, call.form, args, _frozen(call.kwargs), _frozen(then))
            hash(key)
        except TypeError:
            return None
        return key

    def _fold_constants(self) -> None:
        """What is made of nothing, or of such constants alone, is a constant; also of numbers, which are read-only.
        (Any other array from outside may change.)"""
        kept, turn = [], self.turn
        folded: set[int] = set()
        results = {id(value.root) for value in self.results()}
        for i, call in enumerate(self.calls):
            reads = call.reads()
            out = call.out
            if (
                out is not None and call.pure and not call.writes and call.form != "kernel"
                and not out.root.written and id(out.root) not in results
                and all(id(value) in folded or _is_fixed(value) for value in reads)
            ):  # fmt: skip
                args, kwargs = mapped((call.args, call.kwargs), lambda x: x.array if isinstance(x, Value) else x)
                with np.errstate(all="ignore"):
                    out.array = np.asarray(call.function(*args, **kwargs))
                if not call.is_view:
                    out.array = out.array.copy("K")  # of our own
                out.array.flags.writeable = False
                out.kind = "constant"
                folded.add(id(out))
                if self.turn is not None and turn is not None and i < self.turn:
                    turn -= 1
                continue
            kept.append(call)
        self.calls, self.turn = kept, turn


def _follow(call: Call, instead: dict[int, Value]) -> None:
    """Gives views of replaced values the new ones' memory."""
    for out in call.outs:
        if out is not None and out.is_view and id(out.root) in instead:
            out.root = instead[id(out.root)].root


def _is_fixed(value: Value) -> bool:
    return value.kind == "constant" and not value.array.flags.writeable and value.array.base is None


def _frozen(x: Any) -> Any:
    """Arguments as a key: values by identity, numbers by type and value."""
    if isinstance(x, Value):
        return ("value", id(x))
    if isinstance(x, tuple | list):
        return (type(x).__name__, *map(_frozen, x))
    if isinstance(x, dict):
        return ("dict", *((key, _frozen(each)) for key, each in sorted(x.items())))
    if isinstance(x, slice):
        return ("slice", _frozen(x.start), _frozen(x.stop), _frozen(x.step))
    if isinstance(x, np.ndarray):
        return ("array", id(x))
    return (type(x), x)


def last_uses(program: Program) -> dict[int, int]:
    """Per memory (id of a root) the last call that touches it; for what outlives the program their number."""
    last: dict[int, int] = {}
    for i, call in enumerate(program.calls):
        for value in call.reads():
            last[id(value.root)] = i
        for made in (*call.writes, *call.outs):
            if made is not None:
                last[id(made.root)] = i
    for value in program.results():
        last[id(value.root)] = len(program.calls)
    return last

