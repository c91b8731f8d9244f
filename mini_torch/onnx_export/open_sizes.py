"""Sizes that are open: which numbers of a recorded run depend on them, and how.

A run has plain numbers: where a program says `x.reshape(x.shape[0], -1)`, only 2 is recorded. So the model is run at
several sizes, and the graphs are laid beside each other (`merge`). A number that is the same in all of them is a
number. One that is not must be a formula of the sizes, which is found here from a few forms, and which every run has to
confirm, or the size of an array that the file makes anyway; `varying` has the nodes for both. Where four runs leave
open which formula it is, there is none: an error now is better than a file that is wrong at a fifth size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

__all__ = ["Formula", "OpenSize", "formula_of", "sizes_to_try"]

Values = tuple[int, ...]


@dataclass
class OpenSize:
    """A named size: `places` are (input, axis) where it stands, `given` what it was in the call, `tried` what it is in
    the recorded runs."""

    name: str
    places: list[tuple[int, int]]
    given: int
    low: int = 0
    high: int | None = None
    tried: Values = ()


@dataclass(frozen=True)
class Formula:
    """((factor · the product of sizes + shift) // divisor) · times."""

    sizes: tuple[str, ...] = ()
    factor: int = 1
    shift: int = 0
    divisor: int = 1
    times: int = 1

    def __str__(self) -> str:
        if self.times != 1:
            return f"{self.times}*({replace(self, times=1)})"
        text = "*".join([*([str(self.factor)] if self.factor != 1 else []), *self.sizes]) if self.sizes else "0"
        text += f" {'+' if self.shift > 0 else '-'} {abs(self.shift)}" if self.shift else ""
        return text if self.divisor == 1 else f"({text})//{self.divisor}" if self.shift else f"{text}//{self.divisor}"


def formula_of(values: Sequence[int], sizes: Sequence[OpenSize]) -> Formula | None:
    """The simplest formula that gives these values, one for each run; None if there is none."""
    values = tuple([int(v) for v in values])
    if len(set(values)) == 1:
        return Formula((), shift=values[0])
    for count in range(1, min(len(sizes), 3) + 1):
        for chosen in combinations(sizes, count):
            base = np.prod([s.tried for s in chosen], axis=0, dtype=np.int64)
            found = _linear(tuple([s.name for s in chosen]), values, base) or \
                _divided(tuple([s.name for s in chosen]), values, base) or \
                _share(tuple([s.name for s in chosen]), values, base)  # fmt: skip
            if found is not None:
                return found
    for size in sizes:
        found = _linear((size.name,) * 2, values, np.square(size.tried))
        if found is not None:
            return found
    shared = -1 if max(values) <= 0 else math.gcd(*values)
    if shared != 1:
        inner = formula_of([v // shared for v in values], sizes)
        return None if inner is None else replace(inner, times=shared * inner.times)
    return None


def _linear(names: tuple[str, ...], values: Values, base: Any) -> Formula | None:
    steps, rises = np.diff(base), np.diff(values)
    if not steps.all() or (rises % steps).any() or len(set(rises // steps)) > 1:
        return None
    factor = int(rises[0] // steps[0])
    return Formula(names, factor, int(values[0] - factor * base[0])) if factor else None


def _divided(names: tuple[str, ...], values: Values, base: Any) -> Formula | None:
    """(base + shift) // divisor, as windows count: rounded down (shift 0) or up (divisor - 1), if one divisor alone
    does; else with another shift, if only one fits. None where the numbers leave it open: at other sizes, a wrong
    divisor is a wrong file."""
    exact = int(base[0]) // max(values[0], 1)
    if 2 <= exact <= 64 and np.array_equal(np.multiply(values, exact), base):
        return Formula(names, 1, 0, exact)
    if max(values) - min(values) < 2:  # what says so little, many formulas say
        return None
    fits: list[tuple[int, range]] = []
    for divisor in range(2, 65):
        rest = np.multiply(values, divisor) - base
        shifts = range(max(int(rest.max()), -2 * divisor), min(int(rest.min()) + divisor - 1, 2 * divisor) + 1)
        if shifts:
            fits.append((divisor, shifts))
    found = [(d, shift) for d, shifts in fits for shift in (0, d - 1) if shift in shifts] \
        or [(d, shift) for d, shifts in fits for shift in shifts]  # fmt: skip
    if len(found) != 1:
        return None
    ((divisor, shift),) = found
    return Formula(names, 1, shift, divisor)


def _share(names: tuple[str, ...], values: Values, base: Any) -> Formula | None:
    """factor · base // divisor, as a resized image has it."""
    for divisor in range(2, 9):
        for factor in range(2, 8 * divisor):
            if factor % divisor and np.array_equal(factor * base // divisor, values):
                return Formula(names, factor, 0, divisor)
    return None


# What a size is in the runs, beside the number given: so much more, and so many quarters of it. Of both parities, four
# different numbers (the two rise together), and no two sizes in step with each other.
_STEPS = [(0, 1, 3, 4), (0, 3, 1, 6), (0, 4, 5, 1), (0, 2, 7, 5)]
_QUARTERS = [(0, 0, 2, 4), (0, 2, 0, 4), (0, 2, 4, 0), (0, 1, 4, 2)]


def sizes_to_try(sizes: Sequence[OpenSize]) -> list[list[Values]]:
    """For each attempt, for each size: what it is in the runs.

    First up to twice as large, so that a sixteenth of it varies, too; then, as a table of places may not have more,
    down to half; then a little larger; then multiples, as a network may halve it several times. One is never tried,
    because what is broadcast and what is not look the same there.
    """
    return [[_tried(size, k, way) for k, size in enumerate(sizes)] for way in ("wide", "down", "up", "multiples")]


def _tried(size: OpenSize, k: int, way: str) -> Values:
    steps, quarters = _STEPS[k % len(_STEPS)], _QUARTERS[k % len(_QUARTERS)]
    start = max(size.given, size.low, 2)
    numbers = {
        "wide": [start + s + start * q // 4 for s, q in zip(steps, quarters)],
        "down": [start - s - start * q // 8 for s, q in zip(steps, quarters)],
        "up": [start + s for s in steps],
        "multiples": [start * (s + 1) for s in steps],
    }[way]
    if min(numbers) < 2:
        numbers = [start - s if start - max(steps) > 1 else start + s for s in steps]
    if size.high is not None and max(numbers) > size.high:
        numbers = [size.high - s for s in steps]
    return tuple(numbers)
