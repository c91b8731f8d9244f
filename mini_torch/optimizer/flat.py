"""One update for all parameters of a group: their state lies in flat buffers, side by side.

A network has many small parameters, and a NumPy call on a small array costs more than its arithmetic; a call on a
large one waits for memory. So the state of all parameters of one number type lies in one buffer per name ("exp_avg"
…), and an optimizer's formula runs over blocks of it that the processor's cache holds: over a small network's whole
state at once, over a large one's part by part. A parameter's own memory never moves: what the user shares with it
stays shared. `state[p]["exp_avg"]` is a tensor on its part of the buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..creation import full_like
from ..graph import enable_grad
from ..ops.complex_view import view_as_complex, view_as_real
from ..tensor import Tensor
from .optimizer import Optimizer, evaluate, number
from .sheet import Layout, Numbers, Options, Sheet, factors, find_runs, own_number, take_over

__all__ = ["FlatOptimizer", "Numbers", "Options", "options_of"]


class FlatOptimizer(Optimizer):
    """An optimizer that is one formula for every number of every parameter.

    A subclass names the state that has a parameter's shape in `_state_names`, and in `_own` the numbers that each
    parameter has for itself. `_numbers` says what these become in a step, and gives what follows from them and the
    options; `_formula` does the rest, number by number. A whole optimizer, which goes by the sign of a mean (Chen et
    al., "Symbolic Discovery of Optimization Algorithms", 2023, has a mix of two):

    >>> import numpy as np
    >>> from mini_torch import tensor
    >>> class SignOfMean(FlatOptimizer):
    ...     def __init__(self, params, lr=1e-3, beta=0.9):
    ...         super().__init__(params, {"lr": lr, "beta": beta})
    ...
    ...     def _state_names(self, group):
    ...         return ("mean",)
    ...
    ...     def _numbers(self, o, own):
    ...         return {"lr": o.lr, "beta": o.beta, "rest": 1 - o.beta}
    ...
    ...     def _formula(self, x, k):
    ...         x.mean = k.beta * x.mean + k.rest * x.g
    ...         return k.lr * np.sign(x.mean)
    >>> p = tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> optimizer = SignOfMean([p], lr=0.5)
    >>> p.square().sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.5000, 1.5000, 2.5000])
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
                    entries[name] = own_number(entries[name])

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
                if group.get("differentiable"):
                    self._step_in_graph(group, present)
                    continue
                layout = self.layout(i, group, present)
                o = options_of(group)
                for run in layout.runs:
                    run.advance(o, self._count, self._formula)
                if layout.runs[0].new:
                    layout.present = []  # so that the next step finds larger runs
        return loss

    def layout(self, i: int, group: dict[str, Any], present: list[Tensor]) -> Layout:
        """How the parameters of group `i` that have a gradient lie: as in the last step, if that is still right."""
        layout = self._layouts.get(i)
        if layout is None or not layout.holds(present, self._state_names(group), self.state):
            layout = self._lay_out(i, group, present)
        return layout

    def _begin(self, p: Tensor, group: dict[str, Any]) -> None:
        """Gives the parameter's state what it lacks."""
        o = options_of(group)
        for name in self._own:
            self.state[p].setdefault(name, own_number(self._initial(name, o)))
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
                state.update({name: own_number(value) for name, value in own.items()})
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
        scale, decay, shrink = factors(o, k)
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
        layout.runs, o = [], options_of(group)
        for k, sheet in enumerate(layout.sheets):
            found = {j: self._adopt(sheet, j, o) for j, p in enumerate(sheet.params) if id(p) in taking_part}
            layout.runs += [layout.run(k, *run) for run in find_runs(found)]
        layout.runs.sort(key=lambda run: not run.new)
        layout.present, layout.arrays = present, [p._array for p in present]
        entries = [(state, key) for state in layout.states for key in keys]
        layout.owners, layout.keys = [state for state, _ in entries], [key for _, key in entries]
        layout.held = [state[key] for state, key in entries]
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
        if layout.sheets != before:
            layout.kept.clear()

    def _adopt(self, sheet: Sheet, j: int, o: Options) -> tuple[bool, tuple[float, ...]]:
        """Brings the state of the sheet's parameter `j` into the sheet; whether it is new, and its own numbers."""
        if not sheet.tensors:
            return False, ()
        state = self.state[sheet.params[j]]
        new = any(state.get(name) is None for name in sheet.names)
        for name, tensors in sheet.tensors.items():
            take_over(state, name, tensors[j], self._initial(name, o), name in self._own)
        return new, tuple(float(numbers[j]) for numbers in sheet.own.values())


def options_of(group: dict[str, Any]) -> Options:
    """The group's options, numbers as such even where they are tensors."""
    o = SimpleNamespace(**{name: number(value) for name, value in group.items() if name != "params"})
    if "betas" in group:
        o.betas = tuple(map(number, group["betas"]))
    return o
