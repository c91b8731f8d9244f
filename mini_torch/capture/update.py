"""An optimizer's step in a recorded program: its formula written out, with the numbers of each step put in place first.

The gradients are computed straight into one flat array, side by side, so that what the formula does with them is one
call for all. What changes from step to step without being a tensor (the learning rate, the count of steps) is asked
from the optimizer at every call, and if it is then no longer what the program was written for, it steps by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..optimizer.flat import FlatOptimizer, options_of
from ..optimizer.optimizer import has_hooks
from ..optimizer.sheet import Layout, Run, factors, flags_of
from ..tensor import Tensor

__all__ = ["RunUpdate", "numbers_of", "runs_of"]

Array = np.ndarray[Any, Any]


def runs_of(optimizer: Any) -> list[RunUpdate] | None:
    """What the optimizer's next step consists of; None where it is not a formula for all, or somebody listens."""
    if not isinstance(optimizer, FlatOptimizer) or has_hooks(optimizer):
        return None
    found = []
    for i, group in enumerate(optimizer.param_groups):
        present = [p for p in group["params"] if p._grad is not None]
        if not present:
            continue
        if group.get("differentiable"):
            return None
        layout = optimizer.layout(i, group, present)
        found += [RunUpdate(optimizer, i, layout, run) for run in layout.runs]
    return found


class RunUpdate:
    """The update of a run of parameters by one program of calls."""

    def __init__(self, optimizer: FlatOptimizer, group: int, layout: Layout, run: Run) -> None:
        self.optimizer, self.group, self.layout, self.run = optimizer, group, layout, run
        o = options_of(optimizer.param_groups[group])
        _, k = run.counted(o, optimizer._count)
        self.program = run.program(optimizer._formula, k)
        self.flags = flags_of(k)
        self.by = factors(o, k)
        names = [name for name, value in zip(("scale", "decay", "shrink"), self.by) if value is not None]
        self.factors = {name: np.zeros((), run.kind) for name in names}
        self.params: list[Tensor] = run.params
        size = sum(p._array.size for p in run.params)
        self.gradient = np.zeros(size, run.sheet.dtype)  # zeros: one that no call writes into is not read either
        self.slots = [*self._parts(self.gradient)]
        self._seen: tuple[Any, ...] = ()
        self._has_tensors = False
        self._options: Any = None

    def _parts(self, flat: Array) -> Iterator[Array]:
        lo = 0
        for p in self.params:
            yield flat[lo : lo + p._array.size].reshape(p._array.shape)
            lo += p._array.size

    @property
    def is_one_block(self) -> bool:
        """Whether the calls are the same for all parameters, because they fit into the cache together."""
        return len(self.program.blocks) == 1 and all(piece.part is None for pack in self.run.packs for piece in pack)

    def parts_of(self, place: Any) -> list[Array]:
        """The parts of a buffer of the block that belong to the parameters."""
        return [*self._parts(self.buffer(place).view(self.run.sheet.dtype))]

    def buffer(self, place: Any) -> Array:
        """A buffer of the one block."""
        start = self.run.start
        return self.run.buffers(self.program.numbers, start, start + self.gradient.size)(place)

    def counted(self) -> tuple[Any, Any, list[Any]] | None:
        """This step's numbers; None if the program is not for them. Nothing is changed."""
        optimizer, run, layout = self.optimizer, self.run, self.layout
        group = optimizer.param_groups[self.group]
        values = tuple(group.values())
        changed = len(values) != len(self._seen) or any(map(_is_not, values, self._seen))
        if changed or self._has_tensors:
            self._seen, self._options = values, options_of(group)
            self._has_tensors = any(isinstance(x, Tensor) for x in (*values, *group.get("betas", ())))
        if optimizer._layouts.get(self.group) is not layout or run not in layout.runs:
            return None
        if not layout.holds(layout.present, optimizer._state_names(group), optimizer.state):
            return None
        own, k = run.counted(self._options, optimizer._count)
        by = factors(self._options, k)
        if flags_of(k) != self.flags or [x is None for x in by] != [x is None for x in self.by]:
            return None
        return own, k, [x for x in by if x is not None]

    def advance(self) -> None:
        """The step by its blocks, once the numbers are there: of large ones, for which written calls save nothing."""
        by = [self.factors.get(name) for name in ("scale", "decay", "shrink")]
        for block in self.program.blocks:
            block.do(*by)


def numbers_of(optimizer: FlatOptimizer, runs: list[RunUpdate], outdate: Callable[[], None]) -> Callable[[], bool]:
    """Puts a step's numbers in place for all runs; False, and nothing is changed, if the program is not for them, which
    `outdate` is told."""
    groups = len(optimizer.param_groups)

    def put() -> bool:
        found = [run.counted() for run in runs]
        if None in found or len(optimizer.param_groups) != groups or has_hooks(optimizer):
            outdate()
            return False
        for run, (own, k, by) in zip(runs, found):  # type: ignore[misc]
            run.program.begin(run.run, own, k)
            for place, value in zip(run.factors.values(), by):
                place.fill(value)
        return True

    return put


def _is_not(a: Any, b: Any) -> bool:
    return a is not b and a != b

