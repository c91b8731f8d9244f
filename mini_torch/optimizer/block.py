"""`Block`: as much of the parameters and their state as the processor's cache holds, and one step of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor

__all__ = ["Block", "Piece", "cut", "pack"]

Array = np.ndarray[Any, Any]

SIZE = 1 << 19  # bytes of each buffer: fewer calls weigh more than a nearer cache, up to here


class Piece(NamedTuple):
    """What a block covers of one parameter: all of it, or a part of its numbers in their order."""

    param: Tensor
    array: Array
    part: slice | None


def cut(p: Tensor) -> Iterator[Piece]:
    """The parameter in pieces that fit into a block, where its memory allows it."""
    array = p._array
    most = SIZE // array.itemsize
    if array.size <= most or not array.flags.c_contiguous:
        yield Piece(p, array, None)
        return
    flat = array.reshape(-1)
    for lo in range(0, array.size, most):
        part = slice(lo, min(lo + most, array.size))
        yield Piece(p, flat[part], part)


def pack(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The pieces, in order, together as far as they fit into a block."""
    packs: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        if not packs or piece.array.nbytes > room:
            packs.append([])
            room = SIZE
        packs[-1].append(piece)
        room -= piece.array.nbytes
    return packs


class Block:
    """One step of some pieces.

    `gradient` is the buffer that their gradients are gathered in, `free` another one, `step` the one in which the
    `calls` leave what is to be subtracted from the parameters. They find a copy of these in `copy`, if they read it.
    """

    def __init__(
        self, pieces: list[Piece], calls: list[Callable[[], Any]], gradient: Array, free: Array, step: Array,
        copy: Array | None,
    ) -> None:  # fmt: skip
        self.calls, self.gradient, self.free = calls, gradient, free
        place = _parts if calls else _place_alone
        self.parts = [*zip(pieces, *(place(buffer, pieces) for buffer in (gradient, free, step)))]
        self.copies = [] if copy is None else [*zip(_parts(copy, pieces), (piece.array for piece in pieces))]

    def do(self, scale: Any, decay: Any, shrink: Any) -> None:
        """g = scale · gradient + decay · p; p = shrink · p; what the formula calls; p = p - step."""
        if not self.calls:
            self._descend(scale, decay)
            return
        self._gather(scale, decay)
        if shrink is not None:
            for (_, array, _), *_ in self.parts:
                np.multiply(array, shrink, array)
        for copy, array in self.copies:
            np.copyto(copy, array)
        for call in self.calls:
            call()
        subtract = np.subtract
        for (param, array, _), _, _, step in self.parts:
            subtract(array, step, array)
            param._cell[0] += 1

    def _gather(self, scale: Any, decay: Any) -> None:
        multiply = np.multiply
        for (param, _, part), g, _, _ in self.parts:
            grad = param._grad._array
            multiply(grad if part is None else grad.reshape(-1)[part], scale, g)
        if decay is not None:
            for (_, array, _), _, free, _ in self.parts:
                multiply(array, decay, free)
            np.add(self.gradient, self.free, self.gradient)

    def _descend(self, scale: Any, decay: Any) -> None:
        """p = p - g, one piece after the other: so one small buffer is always near."""
        multiply, subtract = np.multiply, np.subtract
        for (param, array, part), g, free, _ in self.parts:
            grad = param._grad._array
            multiply(grad if part is None else grad.reshape(-1)[part], scale, g)
            if decay is not None:
                np.add(g, multiply(array, decay, free), g)
            subtract(array, g, array)
            param._cell[0] += 1


def _parts(buffer: Array, pieces: list[Piece]) -> list[Array]:
    """The parts of a block's buffer that belong to its pieces, in their types and shapes."""
    buffer = buffer.view(pieces[0].array.dtype)
    bounds = pairwise(accumulate((piece.array.size for piece in pieces), initial=0))
    return [buffer[lo:hi].reshape(piece.array.shape) for (lo, hi), piece in zip(bounds, pieces)]


def _place_alone(buffer: Array, pieces: list[Piece]) -> list[Array]:
    """For each piece the same part of a buffer."""
    return [_parts(buffer, [piece])[0] for piece in pieces]
