"""What the sweeps over time share: the order of the steps, and the plain loop of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...tensor import Tensor
from ..join import cat

__all__ = ["Sizes", "Steps", "looped", "steps_of", "stretches", "turned"]

Sizes = tuple[int, ...]
Steps = list[tuple[slice, int]]


def steps_of(sizes: Sizes, reverse: bool) -> Steps:
    """The rows of each step and their number, in the order in which the steps are taken."""
    steps = [(slice(end - n, end), n) for n, end in zip(sizes, itertools.accumulate(sizes))]
    return steps[::-1] if reverse else steps


def stretches(steps: Steps, rows: int) -> Iterator[tuple[slice, Steps]]:
    """Neighbouring steps of about so many rows together, and all their rows."""
    count = max(rows // max(max(n for _, n in steps), 1), 1)
    for i in range(0, len(steps), count):
        part = steps[i : i + count]
        first, last = sorted((part[0][0], part[-1][0]), key=lambda step: step.start)
        yield slice(first.start, last.stop), part


def turned(w: Any, sizes: Sizes) -> Any:
    """w transposed, in memory, too, where there are steps enough: a small matrix times one that lies in order takes
    two thirds of the time."""
    return np.ascontiguousarray(w.T) if len(sizes) > 2 else w.T


def looped(
    step: Callable[..., tuple[Any, ...]], x: Tensor, weights: Sequence[Tensor | None], states: Sequence[Tensor],
    sizes: Sizes, reverse: bool,
) -> list[Tensor]:  # fmt: skip
    """The outputs and the last states of a plain loop of steps: step(x, *weights, *states) → new states."""
    outs: dict[int, Tensor] = {}
    for rows, n in steps_of(sizes, reverse):
        new = step(x[rows], *weights, *[s[:n] for s in states])
        outs[rows.start] = new[0]
        states = [a if n == len(s) else cat([a, s[n:]]) for a, s in zip(new, states)]
    return [cat([outs[start] for start in sorted(outs)]), *states]
