"""`compiled.explain()`: what a program consists of, and what each part of it costs."""

from __future__ import annotations

import functools
import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..op import quiet
from ..random import Generator
from .cost import Cost, cost_of, cost_of_update
from .plan import Plan
from .recorder import fresh
from .values import Call, Value
from .write import Writer

__all__ = ["Explanation", "Part", "explain"]

Array = np.ndarray[Any, Any]

_REST = "the rest"  # of what no module does
_SECONDS = 0.2  # of measuring
_RUNS = 200  # at most


class Part(NamedTuple):
    """A part of the program: what it costs at each run, and the seconds that this takes."""

    name: str
    cost: Cost
    seconds: float


class Explanation:
    """What a program consists of; as a string, a table.

    `parts` are in the order of the program, `total` is their sum. `buffers` are reused by one value after the other,
    `constants` are the same for ever, `views` are made once and not at every call; `bytes` has how much memory the
    buffers and constants take.
    """

    def __init__(self, plan: Plan, seconds: dict[str, float]) -> None:
        costs = _costs(plan)
        self.parts = [Part(name, cost, seconds.get(name, 0.0)) for name, cost in costs.items()]
        self.total = Part("total", sum(costs.values(), Cost()), sum(seconds.values()))
        program = plan.program
        self.buffers = len(plan.memory.buffers)
        found = {id(v.root): v.root for call in program.calls for v in call.reads() if v.root.kind == "constant"}
        self.constants = len(found)
        self.bytes = {
            "buffers": sum(buffer.nbytes for buffer in plan.memory.buffers),
            "constants": sum(v.nbytes for v in found.values()),
        }
        self.views = sum(call.is_view and _is_hoisted(plan, call) for call in program.calls)
        self.outputs = len(program.outputs)

    def __str__(self) -> str:
        head = ("part", "calls", "read", "written", "FLOPs", "time")
        rows = [head, *[_row(part) for part in [*self.parts, self.total]]]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        rule = "-" * max(map(len, lines))
        lines = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
        buffers, constants = (_bytes(self.bytes[name]) for name in ("buffers", "constants"))
        lines.append(f"buffers: {self.buffers} of {buffers} in all; constants: {self.constants} of {constants}; "
                     f"views made once: {self.views}; outputs: {self.outputs}")  # fmt: skip
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def explain(plan: Plan, arrays: Sequence[Array] = ()) -> Explanation:
    """Runs the plan on arrays (where there are none, on random ones) with a clock between its parts, and puts back what
    that changes; the arrays themselves may be written to."""
    return Explanation(plan, _measured(plan, [*arrays, *map(_drawn, plan.program.inputs[len(arrays) :])]))


def _drawn(value: Value) -> Array:
    """An array of the value's type and layout: floating numbers are normal, others zero, for they may be indices."""
    out = fresh(value.shape, value.dtype, value.strides, 0)
    if value.dtype.kind in "fc":
        out[...] = np.random.default_rng(0).standard_normal(value.shape)
    return out


# ---- what it costs ---------------------------------------------------------------------------------------------------
def _costs(plan: Plan) -> dict[str, Cost]:
    """The cost of each part, in the order of the program."""
    found: dict[str, Cost] = {}
    for call in plan.program.calls:
        if call.form == "update":
            runs = plan.updates[id(call)]
            cost = Cost(1, unknown=1) if runs is None else sum(map(cost_of_update, runs), Cost())
        elif call.form == "effect" or (call.is_view and _is_hoisted(plan, call)):
            continue
        else:
            cost = cost_of(call)
        name = call.scope or _REST
        found[name] = found.get(name, Cost()) + cost
    return found


def _is_hoisted(plan: Plan, call: Call) -> bool:
    """Whether a view is made once, because what it shows is there before the first call."""
    return all(plan.memory.is_static(v) for v in call.reads())


# ---- how long it takes -----------------------------------------------------------------------------------------------
class _Writer(Writer):
    """The program without what it does to other objects: schedulers, and optimizers that step by themselves."""

    def statement(self, call: Call) -> str:
        """The call as a line."""
        return "" if call.form == "effect" else super().statement(call)

    def _by_itself(self, optimizer: Any, call: Call) -> str:
        return "pass"


