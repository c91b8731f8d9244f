"""The windows of images as the columns of matrices, block by block: what a convolution multiplies with its weight.

A matrix has a row per channel and tap and a column per window. With a stride of 1 a tap sees an image from some element
on, row after row, so its row of the matrix is one run of memory, copied at once. For that, rows of a frame lie at a
pitch, and neighbours share the zeros of the padding between them:

    0 0 0 0              windows of 3 over rows of 3, padded by 1: at a pitch of 4
    0 a b c
    0 d e f              the run of the second tap of the second row: a b c 0 d e f 0 …
    0 0 0 0
    0                    zeros behind the end

Windows that reach over the end of a row are junk: their columns are dropped, or meet zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from .window import Windows

__all__: list[str] = []

_BLOCK = 1 << 21  # bytes of columns, which stay in the cache; half as many would double the calls of small layers
_LARGEST = 1 << 23  # bytes of columns of one sample, from which on it is cut into tiles
_FEW, _MANY = 64, 256  # windows per sample: with fewer samples share a matrix, with more they don't
_PRODUCTS = 10**6  # of numbers in a product of matrices, up to which BLAS takes both as they lie
_TURNED = 1 << 16  # elements of a weight's gradient, up to which it may come out transposed
_JUNK = 400  # what a row's junk may cost: as much as a run of its own


def _bytes(w: Windows, channels: int, kind: np.dtype[Any]) -> int:
    """What the columns of one sample take."""
    return channels * w.taps * math.prod(w.counts) * kind.itemsize


def samples_at_once(w: Windows, channels: int, kind: np.dtype[Any]) -> int:
    """How many samples make a block."""
    return max(_BLOCK // max(_bytes(w, channels, kind), 1), 1)


def in_one_piece(w: Windows, channels: int, kind: np.dtype[Any]) -> bool:
    """Whether a sample's columns are not cut into tiles."""
    return _bytes(w, channels, kind) <= _LARGEST


