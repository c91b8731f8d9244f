"""One update for all parameters of a group: their state lies in flat buffers, side by side.

A network has many small parameters, and a NumPy call on a small array costs more than its arithmetic; a call on a
large one waits for memory. So the state of all parameters of one number type lies in one buffer per name ("exp_avg"
…), and an optimizer's formula runs over blocks of it that the processor's cache holds: over a small network's whole
state at once, over a large one's part by part. A parameter's own memory never moves: what the user shares with it
stays shared. `state[p]["exp_avg"]` is a tensor on its part of the buffer.

`Sheet`: the buffers of one number type. `Run`: neighbours in a sheet that one update covers, because they all have a
gradient now and the same steps behind them. With nothing frozen that is the whole sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate, groupby
from operator import is_
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ..creation import full_like
from ..dtype import default_numpy_dtype
from ..graph import enable_grad
from ..ops.complex_view import view_as_complex, view_as_real
from ..tensor import Tensor, wrap
from .block import Block, cut, pack
from .formula import Place, Plan, constant
from .optimizer import Optimizer, evaluate, number

__all__ = ["FlatOptimizer", "Numbers", "Options"]

Array = np.ndarray[Any, Any]
Numbers = dict[str, Any]
Options = SimpleNamespace


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
        self.tensors = {
            **{name: [wrap(x.reshape(())) for x in np.split(numbers, count)] for name, numbers in self.own.items()},
            **{name: [*map(wrap, self._parts(buffer))] for name, buffer in self.buffers.items()},
        }  # fmt: skip

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


class Run:
    """Neighbouring parameters of one type that have the same steps behind them; `new` says that they have none."""

    def __init__(self, sheet: Sheet, first: int, last: int, new: bool) -> None:
        self.sheet, self.new, self.start = sheet, new, sheet.bounds[first]
        self.own = {name: numbers[first:last] for name, numbers in sheet.own.items()}
        self.packs = pack(piece for p in sheet.params[first:last] for piece in cut(p))
        self.kind = np.promote_types(sheet.real, np.float32)  # float16 is computed with float32 numbers
        self.programs: dict[tuple[bool, ...], Program] = {}

    def advance(self, optimizer: FlatOptimizer, o: Options) -> None:
        """One step with the options `o`."""
        own = {name: float(numbers[0]) for name, numbers in self.own.items()}
        k = optimizer._count(o, own, self.new)
        for name, value in own.items():
            self.own[name].fill(value)
        flags = tuple([value for value in k.values() if value is True or value is False])
        program = self.programs.get(flags)
        if program is None:
            program = self.programs[flags] = self._program(optimizer, k)
        for name, place in program.numbers.items():
            place.fill(k[name])
        factors = [value if value is None else constant(value, self.kind) for value in _before(o, k)]
        for block in program.blocks:
            block.do(*factors)

    def _program(self, optimizer: FlatOptimizer, k: Numbers) -> Program:
        plan = Plan(optimizer._formula, self.sheet.names, k)
        numbers = {name: np.zeros((), self.kind) for name in plan.numbers}
        blocks, lo = [], self.start
        for pieces in self.packs:
            hi = lo + sum(piece.array.size for piece in pieces)
            blocks.append(self._block(plan, numbers, pieces, lo, hi))
            lo = hi
        return Program(numbers, blocks)

    def _block(self, plan: Plan, numbers: dict[str, Array], pieces: list[Any], lo: int, hi: int) -> Block:
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

        gradient, copy, free = buffer(("named", "g")), buffer(("named", "p")), buffer(("work", 0))
        return Block(pieces, plan.bind(buffer), gradient, free, buffer(plan.result), copy if plan.reads_p else None)


def _before(o: Options, k: Numbers) -> tuple[Any, Any, Any]:
    """(scale, decay, shrink): the formula's gradient is scale · gradient + decay · p, its parameter shrink · p."""
    size = k.get("scale", 1.0)
    scale, decay = -size if o.maximize else size, getattr(o, "weight_decay", 0)
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
        self.present: list[Tensor] = []  # what took part, its memory, its state, and what that held
        self.arrays: list[Array] = []
        self.states: list[dict[str, Any]] = []
        self.entries: list[tuple[dict[str, Any], str, Tensor]] = []

    def holds(self, present: list[Tensor], names: tuple[str, ...], state: dict[Any, Any]) -> bool:
        """Whether the runs are still right: same parameters, memory and state, and the same numbers in each run."""
        if len(present) != len(self.present) or names != self.names or not all(map(is_, present, self.present)):
            return False
        if not all(map(is_, [p._array for p in present], self.arrays)):
            return False
        if self.states and not all(map(is_, map(state.get, present), self.states)):
            return False
        for entries, name, tensor in self.entries:
            if entries.get(name) is not tensor:
                return False
        return all(_is_even(numbers) for run in self.runs for numbers in run.own.values())