def _measured(plan: Plan, arrays: list[Array]) -> dict[str, float]:
    """Seconds of each part: the median of many runs."""
    writer = _Writer(plan, plan.writer._owners, plan.writer.arguments)
    text, labels = _with_clock(writer.text)
    times: list[float] = []
    scope = {**writer.scope, "clock": lambda: times.append(perf_counter())}
    scope |= {f"buffer_{buffer.index}": buffer.allocate() for buffer in plan.memory.buffers}
    exec(compile(text, "<explained>", "exec"), scope)
    found: dict[str, list[float]] = {name: [] for name in labels}
    begin = perf_counter()
    try:
        with _as_before(plan, writer):
            for i in range(_RUNS + 1):
                times.clear()
                _run(writer, scope, plan, arrays)
                if i:  # the first one is to get warm
                    _note(found, labels, times)
                if i > 2 and perf_counter() - begin > _SECONDS:
                    break
    finally:
        scope.clear()  # a plan goes by who else has its arrays
        vars(writer).clear()
    return {name: median(values) for name, values in found.items() if name and values}


def _note(found: dict[str, list[float]], labels: list[str], times: list[float]) -> None:
    """Adds a run's seconds per part; a part may come several times in it."""
    run: dict[str, float] = {}
    for name, start, end in zip(labels, times, times[1:]):
        run[name] = run.get(name, 0.0) + end - start
    for name, seconds in run.items():
        found[name].append(seconds)


def _run(writer: _Writer, scope: dict[str, Any], plan: Plan, arrays: list[Array]) -> None:
    results = quiet(scope["forward"])(*arrays)
    if "backward" in scope:
        seeds = [np.ones(v.shape, v.dtype) for v in plan.program.seeds]
        quiet(scope["backward"])(*seeds, *writer.split(results)[2])


def _with_clock(text: str) -> tuple[str, list[str]]:
    """The program with a look at the clock before each part and at the end, and the parts' names ("" in between)."""
    lines: list[str] = []
    labels: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("def "):
            inside = begins = True
            lines.append(line)
            continue
        if inside and line.startswith("    return "):
            lines.append("    clock()")
            labels.append("")
            inside = False
        elif inside:
            comment = re.fullmatch(r"    # (.*)", line)
            if comment or (begins and line):
                lines.append("    clock()")
                labels.append(comment[1] if comment else _REST)
            begins = not line
        lines.append(line)
    return "\n".join(lines), labels


@contextmanager
def _as_before(plan: Plan, writer: Writer) -> Iterator[None]:
    """Puts back afterwards what the program writes to: arrays, gradients, and the places in random streams."""
    restore = [*_arrays_back(plan, writer), *_generators_back(plan)]
    try:
        yield
    finally:
        for put_back in restore:
            put_back()


def _arrays_back(plan: Plan, writer: Writer) -> Iterator[Callable[[], None]]:
    arrays = [x for x in writer.scope.values() if isinstance(x, np.ndarray)]
    for call in plan.program.calls:
        if call.form != "update":
            continue
        optimizer = call.function.__self__
        params = [p for group in optimizer.param_groups for p in group["params"]]
        arrays += [p._array for p in params]
        for run in plan.updates[id(call)] or ():
            arrays += [*run.run.sheet.buffers.values(), *run.run.sheet.own.values(), run.gradient]
        for p in params:
            yield functools.partial(setattr, p, "_grad", p._grad)
            yield functools.partial(_set_version, p._cell, p._cell[0])
    for array in {id(x): x for x in arrays if x.flags.writeable}.values():
        yield functools.partial(np.copyto, array, array.copy())


def _set_version(cell: list[Any], version: Any) -> None:
    cell[0] = version


def _generators_back(plan: Plan) -> Iterator[Callable[[], None]]:
    """Of all generators that there are: a call that draws may have one anywhere."""
    if all(call.pure for call in plan.program.calls):
        return
    for generator in [x for x in gc.get_objects() if isinstance(x, Generator)]:
        if generator._bits is None:  # nothing was drawn from it
            yield functools.partial(setattr, generator, "_bits", None)
        else:
            yield functools.partial(generator.go_to, generator.place())
        yield functools.partial(setattr, generator, "_spare", generator._spare)


# ---- as text ---------------------------------------------------------------------------------------------------------
def _row(part: Part) -> tuple[str, ...]:
    cost = part.cost
    flops = _short(cost.flops)
    flops = flops if not cost.unknown else f"> {flops}" if cost.flops else "unknown"
    return part.name, str(cost.calls), _bytes(cost.read), _bytes(cost.written), flops, f"{part.seconds * 1e6:.1f} µs"


def _short(n: float) -> str:
    """A number with a letter for its thousands."""
    for letter in ("", " k", " M", " G"):
        if n < 1000 or letter == " G":
            break
        n /= 1000
    return f"{n:.0f}" if not letter else f"{n:.3g}{letter}" if n < 1000 else f"{n:.0f}{letter}"


def _bytes(n: int) -> str:
    text = _short(n)
    return f"{text}B" if " " in text else f"{text} B"
