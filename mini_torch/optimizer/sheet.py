"""Where the state of a flat optimizer lies, and one update of it.

`Sheet`: the buffers of all parameters of one number type in a group. `Run`: neighbours in a sheet that one update
covers, because they all have a gradient now and the same steps behind them; with nothing frozen that is the whole
sheet. `Layout`: a group's sheets, and the runs of its last step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate, groupby
from operator import is_
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ..dtype import default_numpy_dtype
from ..memory import apart
from ..tensor import Tensor, wrap
from .block import Block, Piece, cut, pack
from .formula import Place, Plan, constant
from .optimizer import number

__all__ = ["Layout", "Numbers", "Options", "Run", "Sheet", "factors", "find_runs", "flags_of", "own_number",
           "take_over"]  # fmt: skip

Array = np.ndarray[Any, Any]
Numbers = dict[str, Any]
Options = SimpleNamespace
Count = Callable[[Options, Numbers, bool], Numbers]  # FlatOptimizer._count
Formula = Callable[[Any, Any], Any]

KEPT = 16  # runs of earlier steps


class Sheet:
    """The flat buffers of all parameters of one number type in a group that ever had a gradient."""

    def __init__(self, params: list[Tensor], own: tuple[str, ...], names: tuple[str, ...]) -> None:
        self.params, self.names = params, names
        self.dtype = params[0]._array.dtype
        self.real = params[0]._array.real.dtype
        self.width = self.dtype.itemsize // self.real.itemsize  # a complex number is a pair of real ones
        self.shapes = [p._array.shape for p in params]
        self.bounds = [0, *accumulate(p._array.size for p in params)]
        self.scratch: dict[Place, Array] = {}
        count, kind = len(params), np.promote_types(np.float32, default_numpy_dtype())
        self.own = {name: np.zeros(count, kind) for name in own}
        self.buffers = {name: np.zeros(self.bounds[-1], self.dtype) for name in names}
        parts = {
            **{name: [x.reshape(()) for x in np.split(numbers, count)] for name, numbers in self.own.items()},
            **{name: self._parts(buffer) for name, buffer in self.buffers.items()},
        }
        self.tensors = {name: [wrap(apart(x)) for x in arrays] for name, arrays in parts.items()}

    def _parts(self, buffer: Array) -> list[Array]:
        bounds = self.bounds
        return [buffer[bounds[i] : bounds[i + 1]].reshape(shape) for i, shape in enumerate(self.shapes)]

    def fits(self, params: list[Tensor], names: tuple[str, ...]) -> bool:
        """Whether this is the sheet of exactly these parameters, as they are now."""
        return (
            names == self.names
            and len(params) == len(self.params)
            and all(map(is_, params, self.params))
            and all(p._array.dtype == self.dtype and p._array.shape == s for p, s in zip(params, self.shapes))
        )

    def free(self, place: Place, size: int) -> Array:
        """A buffer for intermediate results, which all blocks share: so it stays in the cache."""
        kind = np.dtype(bool) if place[0] == "mask" else self.real
        held = self.scratch.get(place)
        if held is None or held.size < size:
            held = self.scratch[place] = np.empty(size, kind)
        return held[:size]


class Program(NamedTuple):
    """A run's update by one plan: where its numbers are put, and the blocks."""

    numbers: dict[str, Array]
    blocks: list[Block]
    plan: Plan

    def begin(self, run: Run, own: Numbers, k: Numbers) -> None:
        """Puts a step's numbers where the calls find them."""
        for name, value in own.items():
            run.own[name].fill(value)
        for name, place in self.numbers.items():
            place.fill(k[name])


class Run:
    """Neighbouring parameters of one type that have the same steps behind them; `new` says that they have none."""

    def __init__(self, sheet: Sheet, first: int, last: int, new: bool) -> None:
        self.sheet, self.new, self.start = sheet, new, sheet.bounds[first]
        self.own = {name: numbers[first:last] for name, numbers in sheet.own.items()}
        self.params = sheet.params[first:last]
        self.arrays = [p._array for p in self.params]
        self.packs = pack(piece for p in self.params for piece in cut(p))
        self.kind = np.promote_types(sheet.real, np.float32)  # float16 is computed with float32 numbers
        self.programs: dict[tuple[bool, ...], Program] = {}

    def advance(self, o: Options, count: Count, formula: Formula) -> None:
        """One step with the options `o`."""
        own, k = self.counted(o, count)
        program = self.program(formula, k)
        program.begin(self, own, k)
        by = [value if value is None else constant(value, self.kind) for value in factors(o, k)]
        for block in program.blocks:
            block.do(*by)

    def counted(self, o: Options, count: Count) -> tuple[Numbers, Numbers]:
        """The own numbers after this step, and the numbers and flags of the formula; nothing is changed yet."""
        own = {name: float(numbers[0]) for name, numbers in self.own.items()}
        return own, count(o, own, self.new)

    def program(self, formula: Formula, k: Numbers) -> Program:
        """The program for these flags."""
        flags = flags_of(k)
        program = self.programs.get(flags)
        if program is None:
            program = self.programs[flags] = self._program(formula, k)
        return program

    def _program(self, formula: Formula, k: Numbers) -> Program:
        plan = Plan(formula, self.sheet.names, k)
        numbers = {name: np.zeros((), self.kind) for name in plan.numbers}
        blocks, lo = [], self.start
        for pieces in self.packs:
            hi = lo + sum(piece.array.size for piece in pieces)
            blocks.append(self._block(plan, numbers, pieces, lo, hi))
            lo = hi
        return Program(numbers, blocks, plan)

    def buffers(self, numbers: dict[str, Array], lo: int, hi: int) -> Callable[[Place], Array]:
        """Where the calls of the block from lo to hi find their operands."""
        sheet = self.sheet

        def buffer(place: Place) -> Array:
            kind, key = place
            if kind == "number":
                return constant(key, self.kind)
            if kind == "named" and key in numbers:
                return numbers[key]
            if kind == "named" and key in sheet.buffers:
                return sheet.buffers[key][lo:hi].view(sheet.real)
            return sheet.free(place, (hi - lo) * sheet.width)

        return buffer

    def _block(self, plan: Plan, numbers: dict[str, Array], pieces: list[Piece], lo: int, hi: int) -> Block:
        buffer = self.buffers(numbers, lo, hi)
        gradient, copy, free = buffer(("named", "g")), buffer(("named", "p")), buffer(("work", 0))
        return Block(pieces, plan.bind(buffer), gradient, free, buffer(plan.result), copy if plan.reads_p else None)