def _is_even(numbers: Array) -> bool:
    values = numbers.tolist()
    return values.count(values[0]) == len(values)


class FlatOptimizer(Optimizer):
    """An optimizer that is one formula for every number of every parameter.

    A subclass names the state that has a parameter's shape in `_state_names`, and in `_own` the numbers that each
    parameter has for itself. `_numbers` says what these become in a step, and gives what follows from them and the
    options; `_formula` does the rest, number by number.
    """

    _own: tuple[str, ...] = ("step",)
    _on_device = "params and state_steps"  # what PyTorch wants there for `capturable`

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        self._layouts: dict[int, Layout] = {}
        if defaults.get("fused") and defaults.get("differentiable"):
            raise RuntimeError("`fused` does not support `differentiable`")
        if defaults.get("fused") and defaults.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._layouts = {}
        for p in (p for group in self.param_groups for p in group["params"]):
            entries = self.state.get(p, {})
            for name in entries.keys() & self._own:
                if not isinstance(entries[name], Tensor):  # as old checkpoints have it
                    entries[name] = _own_number(entries[name])

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state tensors that have a parameter's shape."""
        raise NotImplementedError

    def _initial(self, name: str, o: Options) -> Any:
        """The value that a state tensor or an own number begins with."""
        return 0.0

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        """The formula's numbers and flags by name, from the options and the parameter's own numbers.

        `own["step"]` counts this step, too; other own numbers are to be changed here. The gradient is multiplied with
        "scale", if that is given.
        """
        raise NotImplementedError

    def _formula(self, x: Any, k: Any) -> Any:
        """What is to be subtracted from the parameter `x.p`, by the gradient `x.g`; sets its state in `x` anew.

        In the gradient is the weight decay already, and the sign of `maximize`. `k` has the numbers and flags, and
        `k.new` says whether there was no state before. In NumPy's operators and ufuncs.
        """
        raise NotImplementedError

    def _count(self, o: Options, own: Numbers, new: bool) -> Numbers:
        if "step" in own:
            own["step"] += 1
        return {"new": new, **self._numbers(o, own)}

    # ---- steps ---------------------------------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates all parameters that have a gradient. Returns the loss that `closure` computed, if there is one."""
        loss = evaluate(closure)
        with np.errstate(all="ignore"):  # as PyTorch: infinities and nan are values, and no news
            for i, group in enumerate(self.param_groups):
                present = [p for p in group["params"] if p._grad is not None]
                if not present:
                    continue
                if group["differentiable"]:
                    self._step_in_graph(group, present)
                    continue
                layout = self._layouts.get(i)
                if layout is None or not layout.holds(present, self._state_names(group), self.state):
                    layout = self._lay_out(i, group, present)
                o = _options(group)
                for run in layout.runs:
                    run.advance(self, o)
                if layout.runs[0].new:
                    layout.present = []  # so that the next step finds larger runs
        return loss

    def _begin(self, p: Tensor, group: dict[str, Any]) -> None:
        """Gives the parameter's state what it lacks."""
        o = _options(group)
        for name in self._own:
            self.state[p].setdefault(name, _own_number(self._initial(name, o)))
        for name in self._state_names(group):
            value = self._initial(name, o)
            value = complex(value, value) if p.is_complex() else value  # both parts of a complex number
            self.state[p].setdefault(name, full_like(p, value, requires_grad=False))

    def _step_in_graph(self, group: dict[str, Any], present: list[Tensor]) -> None:
        """The same step on Tensors, one by one: gradients flow through it, also to options that are tensors."""
        o, names = SimpleNamespace(**group), self._state_names(group)
        with enable_grad():
            for p in present:
                state = self.state[p] if names or self._own else {}
                new = any(state.get(name) is None for name in names)
                self._begin(p, group)
                own = {name: float(state[name]) for name in self._own}
                k = self._count(o, own, new)
                state.update({name: _own_number(value) for name, value in own.items()})
                x = SimpleNamespace(p=p.clone(), g=p.grad, **{name: state[name] for name in names})
                p.copy_(self._follow(x, o, k))
                for name in names:
                    state[name] = getattr(x, name)

    def _follow(self, x: Any, o: Options, k: Numbers) -> Any:
        """Where the parameter goes to by the formula, on Tensors; sets the state in `x` anew."""
        if x.p.is_complex():
            pairs = SimpleNamespace(**{name: view_as_real(value) for name, value in vars(x).items()})
            there = view_as_complex(self._follow(pairs, o, k))
            vars(x).update({name: view_as_complex(value) for name, value in vars(pairs).items()})
            return there
        scale, decay, shrink = _before(o, k)
        x.g = scale * x.g if decay is None else scale * x.g + decay * x.p
        p = x.p if shrink is None else shrink * x.p
        return p - self._formula(x, SimpleNamespace(**k))

    # ---- the layout: only when something has changed -------------------------------------------------------
    def _lay_out(self, i: int, group: dict[str, Any], present: list[Tensor]) -> Layout:
        """The layout of group `i` for a step of the parameters `present`."""
        self._check_choice(group, present)
        layout = self._layouts.setdefault(i, Layout())
        layout.names = self._state_names(group)
        taking_part = {id(p) for p in present}
        known = taking_part | {id(p) for p in layout.members}
        layout.members = [p for p in dict.fromkeys(group["params"]) if id(p) in known]
        keys = (*self._own, *layout.names)
        layout.states = [self.state[p] for p in present] if keys else []  # made in this order, whatever the types
        self._make_sheets(layout)
        layout.runs = []
        for sheet in layout.sheets:
            places = [j for j, p in enumerate(sheet.params) if id(p) in taking_part]
            layout.runs += _find_runs(sheet, {j: self._adopt(sheet, j, group) for j in places})
        layout.runs.sort(key=lambda run: not run.new)
        layout.present, layout.arrays = present, [p._array for p in present]
        layout.entries = [(state, key, state[key]) for state in layout.states for key in keys]
        return layout

    def _check_choice(self, group: dict[str, Any], present: list[Tensor]) -> None:
        """PyTorch's errors for implementations that it does not have on a CPU."""
        if group.get("capturable") and not group.get("fused"):
            devices = ["cuda", "xpu", "hpu", "privateuseone", "xla"][: 4 if group.get("foreach") else 5]
            raise AssertionError(f"If capturable=True, {self._on_device} must be on supported devices: {devices}.")
        wrong = [p for p in present if group.get("fused") and not p.is_floating_point()]
        if wrong:
            raise RuntimeError(
                "`fused=True` requires all the params to be floating point Tensors of supported devices: ['mps', "
                f"'cuda', 'xpu', 'hpu', 'cpu', 'mtia', 'privateuseone'] but {wrong[0].dtype} and cpu"
            )

    def _make_sheets(self, layout: Layout) -> None:
        """One sheet per number type; those that still fit are kept, and with them the state in them."""
        kinds = dict.fromkeys(p._array.dtype for p in layout.members)
        before, layout.sheets = layout.sheets, []
        for kind in kinds:
            params = [p for p in layout.members if p._array.dtype == kind]
            kept = [sheet for sheet in before if sheet.fits(params, layout.names)]
            layout.sheets.append(kept[0] if kept else Sheet(params, self._own, layout.names))

    def _adopt(self, sheet: Sheet, j: int, group: dict[str, Any]) -> tuple[bool, tuple[float, ...]]:
        """Brings the state of the sheet's parameter `j` into the sheet; whether it is new, and its own numbers."""
        if not sheet.tensors:
            return False, ()
        state, o = self.state[sheet.params[j]], _options(group)
        new = any(state.get(name) is None for name in sheet.names)
        for name, tensors in sheet.tensors.items():
            _take_over(state, name, tensors[j], self._initial(name, o), name in self._own)
        return new, tuple(float(numbers[j]) for numbers in sheet.own.values())


def _options(group: dict[str, Any]) -> Options:
    """The group's options, numbers as such even where they are tensors."""
    o = SimpleNamespace(**{name: number(value) for name, value in group.items() if name != "params"})
    if "betas" in group:
        o.betas = tuple(map(number, group["betas"]))
    return o


def _own_number(value: Any) -> Tensor:
    return wrap(np.array(number(value), np.promote_types(np.float32, default_numpy_dtype())))


def _take_over(state: dict[str, Any], name: str, tensor: Tensor, initial: float, is_number: bool) -> None:
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


def _find_runs(sheet: Sheet, found: dict[int, tuple[bool, tuple[float, ...]]]) -> Iterable[Run]:
    """Runs of neighbours with the same history, from what `_adopt` said of each parameter that takes part."""
    for (_, (new, _)), items in groupby(enumerate(found.items()), key=lambda item: (item[1][0] - item[0], item[1][1])):
        places = [j for _, (j, _) in items]
        yield Run(sheet, places[0], places[-1] + 1, new)
