"""One update for all parameters of a group: their gradients and state lie in flat buffers, side by side.

A network has many small parameters, and a NumPy call on a small array costs more than its arithmetic. So the
state of all parameters of one number type lies in one buffer per name ("exp_avg" …), gradients are gathered
into another, and an optimizer's formula runs once over all of it. A parameter's own memory never moves: what
the user shares with it stays shared. `state[p]["exp_avg"]` is a tensor on its part of the buffer.

`Sheet`: the buffers of one number type. `Run`: neighbours in a sheet that one update covers, because they all
have a gradient now and the same number of steps behind them. With nothing frozen that is the whole sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import accumulate, groupby
from operator import is_
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..tensor import Tensor, wrap
from .optimizer import Optimizer, evaluate

__all__ = ["FlatOptimizer", "Run"]

Array = np.ndarray[Any, Any]


@lru_cache(maxsize=256)
def constant(value: float, kind: np.dtype[Any]) -> Array:
    """A number as a 0-d array, which a ufunc takes in a third of the time of a Python float."""
    array = np.array(value, kind)
    array.flags.writeable = False
    return array


class Run:
    """Neighbouring parameters of one type, with what one update of all of them works on.

    `g` holds the gradients once `gather` has run, `work` is free, `state[name]` is the state, all flat and real
    (of complex parameters: twice as long). `new` says that this is the first update of these parameters.
    """

    __slots__ = ("g", "g_parts", "kind", "near_parts", "new", "params", "state", "steps", "work", "work_parts")

    def __init__(self, sheet: Sheet, first: int, last: int, new: bool) -> None:
        lo, hi = sheet.bounds[first], sheet.bounds[last]
        self.params = sheet.params[first:last]
        self.new = new
        real = sheet.g.real.dtype
        self.kind = np.promote_types(real, np.float32)  # float16 is computed with float32 numbers
        self.g, self.work = sheet.g[lo:hi].view(real), sheet.work[lo:hi].view(real)
        self.g_parts, self.work_parts = sheet.parts(sheet.g, first, last), sheet.parts(sheet.work, first, last)
        self.near_parts = [sheet.work[: p._array.size].reshape(p._array.shape) for p in self.params]
        self.state = {name: buffer[lo:hi].view(real) for name, buffer in sheet.buffers.items()}
        self.steps = sheet.steps[first:last]

    def number(self, value: float) -> Array:
        """A number in the type that this run computes in."""
        return constant(value, self.kind)

    def gather(self, scale: float = 1.0, weight_decay: float = 0.0) -> None:
        """g = scale · (gradient + weight_decay · parameter)."""
        factor = self.number(scale)
        for p, g in zip(self.params, self.g_parts):
            np.multiply(p._grad._array, factor, g)  # type: ignore[union-attr]
        if weight_decay:
            factor = self.number(scale * weight_decay)
            for p, work in zip(self.params, self.work_parts):
                np.multiply(p._array, factor, work)
            np.add(self.g, self.work, self.g)

    def subtract(self, update: Array) -> None:
        """parameter -= update, which is `g` or `work`."""
        for p, part in zip(self.params, self.g_parts if update is self.g else self.work_parts):
            array = p._array
            np.subtract(array, part, array)
            p._cell[0] += 1

    def descend(self, rate: float) -> None:
        """parameter -= rate · gradient: nothing to remember, so one small buffer serves all and stays in the cache."""
        factor = self.number(rate)
        for p, part in zip(self.params, self.near_parts):
            array = p._array
            np.multiply(p._grad._array, factor, part)  # type: ignore[union-attr]
            np.subtract(array, part, array)
            p._cell[0] += 1

    def shrink(self, factor: float) -> None:
        """parameter *= factor."""
        scale = self.number(factor)
        for p in self.params:
            np.multiply(p._array, scale, p._array)

    def count(self) -> float:
        """Counts this step for all parameters of the run; how many that are now."""
        np.add(self.steps, constant(1.0, self.steps.dtype), self.steps)
        return float(self.steps[0])


class Sheet:
    """The flat buffers of all parameters of one number type in a group that ever had a gradient."""

    def __init__(self, params: list[Tensor], names: tuple[str, ...]) -> None:
        self.params, self.names = params, names
        self.kind = params[0]._array.dtype
        self.shapes = [p._array.shape for p in params]
        self.bounds = [0, *accumulate(p._array.size for p in params)]
        self.g, self.work = np.empty(self.bounds[-1], self.kind), np.empty(self.bounds[-1], self.kind)
        self.buffers = {name: np.zeros(self.bounds[-1], self.kind) for name in names}
        self.steps = np.zeros(len(params), np.promote_types(np.float32, default_numpy_dtype()))
        self.step_tensors = [wrap(self.steps[i : i + 1].reshape(())) for i in range(len(params))]
        self.tensors = {name: [*map(wrap, self.parts(b, 0, len(params)))] for name, b in self.buffers.items()}

    def parts(self, buffer: Array, first: int, last: int) -> list[Array]:
        """The parts of `buffer` that belong to the parameters from `first` to before `last`, in their shapes."""
        bounds = self.bounds
        return [buffer[bounds[i] : bounds[i + 1]].reshape(self.shapes[i]) for i in range(first, last)]

    def fits(self, params: list[Tensor], names: tuple[str, ...]) -> bool:
        """Whether this is the sheet of exactly these parameters, as they are now."""
        return (
            names == self.names
            and len(params) == len(self.params)
            and all(map(is_, params, self.params))
            and all(p._array.dtype == self.kind and p._array.shape == s for p, s in zip(params, self.shapes))
        )


class Layout:
    """How the parameters of one group lie in sheets, and the runs of the last step."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.members: list[Tensor] = []  # all that ever had a gradient here
        self.names: tuple[str, ...] = ()
        self.runs: list[Run] = []
        self.counts: list[Array] = []
        self.present: list[tuple[Tensor, Array, dict[str, Any] | None]] = []  # what took part, its memory and state
        self.entries: list[tuple[dict[str, Any], str, Tensor]] = []  # and what that state held

    def holds(self, present: list[Tensor], names: tuple[str, ...], state: dict[Any, Any]) -> bool:
        """Whether the runs are still right: same parameters, memory and state, and one count of steps in each run."""
        if len(present) != len(self.present) or names != self.names:
            return False
        for p, (before, array, own) in zip(present, self.present):
            if p is not before or p._array is not array or state.get(p) is not own:
                return False
        try:
            for entries, name, tensor in self.entries:
                if entries[name] is not tensor:
                    return False
        except KeyError:
            return False
        return all(map(_is_even, self.counts))


