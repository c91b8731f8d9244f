"""Convolution of images where each channel has a kernel of its own, as products with banded matrices.

Along a row, a correlation with the taps a, b, c is a product with a matrix that has them on its diagonals:

    [x₀ x₁ x₂ x₃] · [a 0]
                    [b a]
                    [c b]
                    [0 c]

The rows of all samples times such a band, one for each row of the kernel and shifted by as many rows: kH products of
matrices per channel, which need no copies of the windows. Padding and stride along the row are in the band. BLAS
multiplies many zeros, yet wins: 3×3 kernels take 0.6 of the time of windows as columns, and less than half of that of
one multiplication and one addition of images per tap. Long rows are cut into strips, lest zeros become the work.

The three functions are `convolution`'s rows for this case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .window import Windows

__all__: list[str] = []

_STRIP = 32  # outputs of a row in one product, at most
_BLOCK = 1 << 20  # bytes of rows taken together, which stay in the cache; with less, the calls themselves count


@dataclass(frozen=True)
class Strips:
    """How rows of images are laid out for the products: each row cut into `count` strips of `length` outputs."""

    w: Windows

    @cached_property
    def count(self) -> int:
        return -(-self.w.counts[1] // _STRIP)

    @cached_property
    def length(self) -> int:
        return -(-self.w.counts[1] // self.count)

    @cached_property
    def reach(self) -> int:
        """Elements that a strip's windows reach over."""
        return (self.length - 1) * self.w.stride[1] + self.w.dilation[1] * (self.w.kernel[1] - 1) + 1

    @cached_property
    def all(self) -> Windows:
        """The windows, with those by which the last strip is longer."""
        return replace(self.w, counts=(self.w.counts[0], self.count * self.length))

    @cached_property
    def seen(self) -> slice:
        """Which elements a strip sees: if there is only one, those inside of the image: its rows need no padding."""
        return slice(0, self.reach) if self.count > 1 else self.all.overlap[1][2]

    @cached_property
    def places(self) -> tuple[Any, Any]:
        """What windows see of an image, as an index into it, and where that lies among the rows."""
        array, (_, rows, columns) = self.all.overlap
        return array, (..., rows, columns if self.count > 1 else slice(None))

    @cached_property
    def width(self) -> int:
        return self.all.span[1] if self.count > 1 else self.seen.stop - self.seen.start

    @cached_property
    def height(self) -> int:
        """Rows that the windows of an image reach over, in units of the stride."""
        return self.w.counts[0] + self.w.dilation[0] * (self.w.kernel[0] - 1) // self.w.stride[0]

    @cached_property
    def diagonals(self) -> list[slice]:
        """Where each tap of a row lies in the memory of a band (reach, length)."""
        starts = [b * self.w.dilation[1] * self.length for b in range(self.w.kernel[1])]
        step = self.w.stride[1] * self.length + 1
        return [slice(start, start + (self.length - 1) * step + 1, step) for start in starts]


strips_of = lru_cache(64)(Strips)


