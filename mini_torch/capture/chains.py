"""Chains: elementwise calls over arrays of one large shape, done together, block by block.

A call over a large array reads its operands from main memory and writes its result there; the next call reads it again.
Calls that follow one another over the same shape are taken together into a `Chain`: all of them over a few rows, then
all over the next rows, so that what one makes is still in the cache when the next one reads it. What only they need
never becomes a whole array. The numbers are the same, bit for bit, except sums: those of blocks are added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .algebra import is_uniform
from .domain import LARGE, Domain
from .memory import is_elementwise
from .program import Program
from .recorder import _setitem
from .sums import axes_of, with_fast_sums
from .values import Call, Value

__all__ = ["Chain", "find_chains"]

_FUNCTIONS = {np.where, np.clip, np.ndarray.astype, np.copyto}
_TOGETHER = {np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or}  # reductions of reductions
_SAME_SHAPE = {np.reshape, np.ndarray.reshape, np.ndarray.view}
_vecdot: Any = getattr(np, "vecdot", np.einsum)  # from NumPy 2 on
_PATIENCE = 60  # calls that are looked at in vain before a chain ends


class Chain(Call):
    """Some calls as one. `outs` are what is read after them, `inside` what is not, by id.

    `roles` says per call what it is: "each" for an elementwise one, "alias" for one that gives its operand another type
    or name, "rows" for a reduction inside of blocks, "across" for one over all blocks. `same` has, per value made
    inside, the value in whose memory it is (ids).
    """

    __slots__ = ("calls", "domain", "inside", "roles", "same", "uniform")

    def __init__(
        self, calls: list[Call], roles: list[str], domain: Domain, outside: set[int], same: dict[int, int]
    ) -> None:
        super().__init__("chain", find_chains, (), {}, calls[0].scope)
        self.calls, self.roles, self.domain, self.same = calls, roles, domain, same
        made = [call.out for call, role in zip(calls, roles) if role != "alias" and call.out is not None]
        self.outs = [value for value in made if id(value) in outside]
        self.inside = {id(value): value for value in made if id(value) not in outside}
        self.many = True
        self.writes = [value for call in calls for value in call.writes]
        roots = {id(value) for value in made}
        self.args = tuple({id(v): v for c in calls for v in c.reads() if id(v.root) not in roots}.values())
        self.uniform: set[int] = set()

    def may_give_way(self, out: Value) -> list[Value]:
        """The values from outside that no call reads after the one that makes `out`, which may be written over them."""
        last: dict[int, int] = {}
        for i, call in enumerate(self.calls):
            last.update({id(value.root): i for value in call.touched()})
        at, maker = next((i, call) for i, call in enumerate(self.calls) if call.out is out)
        if not is_elementwise(maker) or maker.kwargs or self.domain.shape != out.shape:
            return []
        return [x for x in self.args if last[id(x.root)] <= at]

    def shrink_constants(self) -> None:
        """Puts arrays as large as a block in the place of large ones that are the same everywhere."""
        instead: dict[int, Value] = {}
        for x in self.args:
            if x.shape == self.domain.shape and all(x.strides) and is_uniform(x):
                array = np.full(self.domain.block(x), x.array.flat[0], x.dtype)
                array.flags.writeable = False
                instead[id(x)] = Value("constant", x.index, array)
        for call in self.calls:
            call.replace(instead)
        self.replace(instead)
        self.uniform = {id(x) for x in instead.values()}


def find_chains(program: Program) -> None:
    """Puts chains in the place of the calls that they are made of."""
    turn = program.turn
    if turn is None:
        program.calls = _chained(program.calls, _readers(program))
        return
    readers = _readers(program)
    forward = _chained(program.calls[:turn], readers)
    program.calls, program.turn = forward + _chained(program.calls[turn:], readers), len(forward)


def _readers(program: Program) -> dict[int, set[int]]:
    """Per value the calls that read it or write into it, by their ids; for results 0 is among them."""
    readers: dict[int, set[int]] = {}
    for call in program.calls:
        for value in [*call.reads(), *call.writes]:
            readers.setdefault(id(value), set()).add(id(call))
    for value in program.results():
        readers.setdefault(id(value), set()).add(0)
    return readers


def _chained(calls: list[Call], readers: dict[int, set[int]]) -> list[Call]:
    """The calls, with chains among them."""
    done: list[Call] = []
    rest = calls
    while rest:
        call, rest = rest[0], rest[1:]
        domain = _domain_of(call)
        if domain is None:
            done.append(call)
            continue
        growing = _Growing(domain)
        before, after = growing.grow([call, *rest])
        chain = growing.finished(readers) if growing.members[:1] == [call] else None
        if chain is None:
            done.append(call)
            continue
        done += [*before, *chain]
        rest = after
    return done


def _domain_of(call: Call) -> Domain | None:
    """What a chain that begins with this call goes over; None where none does."""
    target = _target(call)
    if target is None or not _is_elementwise(call):
        return None
    itemsize = max(value.dtype.itemsize for value in [target, *call.reads()])
    if math.prod(target.shape) * itemsize < LARGE or not target.shape:
        return None
    domain = Domain(target, itemsize)
    return domain if domain.blocks > 1 else None


def _target(call: Call) -> Value | None:
    """What the call makes or writes into, if that is one array."""
    if call.writes:
        return call.writes[0] if len(call.writes) == 1 and not call.outs else None
    return call.out


def _is_elementwise(call: Call) -> bool:
    """Whether each element of what it makes or writes depends on those at the same place alone."""
    function = call.function
    if function is _setitem:
        return call.args[1] is Ellipsis
    if function in _FUNCTIONS:
        return call.pure and set(call.kwargs) <= {"where", "casting"}
    if call.form != "ufunc" or function.signature is not None or function.nout != 1:
        return False
    return call.pure and set(call.kwargs) <= {"out", "dtype"}


class _Growing:
    """A chain that grows: what belongs to it, and what must come after it.

    `ready` are the values made inside that later members may read, with the value whose memory they are in.
    """

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.members: list[Call] = []
        self.roles: list[str] = []
        self.ready: dict[int, int] = {}
        self.touched: dict[int, set[int]] = {}  # per memory the values by which members reach it
        self.own = _Traffic()
        self.later = _Traffic()

    def grow(self, calls: list[Call]) -> tuple[list[Call], list[Call]]:
        """Takes what belongs to it. Gives the other calls: those that come before it, and those that come after.

        When something large was made of its values, only sums may still join: whatever else did would have to be kept.
        """
        before: list[Call] = []
        after: list[Call] = []
        patience, is_closed = _PATIENCE, False
        for i, call in enumerate(calls):
            role = None if self.later.meets(call) else self._role(call)
            if role is not None and self._reaches_alike(call) and (not is_closed or self._adds_up(call, role)):
                self._take(call, role)
                continue
            patience -= 1
            if call.form in ("effect", "update") or patience < 0:
                return before, after + calls[i:]
            follows = self._follows(call) or not (call.pure or self.later.pure)
            if follows and not is_closed and self._is_heavy(call):
                patience, is_closed = min(patience, _PATIENCE // 10), True
            if follows or is_closed:
                self.later.note(call)
                after.append(call)
            else:
                before.append(call)
        return before, after

    def _adds_up(self, call: Call, role: str) -> bool:
        """Whether the call sums up what was made inside."""
        return role in ("rows", "across") and any(id(value) in self.ready for value in call.reads())

    def _follows(self, call: Call) -> bool:
        return self.own.meets(call) or self.later.meets(call)

    def _is_heavy(self, call: Call) -> bool:
        """Whether members after it would have to keep much for it: whatever makes or changes large arrays."""
        changed = [value for value in [*filter(None, call.outs), *call.writes] if not (value.is_view and call.is_view)]
        return sum(value.nbytes for value in changed) * 32 > self.domain.nbytes

    # ---- who may join ------------------------------------------------------------------------------------------------
    def _role(self, call: Call) -> str | None:
        """What the call would be in the chain; None if it cannot be in it."""
        target = _target(call)
        if target is None or target.dtype.hasobject or not all(map(self._can_read, call.reads())):
            return None
        if call.is_view:
            return "alias" if self._is_alias(call, target) else None
        if _is_elementwise(call):
            return "each" if self._fits(call, target) else None
        return None if call.writes or not call.pure else self._reduction(call)

    def _can_read(self, value: Value) -> bool:
        """Whether the value is there in time: made before the chain, or in it, block by block."""
        return id(value) in self.ready or id(value.root) not in self.own.made

    def _is_alias(self, call: Call, target: Value) -> bool:
        source = call.args[0]
        return (
            call.function in _SAME_SHAPE and isinstance(source, Value) and id(source) in self.ready
            and source.shape == target.shape and source.dtype.itemsize == target.dtype.itemsize
        )  # fmt: skip

    def _fits(self, call: Call, target: Value) -> bool:
        domain = self.domain
        if call.writes and (target.root.kind == "input" or 0 in target.strides):
            return False
        if call.function is np.where and (len(call.args) != 3 or any(
            isinstance(x, Value) and x.dtype != target.dtype for x in call.args[1:]
        )):  # fmt: skip
            return False
        values = call.reads()
        return domain.has_all_rows(target) and all(domain.spreads(x) for x in values)

    def _reduction(self, call: Call) -> str | None:
        """ "rows" or "across", for a reduction of a whole operand."""
        if call.function in (_vecdot, np.einsum) and not call.kwargs:
            return self._product_of_two(call)
        if call.function in (np.matmul, np.dot) and not call.kwargs:
            return self._product(*call.args)
        ufunc = call.owner
        if ufunc not in _TOGETHER or call.function.__name__ != "reduce":
            return None
        if not set(call.kwargs) <= {"axis", "keepdims", "dtype"}:
            return None
        x = call.args[0]
        if len(call.args) != 1 or not isinstance(x, Value) or x.shape != self.domain.shape:
            return None
        if call.kwargs.get("dtype") not in (None, x.dtype):
            return None
        return self.domain.reduction(axes_of(call))

    def _product_of_two(self, call: Call) -> str | None:
        """Sums of products of two whole operands, along rows (vecdot) or over all rows."""
        shape, split = self.domain.shape, self.domain.split
        if [value.shape for value in call.reads()] != [shape, shape] or len(shape) < 2:
            return None
        if call.function is np.einsum:
            return "across" if call.args[0] == "ij,ij->j" and split == [0] else None
        return "rows" if len(shape) - 1 not in split else None

    def _product(self, a: Any, b: Any) -> str | None:
        """Sums as a product with a vector, from the right along rows, from the left over all rows."""
        shape, split = self.domain.shape, self.domain.split
        if not (isinstance(a, Value) and isinstance(b, Value)):
            return None
        if a.shape == shape and len(b.shape) == 1 and id(b.root) not in self.own.made and len(shape) > 1:
            return "rows" if len(shape) - 1 not in split else None
        if b.shape == shape and len(shape) == 2 and a.shape in ((shape[0],), (1, shape[0])) and split == [0]:
            return "across" if id(a.root) not in self.own.made else None
        return None

    def _reaches_alike(self, call: Call) -> bool:
        """Whether memory that is written to in place is reached in one way only, so that blocks do not mix."""
        written = {id(value.root) for value in [*call.writes, *(v for c in self.members for v in c.writes)]}
        if not written:
            return True
        for number in written:
            ways = {self.ready.get(id(v), id(v)) for v in [*call.reads(), *call.writes] if id(v.root) == number}
            if len(ways | self.touched.get(number, set())) > 1:
                return False
        return True

    def _take(self, call: Call, role: str) -> None:
        self.members.append(call)
        self.roles.append(role)
        for value in [*call.reads(), *call.writes]:
            self.touched.setdefault(id(value.root), set()).add(self.ready.get(id(value), id(value)))
        self.own.note(call)
        out = call.out
        if out is None:
            return
        if role == "alias":
            self.ready[id(out)] = self.ready[id(call.args[0])]
        elif role == "each" or (role == "rows" and self.domain.spreads(out) and call.kwargs.get("keepdims")):
            self.ready[id(out)] = id(out)
        self.touched.setdefault(id(out.root), set()).add(self.ready.get(id(out), id(out)))

    # ---- the end -----------------------------------------------------------------------------------------------------
    def finished(self, readers: dict[int, set[int]]) -> list[Call] | None:
        """The chain, and what makes views of its results; None where it would save too little."""
        ours = {id(call) for call in self.members}
        made = [call.out for call in self.members if call.out is not None]
        outside = {id(value) for value in made if readers.get(id(value), {0}) - ours}
        views = [call for call, role in zip(self.members, self.roles) if role == "alias" and id(call.out) in outside]
        outside |= {id(call.out.root) for call in views if call.out is not None}
        if self._saved(Chain(self.members, self.roles, self.domain, outside, self.ready)) < self.domain.nbytes:
            return None
        roles = {id(call.out): role for call, role in zip(self.members, self.roles)}
        members = with_fast_sums(self.members, self.domain, outside)
        chain = Chain(members, [roles[id(call.out)] for call in members], self.domain, outside, self.ready)
        chain.shrink_constants()
        return [chain, *self._with_bases(views)]

    def _with_bases(self, views: list[Call]) -> list[Call]:
        """The views, and those that they are views of, in order."""
        wanted = {id(call) for call in views}
        for call, role in zip(reversed(self.members), reversed(self.roles)):
            if role == "alias" and id(call) in wanted:
                wanted |= {id(c) for c in self.members if c.out is call.args[0]}
        return [call for call, role in zip(self.members, self.roles) if role == "alias" and id(call) in wanted]

    def _saved(self, chain: Chain) -> int:
        """Bytes that need not be read and written: what calls one by one would move, less what the chain does."""
        singly = sum(_moved(call) for call, role in zip(self.members, self.roles) if role != "alias")
        return singly - _moved(chain)


class _Traffic:
    """Which memory some calls read, make and change, by the ids of roots; `defined` are the values, views also."""

    def __init__(self) -> None:
        self.defined: set[int] = set()
        self.read: set[int] = set()
        self.changed: set[int] = set()
        self.made: set[int] = set()
        self.pure = True

    def note(self, call: Call) -> None:
        """Adds a call's."""
        self.read.update(_roots(call.reads()))
        self.defined.update(id(out) for out in call.outs)
        self.made.update(id(out.root) for out in call.outs if out is not None and not out.is_view)
        self.changed.update(_roots(call.writes))
        self.changed |= self.made
        self.pure = self.pure and call.pure

    def meets(self, call: Call) -> bool:
        """Whether the order of the call and these matters."""
        if any(id(value) in self.defined for value in call.reads()):
            return True
        reads, changes = _roots(call.reads()), _roots(call.writes) | _roots(filter(None, call.outs))
        return not (self.changed.isdisjoint(reads | changes) and self.read.isdisjoint(_roots(call.writes)))


def _roots(values: Iterable[Value]) -> set[int]:
    return {id(value.root) for value in values}


def _moved(call: Call) -> int:
    """Bytes that a call reads and writes. The blocks of a chain read what is uniform from the cache."""
    reads = [x for x in call.reads() if not (isinstance(call, Chain) and is_uniform(x))]
    return _bytes(reads) + _bytes([*call.writes, *filter(None, call.outs)])


def _bytes(values: Iterable[Value]) -> int:
    """Bytes of memory behind different values; what is spread costs nothing."""
    different = {id(value): value for value in values}
    return sum(math.prod(n for n, s in zip(v.shape, v.strides) if s) * v.dtype.itemsize for v in different.values())