def _even(most: int, n: int) -> int:
    """A block of at most so many of n samples; if it can be, all blocks are of the same size."""
    if most >= n:
        return max(n, 1)
    return next((step for step in range(most, most // 2, -1) if n % step == 0), most)


def _samples_first(x: Any) -> Any:
    return x.transpose(-1, *range(x.ndim - 1))  # `moveaxis` takes ten times as long


def _samples_last(x: Any) -> Any:
    return x.transpose(*range(1, x.ndim), 0)


@dataclass(frozen=True)
class Columns:
    """The columns of x (n, C, *size), and what is multiplied with them, y (n, O, *counts).

    Large images have a matrix each (`apart`): (n, groups, C/groups · taps, windows). BLAS is quickest for these, as it
    takes small ones as they lie. Small images share one, (1, groups, C/groups · taps, windows · n): in its memory the
    samples are the last dimension, for a row of an image that is only 4 wide would make for short runs.
    """

    w: Windows
    groups: int
    inputs: int
    outputs: int

    @cached_property
    def lines(self) -> int:
        """Rows of a matrix of columns."""
        return self.inputs // self.groups * self.w.taps

    @cached_property
    def per_group(self) -> int:
        return self.outputs // self.groups

    @cached_property
    def apart(self) -> bool:
        """Whether each sample has a matrix of its own."""
        windows = math.prod(self.w.counts)
        return windows >= _MANY or (windows >= _FEW and self.lines * self.per_group * windows <= _PRODUCTS)

    @cached_property
    def pitch(self) -> int:
        """Elements from row to row of a frame."""
        inside, span = self.w.overlap[1][-1], self.w.span[-1]
        return max(span - min(inside.start, span - inside.stop), self.w.counts[-1])

    @cached_property
    def width(self) -> int:
        """Windows along the last dimension, with junk if this makes a run of a whole image and pays: a run of its own
        per row takes as long as some junk, which is copied, and multiplied for each output."""
        one_run = self.apart and len(self.w.size) > 1 and max(self.w.stride[-2:]) == 1
        cost = (self.pitch - self.w.counts[-1]) * (10 + self.per_group)
        return self.pitch if one_run and cost <= _JUNK else self.w.counts[-1]

    @cached_property
    def long(self) -> int:
        """Windows of a sample, junk included."""
        return math.prod(self.w.counts[:-1]) * self.width

    @cached_property
    def strips(self) -> int:
        """In how many parts the windows of an image are multiplied, so that each product is one that BLAS takes as it
        lies; 1 where these were too short."""
        most = _PRODUCTS // max(self.lines * self.per_group, 1) if self.apart else 0
        return next((t for t in range(1, self.long // _FEW) if self.long % t == 0 and self.long // t <= most), 1)

    # ---- x ----------------------------------------------------------------------------------------------------------
    def blocks(self, x: Any) -> Iterator[tuple[slice, slice, Columns, Any]]:
        """Samples, rows of windows, what these are, and their columns.

        The columns are good until the next ones: all take turns in the same memory, which so stays in the cache.
        """
        step = _even(samples_at_once(self.w, self.inputs, x.dtype), len(x))
        memory, frame = self._blank_frame(step, x.dtype)
        array, inside = self.w.overlap
        tiles: list[tuple[slice, Columns, Any, Any, Any]] = []
        for start in range(0, len(x), step):
            block = x[start : start + step]
            if not tiles or len(block) < step:
                within, tiles = frame[: len(block)][inside], self._tiles(memory, frame[: len(block)])
            within[...] = block[array]
            for rows, part, seen, target, columns in tiles:
                np.copyto(target, seen)
                yield slice(start, start + step), rows, part, columns

    def _blank_frame(self, n: int, kind: np.dtype[Any]) -> tuple[Any, Any]:
        """Memory, and in it zeros for what the windows see of n samples: (n, C, *span), but the last dimension as long
        as the pitch."""
        shape = self.inputs, *self.w.span[:-1], self.pitch
        size = n * math.prod(shape)
        memory = np.zeros(size + n * self.w.dilation[-1] * (self.w.kernel[-1] - 1), kind)
        inner = memory[:size]
        return memory, inner.reshape(n, *shape) if self.apart else _samples_first(inner.reshape(*shape, n))

    def _tiles(self, memory: Any, frame: Any) -> list[tuple[slice, Columns, Any, Any, Any]]:
        """Of each tile: its rows of windows, what they are, the windows of the frame there as a view, and memory for
        its columns, in the view's shape and as matrices. All tiles' columns share that, so it is for one at a time."""
        found = []
        room = None
        for rows, top, part in self._parts(memory.dtype):
            shape, strides = part._view(frame)
            room = np.empty(math.prod(shape), memory.dtype) if room is None else room  # the first is the largest
            seen = np.ndarray(shape, memory.dtype, memory, top * frame.strides[2], strides)
            seen = seen if self.apart else _samples_last(seen)
            own = room[: seen.size]
            found.append((rows, part, seen, own.reshape(seen.shape), part._matrices(own, len(frame), self.lines)))
        return found

    def _parts(self, kind: np.dtype[Any]) -> Iterator[tuple[slice, int, Columns]]:
        """Rows of windows, the first row of the frame that they see, and the windows there."""
        w = self.w
        rows = max(w.counts[0] * _LARGEST // max(_bytes(w, self.inputs, kind), _LARGEST), 1)
        if rows >= w.counts[0]:
            yield slice(None), 0, self
            return
        for start in range(0, w.counts[0], rows):
            part = replace(w, counts=(min(rows, w.counts[0] - start), *w.counts[1:]))
            yield slice(start, start + rows), start * w.stride[0], replace(self, w=part)

    def _view(self, frame: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shape and strides of the windows of a frame, (n, C, *kernel, *counts), with the width for the last count."""
        w, (sample, channel, *steps) = self.w, frame.strides
        of_taps, of_windows = [s * d for s, d in zip(steps, w.dilation)], [s * t for s, t in zip(steps, w.stride)]
        shape = (*frame.shape[:2], *w.kernel, *w.counts[:-1], self.width)
        return shape, (sample, channel, *of_taps, *of_windows)

    def _matrices(self, memory: Any, n: int, lines: int) -> Any:
        lead, windows = (n, self.long) if self.apart else (1, self.long * n)
        return memory.reshape(lead, self.groups, lines, windows)

    def times(self, matrix: Any, columns: Any) -> Any:
        """matrix (groups, O/groups, C/groups · taps) · columns: (n or 1, groups, O/groups, windows)."""
        if self.strips == 1:
            return np.matmul(matrix, columns)
        out = np.empty((len(columns), self.groups, self.per_group, self.long), columns.dtype)
        np.matmul(matrix[:, None], self._stripped(columns), out=self._stripped(out))
        return out

    def _stripped(self, matrices: Any) -> Any:
        """Matrices (…, windows) as a view of strips (n, groups, strips, …, windows / strips)."""
        return matrices.reshape(*matrices.shape[:3], self.strips, self.long // self.strips).swapaxes(2, 3)

    # ---- y ----------------------------------------------------------------------------------------------------------
    def images(self, y: Any) -> Any:
        """Matrices (n or 1, groups, O/groups, windows) as a view (n, O, *counts): the junk is dropped."""
        n, counts = y.shape[0] * y.shape[3] // self.long, (*self.w.counts[:-1], self.width)
        if self.apart:
            return y.reshape(n, self.outputs, *counts)[..., : self.w.counts[-1]]
        return _samples_first(y.reshape(self.outputs, *counts, n))

    def weighed(self, columns: Any, y: Any) -> Any:
        """Σ y · columnsᵀ of y (n, O, *counts): (groups, O/groups, C/groups · taps)."""
        if self.apart and self.per_group >= 8 and self.lines * self.per_group <= _TURNED:
            # BLAS is twice as fast for small matrices if the second one is upright.
            return np.add.reduce(np.matmul(self._stripped(columns), self._upright(y)), axis=(0, 2)).swapaxes(1, 2)
        return np.add.reduce(np.matmul(self._lying(y), columns.swapaxes(2, 3)), axis=0)

    def _lying(self, y: Any) -> Any:
        """y as matrices (n or 1, groups, O/groups, windows), zeros for junk."""
        n, count = len(y), self.w.counts[-1]
        shape = y.shape if self.apart else (*y.shape[1:], n)
        if self.width == count:
            memory = np.empty(shape, y.dtype)
            np.copyto(memory, y if self.apart else _samples_last(y))
        else:
            memory = np.zeros((*shape[:-1], self.width), y.dtype)
            memory[..., :count] = y
        return self._matrices(memory, n, self.per_group)

    def _upright(self, y: Any) -> Any:
        """y as strips of matrices (n, groups, strips, windows / strips, O/groups), zeros for junk; where images are
        apart."""
        n, count = len(y), self.w.counts[-1]
        make = np.empty if self.width == count else np.zeros
        memory = make((n, self.groups, *self.w.counts[:-1], self.width, self.per_group), y.dtype)
        y = y.reshape(n, self.groups, self.per_group, *self.w.counts)
        memory[..., :count, :] = y.transpose(0, 1, *range(3, y.ndim), 2)
        return memory.reshape(n, self.groups, self.strips, self.long // self.strips, self.per_group)


columns_of = lru_cache(512)(Columns)
