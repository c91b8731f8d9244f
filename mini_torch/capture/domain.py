"""A large shape cut into blocks, and how arrays that spread over it are cut with it."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from .values import Value

__all__ = ["LARGE", "Domain"]

LARGE = 1 << 18  # bytes of an array from which on blocks are worth a loop
BLOCK = 1 << 19  # bytes of a block of one array: NumPy's calls cost more than a second-level cache that overflows


class Domain:
    """The shape of a value, with its axes from the slowest in memory to the fastest, the slower ones cut.

    `split` are the axes that are cut: all but the last of them into single elements, the last into `step`s.
    """

    def __init__(self, value: Value) -> None:
        self.shape, self.nbytes = value.shape, value.nbytes
        order = sorted(range(len(value.shape)), key=lambda axis: -abs(value.strides[axis]))
        inner, place = value.dtype.itemsize, len(order)
        while place and inner < BLOCK:
            place -= 1
            inner *= value.shape[order[place]]
        self.split = [axis for axis in order[:place] if value.shape[axis] > 1] + order[place : place + 1]
        size = value.shape[order[place]]
        self.step = _even_step(size, max(1, BLOCK // max(inner // max(size, 1), 1)))
        self.blocks = math.prod(value.shape[axis] for axis in self.split[:-1]) * -(-size // self.step)

    def cuts(self) -> list[dict[int, slice]]:
        """Per block, what it is of each axis that is split."""
        ranges = []
        for axis in self.split:
            n, step = self.shape[axis], self.step if axis == self.split[-1] else 1
            ranges.append([slice(lo, min(lo + step, n)) for lo in range(0, n, step)])
        return [dict(zip(self.split, each)) for each in product(*ranges)]

    # ---- values ------------------------------------------------------------------------------------------------------
    def axes(self, value: Value) -> list[int]:
        """The axis that each dimension of the value lies along, from the right."""
        first = len(self.shape) - len(value.shape)
        return list(range(first, first + len(value.shape)))

    def spreads(self, value: Value) -> bool:
        """Whether the value can be broadcast to the shape."""
        return len(value.shape) <= len(self.shape) and all(
            n in (1, self.shape[axis]) for n, axis in zip(value.shape, self.axes(value))
        )

    def has_all_rows(self, value: Value) -> bool:
        """Whether the value has something for each block alone."""
        lengths = dict(zip(self.axes(value), value.shape))
        return self.spreads(value) and all(lengths.get(axis, 1) == self.shape[axis] for axis in self.split)

    def reduction(self, axes: set[int]) -> str | None:
        """Whether a reduction over these axes stays "rows" of a block, goes "across" all blocks, or neither (None)."""
        if not axes.intersection(self.split):
            return "rows"
        return "across" if axes.issuperset(self.split) else None

    def index(self, lengths: dict[int, int], axes: list[int], cut: dict[int, slice]) -> Any:
        """The index of a block in an array whose dimensions lie along `axes`."""
        index = [cut[axis] if axis in cut and lengths[i] != 1 else slice(None) for i, axis in enumerate(axes)]
        while index and index[-1] == slice(None):
            index.pop()
        return index[0] if len(index) == 1 else tuple(index)


def _even_step(size: int, most: int) -> int:
    """At most so many, and if some number from half of it up divides the size, that."""
    for step in range(min(most, size), most // 2, -1):
        if size % step == 0:
            return step
    return min(most, size)