def _blocks(n: int, channels: int, s: Strips, itemsize: int) -> Iterator[slice]:
    each = n * s.height * s.w.stride[0] * s.width * itemsize
    step = max(_BLOCK // max(each, 1), 1)
    return (slice(start, start + step) for start in range(0, channels, step))


def _empty_rows(n: int, channels: int, s: Strips, kind: Any) -> tuple[Any, Any]:
    """Zeros for the rows of n images, channels first: as rows (C, all, width), and as images (n, C, height, width)."""
    images = n * s.height * s.w.stride[0]
    spare = s.w.dilation[0] * (s.w.kernel[0] - 1)
    rows = np.zeros((channels, images + spare, s.width), kind)
    return rows, rows[:, :images].reshape(channels, n, s.height * s.w.stride[0], s.width).swapaxes(0, 1)


def _strips(rows: Any, s: Strips, a: int, count: int) -> Any:
    """What the a-th row of the kernel sees: (strips, C, count, seen), a view."""
    seen = rows[:, a * s.w.dilation[0] :: s.w.stride[0]][:, :count]
    if s.count == 1:
        return seen[None]
    *steps, element = seen.strides
    return as_strided(seen, (s.count, *seen.shape[:2], s.reach), (element * s.length * s.w.stride[1], *steps, element))


def _bands(weight: Any, s: Strips) -> Any:
    """The matrix of each row of each kernel (C, 1, kH, kW): (kH, C, seen, length)."""
    band = np.zeros((s.w.kernel[0], len(weight), s.reach * s.length), weight.dtype)
    for b, diagonal in enumerate(s.diagonals):
        band[:, :, diagonal] = weight[:, 0, :, b].T[..., None]
    return band.reshape(*band.shape[:2], s.reach, s.length)[:, :, s.seen]


def _gradient_rows(y: Any, s: Strips) -> Any:
    """y (n, C, H, W) as strips (strips, C, all rows, length), zeros where there is no window."""
    n, channels, height, width = y.shape
    rows = np.zeros((channels, n, s.height, s.count * s.length), y.dtype)
    rows[:, :, :height, :width] = y.swapaxes(0, 1)
    return _cut(rows.reshape(channels, n * s.height, s.count * s.length), s)


def _cut(rows: Any, s: Strips) -> Any:
    return rows.reshape(*rows.shape[:2], s.count, s.length).transpose(2, 0, 1, 3)


def correlate_each(x: Any, weight: Any, w: Windows, bias: Any = None) -> Any:
    """x (n, C, H, W), weight (C, 1, kH, kW), bias (C,) → (n, C, *counts)."""
    s, n = strips_of(w), len(x)
    out = np.empty((n, len(weight), *w.counts), x.dtype)
    array, inside = s.places
    for block in _blocks(n, len(weight), s, x.itemsize):
        bands = _bands(weight[block], s)
        rows, images = _empty_rows(n, bands.shape[1], s, x.dtype)
        images[inside] = x[:, block][array]
        y = np.empty((len(rows), n * s.height, s.count * s.length), x.dtype)
        product, more = _cut(y, s), None
        for a, band in enumerate(bands):
            seen = _strips(rows, s, a, n * s.height)
            if a == 0:
                np.matmul(seen, band, out=product)
            else:
                more = np.matmul(seen, band, out=more)
                product += more
        y = y.reshape(len(rows), n, s.height, s.count * s.length)[:, :, : w.counts[0], : w.counts[1]].swapaxes(0, 1)
        if bias is None:
            out[:, block] = y
        else:
            np.add(y, bias[block, None, None], out=out[:, block])
    return out


def spread_each(y: Any, weight: Any, w: Windows) -> Any:
    """The adjoint of `correlate_each` in x: y (n, C, *counts), weight (C, 1, kH, kW) → (n, C, H, W)."""
    if max(w.stride) == 1:
        return correlate_each(y, weight[..., ::-1, ::-1], w.turned)
    s, n = strips_of(w), len(y)
    out = np.zeros((n, len(weight), *w.size), y.dtype)
    array, inside = s.places
    for block in _blocks(n, len(weight), s, y.itemsize):
        bands = _bands(weight[block], s)
        rows, images = _empty_rows(n, bands.shape[1], s, y.dtype)
        strips = _gradient_rows(y[:, block], s)
        for a, band in enumerate(bands):
            back = np.ascontiguousarray(band.swapaxes(1, 2))  # BLAS takes twice as long for small ones as they are
            seen = _strips(rows, s, a, n * s.height)
            if s.count == 1 and a * w.dilation[0] < w.stride[0]:  # the first to reach these rows: nothing to add to
                np.matmul(strips, back, out=seen)
                continue
            for strip, product in zip(seen, np.matmul(strips, back)):  # one by one, for strips overlap
                strip += product
        out[:, block][array] = images[inside]
    return out


def weigh_each(x: Any, y: Any, w: Windows) -> Any:
    """The adjoint of `correlate_each` in the weight: x (n, C, H, W), y (n, C, *counts) → (C, 1, kH, kW)."""
    s, n, channels = strips_of(w), len(x), x.shape[1]
    out = np.empty((channels, 1, *w.kernel), x.dtype)
    array, inside = s.places
    for block in _blocks(n, channels, s, x.itemsize):
        rows, images = _empty_rows(n, len(out[block]), s, x.dtype)
        images[inside] = x[:, block][array]
        strips = _gradient_rows(y[:, block], s)
        bands = np.zeros((len(rows), s.reach, s.length), x.dtype)
        for a in range(w.kernel[0]):
            seen = _strips(rows, s, a, n * s.height)
            bands[:, s.seen] = np.add.reduce(np.matmul(seen.swapaxes(2, 3), strips), axis=0)
            for b, diagonal in enumerate(s.diagonals):
                np.add.reduce(bands.reshape(len(rows), -1)[:, diagonal], axis=1, out=out[block, 0, a, b])
    return out
