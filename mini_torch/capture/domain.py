"""A large shape cut into blocks, and how arrays that spread over it are cut with it."""

from __future__ import annotations

import math

from .values import Value

__all__ = ["LARGE", "Domain"]

LARGE = 1 << 18  # bytes of an array from which on blocks are worth a loop
BLOCK = 1 << 19  # bytes of a block of one array: NumPy's calls cost more than a second-level cache that overflows

ROW, MANY = 512, 4  # elements of a row up to which it is laid out block by block, and blocks from which on


class Domain:
    """The shape of a value, with its axes from the slowest in memory to the fastest, the slower ones cut.

    `split` are the axes that are cut: all but the last of them into single elements, the last into `step`s, the last of
    which may be shorter than the others (not `is_even`).
    """

    def __init__(self, value: Value, itemsize: int) -> None:
        self.shape, self.nbytes = value.shape, math.prod(value.shape) * itemsize
        order = sorted(range(len(value.shape)), key=lambda axis: -abs(value.strides[axis]))
        self.is_in_order = order == sorted(order)
        inner, place = itemsize, len(order)
        while place and inner < BLOCK:
            place -= 1
            inner *= value.shape[order[place]]
        self.split = [axis for axis in order[:place] if value.shape[axis] > 1] + order[place : place + 1]
        size = value.shape[order[place]]
        self.step = _even_step(size, max(1, BLOCK // max(inner // max(size, 1), 1)))
        self.is_even = size % self.step == 0
        self.blocks = math.prod(value.shape[axis] for axis in self.split[:-1]) * -(-size // self.step)

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

    def block(self, value: Value) -> tuple[int, ...]:
        """The shape of a whole block of a value."""
        whole = self.whole_block
        return tuple([min(n, whole[axis]) for n, axis in zip(value.shape, self.axes(value))])

    @property
    def whole_block(self) -> tuple[int, ...]:
        """The shape of a block."""
        lengths = dict.fromkeys(self.split[:-1], 1) | {self.split[-1]: self.step}
        return tuple([min(n, lengths.get(axis, n)) for axis, n in enumerate(self.shape)])

    def is_row(self, value: Value) -> bool:
        """Whether the value is short and the same for all blocks, each of which has it many times."""
        size, last = math.prod(value.shape), len(self.shape) - 1
        spread = all(n == 1 for n, axis in zip(value.shape, self.axes(value)) if axis != last)
        return 1 < size <= ROW and spread and last not in self.split and self.is_in_order and self.blocks >= MANY


def _even_step(size: int, most: int) -> int:
    """At most so many, and if some number from half of it up divides the size, that."""
    for step in range(min(most, size), most // 2, -1):
        if size % step == 0:
            return step
    return min(most, size)
