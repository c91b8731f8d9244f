"""Writes a plan's source: what is set up once, `forward`, and `backward`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import wrap
from .source import Source
from .update import RunUpdate, numbers_of
from .values import Call, Value

__all__ = ["Writer", "indented"]


class Writer(Source):
    """The source of a plan, with optimizers' steps written out."""

    may_share = True

    def __init__(self, plan: Any, names: dict[int, str], arguments: list[str]) -> None:
        super().__init__(plan.program, plan.memory, names, arguments)
        self._run_buffers: dict[Any, str] = {}
        self.plan = plan
        program = self.program
        turn = len(program.calls) if program.turn is None else program.turn
        forward = self.segment(program.calls[:turn], self.update)
        results = [self.name(v) for v in program.outputs]
        self.outputs = len(results)
        loose = [v for _, v in program.grads if id(v.root) not in self.memory.fixed]
        self.grads = len(loose)
        backward: list[str] = []
        kept: list[str] = []
        if program.turn is not None:
            seeds = []
            for i, seed in enumerate(program.seeds):
                self._names[id(seed)] = self._new(f"grad_{i}" if len(program.seeds) > 1 else "grad")
                seeds.append(self._names[id(seed)])
            back = self.segment(program.calls[turn:], self.update)
            kept = self._crossing(turn)
            pulled = [self._handed_out(v) for v in program.pulled]
            backward = ["", "", *_function("backward", [*seeds, *kept], back, pulled)]
        handed = [self._handed_out(v) for v in [*program.outputs, *loose]] + kept
        self.body = forward  # without its head, for an exported file
        forward = _function("forward", self.arguments, forward, handed)
        self.text = "\n".join([*self.notes, *self.setup, "", "", *forward, *backward, ""])

    def _handed_out(self, value: Value) -> str:
        name = self.name(value)
        return f"{name}.copy()" if value.root.kind == "constant" or (
            value.kind == "made" and self.memory.is_static(value.root) and value.root.kind != "tensor"
        ) else name  # fmt: skip

    def _crossing(self, turn: int) -> list[str]:
        """The loose values of `forward` that `backward` reads."""
        made = {id(out) for call in self.program.calls[:turn] for out in call.outs if out is not None}
        made |= {id(v) for v in self.program.inputs}
        found: dict[str, None] = {}
        for call in self.program.calls[turn:]:
            for value in call.reads():
                if id(value) in made and not self.memory.is_static(value):
                    found[self.name(value)] = None
        for value in self.program.pulled:
            if id(value) in made and not self.memory.is_static(value):
                found[self.name(value)] = None
        return [*found]

    def split(self, results: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        """What `forward` returned: the outputs, the gradients that are new, what backward needs."""
        a, b = self.outputs, self.outputs + self.grads
        return results[:a], results[a:b], results[b:]

    # ---- optimizers --------------------------------------------------------------------------------------------------
    def update(self, call: Call) -> list[str]:
        """An optimizer's step."""
        runs = self.plan.updates[id(call)]
        optimizer = call.owner
        params = {id(v.owner): v for v in call.args[0]}
        grads = {id(p.owner): g for p, g in zip(call.args[0], call.args[1])}
        alone = self._by_itself(optimizer, call)
        if runs is None:
            return [alone]
        prefix = type(optimizer).__name__.lower()
        put = self.object(numbers_of(optimizer, runs, self.plan.outdate), f"{prefix}_numbers")
        lines = [f"if {put}():  # puts this step's numbers in place"]
        for run in runs:
            lines += [f"    {line}" for line in self._run_lines(run, params, grads)]
        return [*lines, "else:  # its options are others now", f"    {alone}"]

    def _by_itself(self, optimizer: Any, call: Call) -> str:
        """The step by the optimizer itself, with the gradients where it looks for them."""
        params, values = [v.owner for v in call.args[0]], call.args[1]

        def step(*arrays: Any) -> None:
            for p, array in zip(params, arrays):
                p._grad = wrap(array)
            optimizer.step()

        name = self.object(step, f"{type(optimizer).__name__.lower()}_step")
        self._kept.append(step)
        return f"{name}({', '.join(map(self.name, values))})"

    def _run_lines(self, run: RunUpdate, params: dict[int, Value], grads: dict[int, Value]) -> list[str]:
        weights = [self.name(params[id(p)]) for p in run.params]
        gradients = [self.name(grads[id(p)]) for p in run.params]
        slots = all(self.memory.fixed.get(id(grads[id(p)])) is slot for p, slot in zip(run.params, run.slots))
        if not run.is_one_block:
            return self._large(run, gradients)
        return self._small(run, weights, gradients, slots)

    def _large(self, run: RunUpdate, gradients: list[str]) -> list[str]:
        """The blocks do it; they look for the gradients at the parameters."""
        params = run.params
        slots = [self.plan.slots.get(id(p)) for p in params]

        def advance(*arrays: Any) -> None:
            for p, slot, array in zip(params, slots, arrays):
                p._grad = wrap(array) if slot is None else slot
            run.advance()

        self._kept.append(advance)
        name = self.object(advance, f"{type(run.optimizer).__name__.lower()}_blocks")
        return [f"{name}({', '.join(gradients)})"]

    def _small(self, run: RunUpdate, weights: list[str], gradients: list[str], slots: bool) -> list[str]:
        program, f = run.program, run.factors
        call = program.plan
        g = self._buffer(run, ("named", "g"))
        scale = self.object(f["scale"], "scale")
        multiply, add, subtract = (self.object(u, u.__name__) for u in (np.multiply, np.add, np.subtract))
        parts = {}

        def part(place: Any) -> list[str]:
            if place not in parts:
                wish = "step" if place == call.result else self._buffer(run, place)
                parts[place] = [self.object(a, f"{wish}_{w}") for a, w in zip(run.parts_of(place), weights)]
            return parts[place]

        if slots:
            flat = self.object(run.gradient, "gradient")
            lines = [f"{multiply}({flat}, {scale}, {g})"]
        else:
            lines = [f"{multiply}({d}, {scale}, {to})" for d, to in zip(gradients, part(("named", "g")))]
        if "decay" in f:
            decay = self.object(f["decay"], "decay")
            lines += [f"{multiply}({w}, {decay}, {to})" for w, to in zip(weights, part(("work", 0)))]
            lines.append(f"{add}({g}, {self._buffer(run, ('work', 0))}, {g})")
        if "shrink" in f:
            shrink = self.object(f["shrink"], "shrink")
            lines += [f"{multiply}({w}, {shrink}, {w})" for w in weights]
        if call.reads_p:
            copyto = self.object(np.copyto, "copyto")
            lines += [f"{copyto}({to}, {w})" for w, to in zip(weights, part(("named", "p")))]
        for function, reads, out in call.calls:
            names = [self._buffer(run, each) for each in (*reads, out)]
            last = f"out={names[-1]}" if function in (np.maximum, np.minimum) else names[-1]
            lines.append(f"{self.object(function, function.__name__)}({', '.join([*names[:-1], last])})")
        return lines + [f"{subtract}({w}, {d}, {w})" for w, d in zip(weights, part(call.result))]

    def _buffer(self, run: RunUpdate, place: Any) -> str:
        """The name of a buffer that an optimizer's formula reads or writes."""
        if (id(run), place) not in self._run_buffers:
            (kind, key), array = place, run.buffer(place)
            wish = f"{kind}_{key}" if key else kind
            if kind == "named":
                wish = {"g": "scaled_gradient", "p": "parameters"}.get(key, key)
            elif kind == "number":
                wish = self._constant_name(array)
            self._run_buffers[id(run), place] = self.object(array, wish)
        return self._run_buffers[id(run), place]


def _function(name: str, arguments: list[str], lines: list[str], results: list[str]) -> list[str]:
    return [f"def {name}({', '.join(arguments)}):", *indented(lines), f"    return {_tuple(results)}"]


def indented(lines: list[str]) -> list[str]:
    """The lines as those of a block."""
    return [f"    {line}" if line else "" for line in lines]


def _tuple(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
