"""What the sweeps over time share: the order of the steps, and the gradients of a plain loop of steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...backward import grad
from ...graph import enable_grad
from ...tensor import Tensor, wrap
from ..join import cat

__all__ = ["Sizes", "replayed", "shared", "steps_of", "turned"]

Sizes = tuple[int, ...]


def steps_of(sizes: Sizes, reverse: bool) -> list[tuple[slice, int]]:
    """The rows of each step and their number, in the order in which the steps are taken."""
    steps = [(slice(end - n, end), n) for n, end in zip(sizes, itertools.accumulate(sizes))]
    return steps[::-1] if reverse else steps


def turned(w: Any, sizes: Sizes) -> Any:
    """w transposed, in memory, too, where there are steps enough: a small matrix times one that lies in order takes
    two thirds of the time."""
    return np.ascontiguousarray(w.T) if len(sizes) > 2 else w.T


def shared(once: dict[int, Any], index: int, make: Callable[[], Sequence[Any]]) -> Any:
    """One of the gradients that one sweep makes. The first that is asked for makes all, and each is handed out once:
    the next backward through the same node starts anew."""
    if index not in once:
        once.update(enumerate(make()))
    return once.pop(index)


def replayed(
    step: Callable[..., tuple[Any, ...]], inputs: Sequence[Tensor], states: int, grads: Sequence[Any], sizes: Sizes,
    reverse: bool,
) -> list[Tensor | None]:  # fmt: skip
    """The gradients of the plain loop of steps, with a history of their own. inputs: x, weights, then the states."""
    with enable_grad():
        copies = [x.clone() for x in inputs]  # of an input that is made from another, only its own part is wanted
        x, weights, state = copies[0], copies[1:-states], copies[-states:]
        outs: dict[int, Tensor] = {}
        for rows, n in steps_of(sizes, reverse):
            new = step(x[rows], *weights, *[s[:n] for s in state])
            outs[rows.start] = new[0]
            state = [a if n == len(s) else cat([a, s[n:]]) for a, s in zip(new, state)]
        results = [cat([outs[start] for start in sorted(outs)]), *state]
        # A formula is as if for real numbers, and `grad` conjugates what comes in and goes out: it is undone here.
        given = [_conjugate(g if isinstance(g, Tensor) else wrap(g)) for g in grads]
        wanted = [x for x in copies if x.requires_grad]
        found = iter(grad(results, wanted, given, create_graph=True))
        return [_conjugate(next(found)) if x.requires_grad else None for x in copies]


def _conjugate(x: Tensor) -> Tensor:
    conjugate: Any = np.conjugate(x) if x._array.dtype.kind == "c" else x
    return conjugate