def flags_of(k: Numbers) -> tuple[bool, ...]:
    """What decides how the formula is written down."""
    return tuple([value for value in k.values() if value is True or value is False])


def factors(o: Options, k: Numbers) -> tuple[Any, Any, Any]:
    """(scale, decay, shrink): the formula's gradient is scale · gradient + decay · p, its parameter shrink · p."""
    size = k.get("scale", 1.0)
    scale, decay = -size if getattr(o, "maximize", False) else size, getattr(o, "weight_decay", 0)
    if not isinstance(decay, Tensor) and decay == 0:
        return scale, None, None
    if getattr(o, "decoupled_weight_decay", False):
        return scale, None, 1 - o.lr * decay
    return scale, size * decay, None


class Layout:
    """How the parameters of one group lie in sheets, and the runs of the last step."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.members: list[Tensor] = []  # all that ever had a gradient here
        self.names: tuple[str, ...] = ()
        self.runs: list[Run] = []
        self.kept: dict[tuple[int, int, int], Run] = {}  # all since the sheets are these, by sheet and place in it
        self.present: list[Tensor] = []  # what took part, its memory, its state, and what that held
        self.arrays: list[Array] = []
        self.states: list[dict[str, Any]] = []
        self.owners: list[dict[str, Any]] = []  # every entry of a state: whose it is, its name, what it held
        self.keys: list[str] = []
        self.held: list[Tensor] = []

    def holds(self, present: list[Tensor], names: tuple[str, ...], state: dict[Any, Any]) -> bool:
        """Whether the runs are still right: same parameters, memory and state, and the same numbers in each run."""
        if len(present) != len(self.present) or names != self.names or not all(map(is_, present, self.present)):
            return False
        if not all(map(is_, [p._array for p in present], self.arrays)):
            return False
        if self.states and not all(map(is_, map(state.get, present), self.states)):
            return False
        if not all(map(is_, map(dict.get, self.owners, self.keys), self.held)):
            return False
        return all(_is_even(numbers) for run in self.runs for numbers in run.own.values())


    def run(self, i: int, first: int, last: int, new: bool) -> Run:
        """The run of these parameters of sheet `i`: the one of an earlier step, where that is still bound to them.

        So parameters that take turns, as two networks do that are trained against each other, cost no more.
        """
        kept = self.kept.get((i, first, last))
        if kept is not None and not (new or kept.new) and all(map(is_, [p._array for p in kept.params], kept.arrays)):
            return kept
        if len(self.kept) >= KEPT:
            self.kept.clear()
        run = self.kept[i, first, last] = Run(self.sheets[i], first, last, new)
        return run


def _is_even(numbers: Array) -> bool:
    values = numbers.tolist()
    return values.count(values[0]) == len(values)


def own_number(value: Any) -> Tensor:
    """A number that a parameter has for itself, as its state holds it."""
    return wrap(np.array(number(value), np.promote_types(np.float32, default_numpy_dtype())))


def take_over(state: dict[str, Any], name: str, tensor: Tensor, initial: float, is_number: bool) -> None:
    """Makes `tensor`, a part of a flat buffer, the state's `name`, with the value that this has now."""
    held = state.get(name)
    if held is tensor:
        return
    array = tensor._array
    if held is None:
        array.reshape(-1).view(array.real.dtype).fill(initial)
    else:
        value = held._array if isinstance(held, Tensor) else np.asarray(held)
        if value.shape != array.shape and not is_number:
            raise RuntimeError(
                f"the optimizer's state {name!r} has shape {list(value.shape)}, its parameter {list(array.shape)}: it "
                "is that of another parameter; load the state that belongs to this network, or clear it"
            )
        array[...] = value.reshape(()) if is_number else value
    state[name] = tensor


def find_runs(found: dict[int, tuple[bool, tuple[float, ...]]]) -> Iterable[tuple[int, int, bool]]:
    """(first, last + 1, new) of neighbours with the same history, from (new, own numbers) of each place taking part."""
    for (_, (new, _)), items in groupby(enumerate(found.items()), key=lambda item: (item[1][0] - item[0], item[1][1])):
        places = [j for _, (j, _) in items]
        yield places[0], places[-1] + 1, new
