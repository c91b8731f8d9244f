"""An optimizer's formula: written once, in NumPy's operators, and read in two ways.

`Adam._formula` says how the state and the step follow from the gradient. On Tensors it simply runs, with a graph; that
is `differentiable=True`. On arrays every operator would make a new array, though. So it runs once on `Symbol`s, which
write down each NumPy call, and a `Plan` makes those calls again at every step, into buffers that are already there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["Plan", "constant"]

Array = np.ndarray[Any, Any]
Place = tuple[str, Any]  # ("named", "exp_avg"), ("work", 0), ("mask", 0) or ("number", 1.0)

MASKS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.invert}  # they give bool


@lru_cache(maxsize=256)
def constant(value: float, kind: np.dtype[Any]) -> Array:
    """A number as a 0-d array, which a ufunc takes in a third of the time of a Python float."""
    array = np.array(value, kind)
    array.flags.writeable = False
    return array


class Symbol(NDArrayOperatorsMixin):
    """Stands for an array or a number in a formula: what is done with it is written down in `calls`."""

    def __init__(self, calls: list[tuple[Any, tuple[Any, ...], Symbol]]) -> None:
        self.calls = calls

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Symbol:
        if method != "__call__" or options:
            raise TypeError(f"a formula calls np.{ufunc.__name__} with its operands alone")
        result = Symbol(self.calls)
        self.calls.append((ufunc, inputs, result))
        return result

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Symbol:
        raise TypeError(f"a formula is of operators and ufuncs, and np.{function.__name__} is none")


class Plan:
    """The NumPy calls of `formula(x, k)`, and the buffer that each of them reads and writes.

    `x` has the arrays: the gradient "g", the parameter "p", the state by its `names`. The formula may set a state anew;
    what it returns is at the place `result`. `k` has numbers by name, and flags, which decide as the formula is written
    down.
    """

    def __init__(self, formula: Callable[[Any, Any], Any], names: Iterable[str], k: dict[str, Any]) -> None:
        calls: list[tuple[Any, tuple[Any, ...], Symbol]] = []
        self.numbers = [name for name, value in k.items() if not isinstance(value, bool)]
        numbers = {name: Symbol(calls) for name in self.numbers}
        arrays = {name: Symbol(calls) for name in ("g", "p", *names)}
        x = SimpleNamespace(**arrays)
        result = formula(x, SimpleNamespace(**{**k, **numbers}))
        state = {name: getattr(x, name) for name in names}

        last = {id(symbol): i for i, (_, inputs, _) in enumerate(calls) for symbol in inputs}
        self._end = len(calls)  # symbols are told apart by their ids, which are theirs as long as `calls` lives
        self.reads_p = id(arrays["p"]) in last
        last.update(dict.fromkeys(map(id, (result, *state.values())), self._end))
        self._last, self._counts = last, {"work": 0, "mask": 0}  # which call reads a symbol last; places there are
        self._free: dict[str, list[Place]] = {"work": [], "mask": []}
        self._new = {name: id(new) for name, new in state.items() if new is not arrays[name]}
        self._held: dict[str, int] = {name: id(arrays[name]) for name in names}  # which symbol is in a state's buffer
        self._place: dict[int, Place] = {id(s): ("named", n) for n, s in {**numbers, **arrays}.items()}
        self.calls: list[tuple[Any, list[Place], Place]] = []
        for i, call in enumerate(calls):
            self._take(i, *call)
        for name, new in state.items():
            if self._place[id(new)] != ("named", name):
                self.calls.append((np.positive, [self._place[id(new)]], ("named", name)))
        self.result = self._place[id(result)]

    def _take(self, i: int, function: Any, inputs: tuple[Any, ...], result: Symbol) -> None:
        """Writes down call `i` with a place for its result, which may be that of what it reads for the last time."""
        reads = [self._place.get(id(value), ("number", value)) for value in inputs]
        dying = {id(value) for value in inputs if self._last.get(id(value)) == i}
        self._release(dying)
        kind = "mask" if function in MASKS else "work"
        name = self._state_for(i, id(result), dying) if kind == "work" else None
        place = self._acquire(kind) if name is None else ("named", name)
        self._place[id(result)] = place
        self.calls.append((function, reads, place))

    def _state_for(self, i: int, result: int, dying: set[int]) -> str | None:
        """The state in whose buffer the result of call `i` belongs, or may be for a while; None: nowhere.

        It belongs there when it is the state's new value and the old one is not read any more. It may be there in
        place of what is read for the last time, as long as the new value is not known: that is half the memory.
        """
        for name, held in self._held.items():
            is_new = self._new.get(name) == result
            may_be = held in dying and self._last.get(result, 0) < self._end
            if is_new and self._last.get(held, -1) <= i:
                break
            if may_be and self._new.get(name, held) not in self._place and result not in self._new.values():
                break
        else:
            return None
        self._held[name] = result
        return name

    def _acquire(self, kind: str) -> Place:
        if self._free[kind]:
            return self._free[kind].pop()
        self._counts[kind] += 1
        return kind, self._counts[kind] - 1

    def _release(self, symbols: Iterable[int]) -> None:
        for place in sorted(self._place[symbol] for symbol in symbols if symbol in self._place):
            if place[0] in self._free:
                self._free[place[0]].append(place)

    def bind(self, buffer: Callable[[Place], Array]) -> list[Callable[[], Any]]:
        """The calls on these buffers."""
        return [_call(function, [*map(buffer, reads)], buffer(out)) for function, reads, out in self.calls]


def _call(function: Any, inputs: list[Array], out: Array) -> Callable[[], Any]:
    if function in (np.maximum, np.minimum):  # NumPy wants to give a third positional argument another meaning
        return partial(function, *inputs, out=out)
    return partial(function, *inputs, out)
