"""Where the values of a program lie: buffers that are there before the first call, and are used again and again.

A value that a call can be told where to put (`out=`) gets a buffer, which goes to another value when it is not read any
more; an elementwise call writes over an operand that it is the last to read. A view of such a value is made once. What
a call makes by itself, and what is handed out in the end, is new at every call ("loose").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .program import Program, last_uses
from .recorder import fresh
from .values import Call, Value

__all__ = ["Slab", "Memory", "takes_out"]

_ALIGNED = 64  # bytes, a cache line
_TAKE_OUT = {np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.cumsum, np.concatenate, np.stack, np.clip,
             np.any, np.all, np.take, np.std, np.var, np.round, np.dot}  # fmt: skip
_METHODS_WITH_OUT = {np.ndarray.sum, np.ndarray.mean, np.ndarray.prod, np.ndarray.max, np.ndarray.min,
                     np.ndarray.cumsum, np.ndarray.clip, np.ndarray.any, np.ndarray.all}  # fmt: skip
_COPIES = {np.ndarray.astype}
_RESHAPES = {np.ndarray.reshape, np.ndarray.ravel, np.ndarray.flatten, np.reshape, np.ravel}


class Slab:
    """Memory of a size, for one value after the other."""

    __slots__ = ("index", "nbytes")

    def __init__(self, index: int, nbytes: int) -> None:
        self.index, self.nbytes = index, nbytes

    def allocate(self) -> Any:
        """The bytes, from a cache line's start."""
        raw = np.empty(self.nbytes + _ALIGNED, np.uint8)
        start = -raw.__array_interface__["data"][0] % _ALIGNED
        return raw[start : start + self.nbytes]


def takes_out(call: Call) -> str | None:
    """How the call can be told where to put its result: "out", "copy", "fill"; None if it cannot."""
    function, out = call.function, call.out
    if out is None or out.is_view or call.writes or out.dtype.hasobject:
        return None
    if function is fresh:
        return "fill"
    if call.form == "ufunc":
        return "out" if function.nout == 1 else None
    if isinstance(getattr(function, "__self__", None), np.ufunc):
        return "out" if function.__name__ in ("reduce", "accumulate") else None
    if function in _TAKE_OUT or function in _METHODS_WITH_OUT:
        return "out"
    if function in _COPIES:
        return "copy"
    if function in _RESHAPES and _is_in_order(out) and not call.kwargs and len(call.args) < 3:
        return "copy"
    return None


def _is_in_order(value: Value) -> bool:
    expected, ordered = value.dtype.itemsize, True
    for n, step in zip(reversed(value.shape), reversed(value.strides)):
        ordered = ordered and (n == 1 or step == expected)
        expected *= n
    return ordered


def is_elementwise(call: Call) -> bool:
    """Whether each element of the result is made of those at the same place."""
    return call.form == "ufunc" and call.function.signature is None


def _operands(call: Call) -> list[Value]:
    """The operands that an elementwise call could write over."""
    if not is_elementwise(call) or call.kwargs:
        return []
    return [x for x in call.args if isinstance(x, Value)]


class Memory:
    """Which buffer each value is in: `places` by a root's id; `fixed` has those that have a place elsewhere."""

    def __init__(self, program: Program, fixed: dict[int, Any]) -> None:
        self.program, self.fixed = program, fixed
        self.last = last_uses(program)
        self.places: dict[int, Slab] = {}
        self.buffers: list[Slab] = []
        self._free: list[Slab] = []
        self._scratch: list[Slab] = []
        loose = {id(value.root) for value in [*program.outputs, *program.pulled]}
        loose |= {id(value.root) for _, value in program.grads if id(value.root) not in fixed}
        self.across = _used_across(program)
        self.anew: set[int] = set()
        for i, call in enumerate(program.calls):
            for out in call.outs if call.form == "chain" or takes_out(call) else ():
                if out is not None and id(out) not in loose and id(out) not in fixed:
                    self._place(i, call, out)
            self._release(i, call)
        self.anew = self._made_anew()

    def _made_anew(self) -> set[int]:
        """Views that are made at every call: by an operation of ours, as one of several results, or of such a view."""
        found: set[int] = set()
        for call in self.program.calls:
            if call.out is None or call.form == "kernel" or any(id(v) in found for v in call.reads()):
                found.update(id(out) for out in call.outs if out is not None and out.is_view)
        return found

    def is_static(self, value: Value) -> bool:
        """Whether it is there before the first call, the same for all."""
        root = value.root
        if id(value) in self.anew:
            return False
        return root.kind in ("tensor", "constant") or id(root) in self.places or id(root) in self.fixed

    def scratch(self, number: int, nbytes: int) -> Slab:
        """One of the buffers that chains use for blocks, each for itself, with room for so much."""
        while len(self._scratch) <= number:
            self._scratch.append(Slab(len(self.buffers), 1))
            self.buffers.append(self._scratch[-1])
        self._scratch[number].nbytes = max(self._scratch[number].nbytes, nbytes)
        return self._scratch[number]

    def _place(self, i: int, call: Call, out: Value) -> None:
        over = self._written_over(i, call, out)
        self.places[id(out)] = self.places[id(over)] if over is not None else self._take(out.nbytes)

    def _written_over(self, i: int, call: Call, out: Value) -> Value | None:
        """The operand that the result may take the place of."""
        operands = call.may_give_way(out) if call.form == "chain" else _operands(call)  # type: ignore[attr-defined]
        for x in operands:
            if (
                x.shape == out.shape and x.dtype == out.dtype and x.strides == out.strides
                and id(x.root) in self.places and self.last[id(x.root)] == i and x.root.nbytes == out.nbytes
                and id(x.root) not in self.across and all(y is x or y.root is not x.root for y in operands)
                and not any(self.places.get(id(other)) is self.places[id(x.root)] for other in call.outs)
            ):  # fmt: skip
                return x.root
        return None

    def _take(self, nbytes: int) -> Slab:
        """The smallest free buffer that is large enough and not much too large; of several the one used last."""
        fitting = [b for b in self._free if nbytes <= b.nbytes <= 2 * nbytes + 4096]
        if fitting:
            best = min(reversed(fitting), key=lambda b: b.nbytes)
            self._free.remove(best)
            return best
        new = Slab(len(self.buffers), max(nbytes, 1))
        self.buffers.append(new)
        return new

    def _release(self, i: int, call: Call) -> None:
        roots = {id(v.root): v.root for v in [*call.reads(), *call.writes, *filter(None, call.outs)]}
        taken = {id(self.places[id(out)]) for out in call.outs if out is not None and id(out) in self.places}
        for number in roots:
            buffer = self.places.get(number)
            if buffer is None or self.last[number] != i or number in self.across:
                continue
            if id(buffer) in taken and not any(id(out) == number for out in call.outs if out is not None):
                continue  # it was handed over
            if buffer not in self._free:
                self._free.append(buffer)


def _used_across(program: Program) -> set[int]:
    """Values made before backward and read in it: backward may come twice, so their memory stays theirs."""
    if program.turn is None:
        return set()
    made = {id(out.root) for call in program.calls[: program.turn] for out in call.outs if out is not None}
    return {id(v.root) for call in program.calls[program.turn :] for v in call.reads() if id(v.root) in made}

