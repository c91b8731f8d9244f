"""Convolution of images where each channel has a kernel of its own, as products with banded matrices.

Along a row, a correlation with the taps a, b, c is a product with a matrix that has them on its diagonals:

    [x₀ x₁ x₂ x₃] · [a 0]
                    [b a]
                    [c b]
                    [0 c]

The rows of all samples times such a band, one for each row of the kernel and shifted by as many rows: kH products of
matrices per channel, which need no copies of the windows. Padding and stride along the row are in the band. BLAS
multiplies many zeros, yet wins: 3×3 kernels take 0.6 of the time of windows as columns, and less than half of that of
one multiplication and one addition of images per tap.

The three functions are `convolution`'s rows for this case. The zeros of a band turn an infinity into NaN all over its
row, where no window sees it; so a result is right where it is finite, and otherwise has to be had in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from .window import Windows

__all__: list[str] = []

_BLOCK = 1 << 20  # bytes of rows taken together, which stay in the cache; with less, the calls themselves count


@dataclass(frozen=True)
class Layout:
    """How the rows of images lie below each other for the products, and the taps of a row in a band."""

    w: Windows

    @cached_property
    def reach(self) -> int:
        """Elements that the windows of a row reach over, padding included: the height of a band."""
        return self.w.span[1]

    @cached_property
    def inside(self) -> slice:
        """Which of these are inside of the image: rows are laid out without padding, bands lose what would meet it."""
        return self.w.overlap[1][2]

    @cached_property
    def width(self) -> int:
        return self.inside.stop - self.inside.start

    @cached_property
    def height(self) -> int:
        """Rows that the windows of an image reach over, in units of the stride."""
        return self.w.counts[0] + self.w.dilation[0] * (self.w.kernel[0] - 1) // self.w.stride[0]

    def rows(self, x: Any) -> Any:
        """What windows see of x (n, C, H, W): (C, n · height · stride + spare, width), zeros around each image."""
        n, channels = x.shape[:2]
        high = self.height * self.w.stride[0]
        rows = np.zeros((channels, n * high + self.w.dilation[0] * (self.w.kernel[0] - 1), self.width), x.dtype)
        array, (_, inside, _) = self.w.overlap
        rows[:, : n * high].reshape(channels, n, high, self.width)[:, :, inside] = x[array].swapaxes(0, 1)
        return rows

    def result_rows(self, y: Any) -> Any:
        """y (n, C, *counts) likewise: (C, n · height, counts[1]), zeros where there is no window."""
        n, channels = y.shape[:2]
        rows = np.zeros((channels, n, self.height, self.w.counts[1]), y.dtype)
        rows[:, :, : self.w.counts[0]] = y.swapaxes(0, 1)
        return rows.reshape(channels, n * self.height, self.w.counts[1])

    def seen(self, rows: Any, a: int) -> Any:
        """What the a-th row of the kernel sees of `rows`: (C, n · height, width), a view."""
        count = rows.shape[1] // (self.height * self.w.stride[0]) * self.height
        return rows[:, a * self.w.dilation[0] :: self.w.stride[0]][:, :count]

    def diagonals(self, down: int, right: int) -> list[slice]:
        """Where each tap of a row lies in the memory of a matrix with these steps from row to row, and on in a row."""
        step = self.w.stride[1] * down + right
        starts = [b * self.w.dilation[1] * down for b in range(self.w.kernel[1])]
        return [slice(start, start + (self.w.counts[1] - 1) * step + 1, step) for start in starts]

    @cached_property
    def upright(self) -> list[slice]:
        """The diagonals of a band (reach, counts[1])."""
        return self.diagonals(self.w.counts[1], 1)

    @cached_property
    def lying(self) -> list[slice]:
        """The diagonals of its transpose."""
        return self.diagonals(1, self.reach)

    def bands(self, weight: Any) -> Any:
        """The matrix of each row of each kernel (C, 1, kH, kW): (kH, C, width, counts[1])."""
        flat = self._drawn(weight, self.upright)
        return flat.reshape(*flat.shape[:2], self.reach, self.w.counts[1])[:, :, self.inside]

    def bands_back(self, weight: Any) -> Any:
        """Their transposes, anew: BLAS takes twice as long for small ones that are views."""
        flat = self._drawn(weight, self.lying)
        return flat.reshape(*flat.shape[:2], self.w.counts[1], self.reach)[..., self.inside]

    def _drawn(self, weight: Any, diagonals: list[slice]) -> Any:
        flat = np.zeros((self.w.kernel[0], len(weight), self.reach * self.w.counts[1]), weight.dtype)
        for b, diagonal in enumerate(diagonals):
            flat[:, :, diagonal] = weight[:, 0, :, b].T[..., None]
        return flat

    def blocks(self, x: Any) -> Iterator[slice]:
        """Channels to take at once, about as many each time."""
        channels = x.shape[1]
        total = len(x) * channels * self.height * self.w.stride[0] * self.width * x.itemsize
        step = max(-(-channels // (total // _BLOCK + 1)), 1)
        return (slice(start, start + step) for start in range(0, channels, step))


layout_of = lru_cache(64)(Layout)


def correlate_each(x: Any, weight: Any, w: Windows, bias: Any = None) -> Any:
    """x (n, C, H, W), weight (C, 1, kH, kW), bias (C,) → (n, C, *counts)."""
    s, n = layout_of(w), len(x)
    out = np.empty((n, len(weight), *w.counts), x.dtype)
    for block in s.blocks(x):
        rows, bands = s.rows(x[:, block]), s.bands(weight[block])
        y, more = np.matmul(s.seen(rows, 0), bands[0]), None
        for a in range(1, len(bands)):
            more = np.matmul(s.seen(rows, a), bands[a], out=more)
            y += more
        if bias is not None:
            y += bias[block, None, None]
        out[:, block] = y.reshape(len(y), n, s.height, w.counts[1])[:, :, : w.counts[0]].swapaxes(0, 1)
    return out


def spread_each(y: Any, weight: Any, w: Windows) -> Any:
    """The adjoint of `correlate_each` in x: y (n, C, *counts), weight (C, 1, kH, kW) → (n, C, H, W)."""
    if max(w.stride) == 1:
        return correlate_each(y, weight[..., ::-1, ::-1], w.turned)
    s = layout_of(w)
    out = np.zeros((len(y), len(weight), *w.size), y.dtype)
    for block in s.blocks(out):
        rows, bands = s.result_rows(y[:, block]), s.bands_back(weight[block])
        part = out[:, block, :, w.overlap[0][2]]
        for phase in range(w.stride[0]):  # rows of x that lie a stride apart see the same rows of the kernel
            steps = [divmod(a * w.dilation[0], w.stride[0]) for a in range(w.kernel[0])]
            seen = [(down, band) for (down, where), band in zip(steps, bands) if where == phase]
            if seen:
                _place(part, _shifted_sum(rows, seen), phase, seen[0][0], s)
    return out


def _shifted_sum(rows: Any, seen: list[tuple[int, Any]]) -> Any:
    """The sum of the products with each band, each as many rows further down than the first as is said beside it."""
    first, total = seen[0][0], np.matmul(rows, seen[0][1])
    for down, band in seen[1:]:
        total[:, down - first :] += np.matmul(rows, band)[:, : first - down]
    return total


def _place(part: Any, total: Any, phase: int, first: int, s: Layout) -> None:
    """Puts rows of sums, the first of them `first` strides and `phase` rows from the padding's start, into images."""
    before, stride = s.w.before[0], s.w.stride[0]
    start = max(first, -((phase - before) // stride))
    place = part[:, :, start * stride + phase - before :: stride][:, :, : s.height - start]
    images = total.reshape(len(total), len(part), s.height, s.width)
    place[...] = images[:, :, start - first :][:, :, : place.shape[2]].swapaxes(0, 1)


def weigh_each(x: Any, y: Any, w: Windows) -> Any:
    """The adjoint of `correlate_each` in the weight: x (n, C, H, W), y (n, C, *counts) → (C, 1, kH, kW)."""
    s, ones = layout_of(w), np.ones(w.counts[1], x.dtype)
    out = np.empty((x.shape[1], 1, *w.kernel), x.dtype)
    for block in s.blocks(x):
        rows, results = s.rows(x[:, block]), s.result_rows(y[:, block])
        bands = np.zeros((w.kernel[0], len(rows), s.reach, w.counts[1]), x.dtype)
        for a, band in enumerate(bands):
            np.matmul(s.seen(rows, a).swapaxes(1, 2), results, out=band[:, s.inside])
        for b, diagonal in enumerate(s.upright):
            out[block, 0, :, b] = (bands.reshape(*bands.shape[:2], s.reach * w.counts[1])[..., diagonal] @ ones).T
    return out