def _is_even(steps: Array) -> bool:
    counts = steps.tolist()
    return counts.count(counts[0]) == len(counts)


class FlatOptimizer(Optimizer):
    """An optimizer whose update is one formula over flat buffers.

    A subclass names its state in `_state_names` and writes the formula in `_update`.
    """

    _counts_steps = True  # whether each parameter's state has its "step"

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        if defaults.get("differentiable"):
            raise NotImplementedError(
                "differentiable=True: an optimizer here updates arrays, outside the graph; to differentiate through an "
                "update write it with tensors, p - lr * g, where g comes from autograd.grad(..., create_graph=True)"
            )
        super().__init__(params, defaults)
        self._layouts: dict[int, Layout] = {}
        if defaults.get("fused") and defaults.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._layouts = {}

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state tensors that have a parameter's shape."""
        raise NotImplementedError

    def _initial(self, name: str, kind: np.dtype[Any]) -> complex:
        """The value that a state tensor of this number type begins with."""
        return 0.0

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        """Updates the parameters of one run."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates all parameters that have a gradient. Returns the loss that `closure` computed, if there is one."""
        loss = evaluate(closure)
        with np.errstate(all="ignore"):  # as PyTorch: infinities and nan are values, and no news
            for i, group in enumerate(self.param_groups):
                present = [p for p in group["params"] if p._grad is not None]
                if not present:
                    continue
                layout = self._layouts.get(i)
                if layout is None or not layout.holds(present, self._state_names(group), self.state):
                    layout = self._lay_out(i, group, present)
                for run in layout.runs:
                    self._update(run, group)
                if layout.runs[0].new:
                    layout.present = []  # so that the next step finds larger runs
        return loss

    # ---- the layout: only when something has changed -------------------------------------------------------
    def _lay_out(self, i: int, group: dict[str, Any], present: list[Tensor]) -> Layout:
        """The layout of group `i` for a step of the parameters `present`."""
        layout = self._layouts.setdefault(i, Layout())
        layout.names = self._state_names(group)
        taking_part = {id(p) for p in present}
        known = taking_part | {id(p) for p in layout.members}
        layout.members = [p for p in dict.fromkeys(group["params"]) if id(p) in known]
        self._make_sheets(layout)
        layout.runs = []
        for sheet in layout.sheets:
            found = {j: self._adopt(sheet, j) for j, p in enumerate(sheet.params) if id(p) in taking_part}
            layout.runs += _find_runs(sheet, found)
        layout.runs.sort(key=lambda run: not run.new)
        layout.counts = [run.steps for run in layout.runs] if self._counts_steps else []
        layout.present = [(p, p._array, self.state.get(p)) for p in present]
        keys = ("step", *layout.names) if self._counts_steps else layout.names
        layout.entries = [(self.state[p], key, self.state[p][key]) for p in present for key in keys]
        return layout

    def _make_sheets(self, layout: Layout) -> None:
        """One sheet per number type; those that still fit are kept, and with them the state in them."""
        kinds = dict.fromkeys(p._array.dtype for p in layout.members)
        before, layout.sheets = layout.sheets, []
        for kind in kinds:
            params = [p for p in layout.members if p._array.dtype == kind]
            kept = [sheet for sheet in before if sheet.fits(params, layout.names)]
            layout.sheets.append(kept[0] if kept else Sheet(params, layout.names))

    def _adopt(self, sheet: Sheet, j: int) -> tuple[bool, float]:
        """Brings the state of the sheet's parameter `j` into the sheet; whether it is new, and its count of steps."""
        if not (sheet.names or self._counts_steps):
            return False, 0.0
        p = sheet.params[j]
        state = self.state[p]
        if self._counts_steps:
            _take_over(state, "step", sheet.step_tensors[j], 0.0)
        new = any(state.get(name) is None for name in sheet.names)
        for name in sheet.names:
            _take_over(state, name, sheet.tensors[name][j], self._initial(name, sheet.kind))
        return new, float(sheet.steps[j])


def _take_over(state: dict[str, Any], name: str, tensor: Tensor, initial: complex) -> None:
    """Makes `tensor`, a part of a flat buffer, the state's `name`, with the value that this has now."""
    held = state.get(name)
    if held is tensor:
        return
    value = held._array if isinstance(held, Tensor) else np.asarray(initial if held is None else held)
    if isinstance(held, Tensor) and value.shape != tensor._array.shape and name != "step":
        raise RuntimeError(
            f"the optimizer's state {name!r} has shape {list(value.shape)}, its parameter "
            f"{list(tensor._array.shape)}: it is that of another parameter; load the state that belongs to this "
            "network, or clear it"
        )
    tensor._array[...] = value.reshape(()) if name == "step" else value
    state[name] = tensor


def _find_runs(sheet: Sheet, found: dict[int, tuple[bool, float]]) -> Iterable[Run]:
    """Runs of neighbours with the same history, from what `_adopt` said of each parameter that takes part."""
    for (_, (new, _)), items in groupby(enumerate(found.items()), key=lambda item: (item[1][0] - item[0], item[1][1])):
        places = [j for _, (j, _) in items]
        yield Run(sheet, places[0], places[-1] + 1, new)
