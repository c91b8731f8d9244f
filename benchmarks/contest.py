"""One piece of work done by PyTorch, by mini_torch, and by mini_torch compiled: made, checked, timed in turn."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from time import process_time
from typing import Any

import numpy as np

import mini_torch

from . import timing
from .networks import Work

Call = Callable[[], Any]
Make = Callable[[Any], Work]

CONTESTANTS = ("PyTorch", "eager", "compiled")
TOLERANCE = 1e-3


def library(contestant: str) -> Any:
    """PyTorch, on one thread, or mini_torch."""
    if contestant != "PyTorch":
        return mini_torch
    import torch

    torch.set_num_threads(1)
    return torch


def planned(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call as a plan; it raises where it holds something that no plan can hold."""
    if not hasattr(mini_torch, "compile"):
        raise NotImplementedError("mini_torch.compile is not there")
    return mini_torch.compile(call, fullgraph=True)  # type: ignore[no-any-return]


def prepared(make: Make, contestant: str) -> tuple[Work, Call]:
    """A contestant's work, built from the seed, and what to call."""
    work = make(library(contestant))
    call = planned(work.call) if contestant == "compiled" else work.call
    return work, partial(call, *work.inputs)


def contestants() -> tuple[str, ...]:
    """Those that are there."""
    return CONTESTANTS if timing.has_torch() else CONTESTANTS[1:]


def mode(grad: bool, names: Sequence[str] = ()) -> ExitStack:
    """What the calls run under: no_grad of all libraries, unless `grad`."""
    stack = ExitStack()
    for name in () if grad else names or contestants():
        stack.enter_context(library(name).no_grad())
    return stack


def first_results(work: Work, call: Call, steps: int = 5) -> list[np.ndarray]:
    """The losses of the first steps, and the gradients of the leaves after them."""
    losses = [call().detach().numpy().copy() for _ in range(steps)]
    return losses + [leaf.grad.detach().numpy().copy() for leaf in work.leaves]


def check(contestant: str, own: Sequence[np.ndarray], first: Sequence[np.ndarray]) -> None:
    """Raises an AssertionError unless both did the same work."""
    for step, (mine, its) in enumerate(zip(own, first, strict=True)):
        off = float(np.abs(mine - its).max() / np.abs(its).max())
        if not off <= TOLERANCE:
            raise AssertionError(f"{contestant} did other work: result {step} is {off:.1e} off, of its maximum")


class Contest:
    """All contestants on the same work, each checked against the first. `why` says what keeps it from a plan."""

    def __init__(self, make: Make, grad: bool = True) -> None:
        self.grad, self.why = grad, ""
        self.calls: dict[str, Call] = {}
        results: list[np.ndarray] = []
        with mode(grad):
            for name in contestants():
                try:
                    work, call = prepared(make, name)
                    own = first_results(work, call)
                    results = results or own
                    check(name, own, results)
                except Exception as error:
                    if name != "compiled":
                        raise
                    self.why = f"{type(error).__name__}: {error}".partition("\n")[0]
                else:
                    self.calls[name] = call

    def times(self, rounds: int, seconds: float = 0.02) -> dict[str, list[float]]:
        """Seconds of a call, by contestant, in rounds that last about `seconds` each and two calls at least."""
        gc.collect()
        gc.freeze()  # what the libraries themselves are made of is nothing to search for garbage in each round
        try:
            with mode(self.grad):
                first = next(iter(self.calls.values()))
                once = min(timing.seconds(first, 2, process_time) for _ in range(2))
                return timing.rounds(self.calls, max(2, round(seconds / once)), rounds, process_time)
        finally:
            gc.unfreeze()


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """Each contestant's time to PyTorch's: the median of the rounds' ratios. Empty without PyTorch."""
    base = times.get("PyTorch")
    return {name: timing.ratio(own, base) for name, own in times.items() if name != "PyTorch"} if base else {}
