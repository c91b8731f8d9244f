"""Convolution's kernels, on arrays: the trilinear form of `convolution` with one of its three left open.

Each is a product of matrices, with the windows as columns (Chellapilla, Puri, Simard 2006, "High performance
convolutional neural networks for document processing"), in blocks that stay in the cache: see `columns`. Small images
whose channels have a kernel each go to `depthwise`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import unit
from .columns import columns_of, in_one_piece, samples_at_once
from .depthwise import correlate_each, spread_each, weigh_each
from .reduction.sums import sums_of_rows
from .standardize import wide
from .window import Windows, cuts, unframed, windows_of

__all__: list[str] = []

_SHORT = 7  # windows per tap of a row: with more, the zeros of a banded matrix take longer than columns
_FAR_MORE = 12  # times as many columns, from which on adding them up is cheaper
_BOTH = 1 << 16  # elements of a weight: turning around a larger one takes as long as columns of one's own


def _halves_as_floats(forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward`, for float16 in float32: sums of halves would lose what they add."""

    @functools.wraps(forward)
    def careful(x: Any, y: Any, *options: Any) -> Any:
        if x.dtype != np.float16:
            return forward(x, y, *options)
        return forward(x.astype(np.float32), y.astype(np.float32), *options).astype(np.float16)

    return careful


def _pointwise(w: Windows) -> bool:
    """Whether it is a product of matrices per sample as it stands: one tap, no stride, large images."""
    if w.taps != 1 or w.size != w.counts or any(w.before):
        return False
    return max(w.stride) == 1 and math.prod(w.counts) >= 64


def _depthwise(inputs: int, outputs: int, w: Windows, groups: int) -> bool:
    """Whether each channel of an image has one kernel of its own, and rows are short enough for `depthwise` to pay."""
    return len(w.size) == 2 and groups == inputs == outputs > 1 and w.taps > 1 and w.counts[1] <= _SHORT * w.kernel[1]


def _finite(x: Any) -> bool:
    """Whether x is free of NaN and infinity. One quick pass: if only the sum of squares overflows, the answer is no."""
    flat = x.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(flat, flat)))


def _if_finite(function: Callable[..., Any], *args: Any) -> Any:
    """What a function of `depthwise` gives, or None where infinity or NaN may have spread over whole rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        out = function(*args)
    return out if _finite(out) else None


# ---- the three kernels -----------------------------------------------------------------------------------------------
@unit
@_halves_as_floats
def correlate(x: Any, weight: Any, w: Windows, groups: int, bias: Any = None) -> Any:
    """x (n, C, *size), weight (O, C/groups, *kernel), bias (O) or None → (n, O, *counts)."""
    n, channels, outputs = len(x), x.shape[1], len(weight)
    each = _depthwise(channels, outputs, w, groups)
    if each and (out := _if_finite(correlate_each, x, weight, w, bias)) is not None:
        return out
    matrix = weight.reshape(groups, outputs // groups, channels // groups * w.taps)
    shift = None if bias is None else bias.reshape(groups, -1, 1)
    if _pointwise(w):
        y = np.matmul(matrix, x.reshape(n, groups, channels // groups, -1))
        return shifted(y, shift).reshape(n, outputs, *w.counts)
    out = np.empty((n, outputs, *w.counts), x.dtype)
    for samples, rows, part, columns in columns_of(w, groups, channels, outputs).blocks(x):
        out[samples, :, rows] = part.images(shifted(part.times(matrix, columns), shift))
    return out


def shifted(y: Any, shift: Any) -> Any:
    """y plus the bias, in y's memory, while it is in the cache."""
    if shift is not None:
        y += shift
    return y


@unit
@_halves_as_floats
def weigh(x: Any, y: Any, w: Windows, groups: int) -> Any:
    """The adjoint of `correlate` in the weight: x (n, C, *size), y (n, O, *counts) → (O, C/groups, *kernel)."""
    n, channels, outputs = len(x), x.shape[1], y.shape[1]
    each = _depthwise(channels, outputs, w, groups) and _finite(y)  # infinity times padding would not be seen
    if each and (out := _if_finite(weigh_each, x, y, w)) is not None:
        return out
    if _pointwise(w):
        columns = x.reshape(n, groups, channels // groups, -1)
        products = np.matmul(y.reshape(n, groups, outputs // groups, -1), columns.swapaxes(2, 3))
        return np.add.reduce(products, axis=0).reshape(outputs, channels // groups, *w.kernel)
    out = np.zeros((groups, outputs // groups, channels // groups * w.taps), x.dtype)
    for samples, rows, part, columns in columns_of(w, groups, channels, outputs).blocks(x):
        out += part.weighed(columns, y[samples, :, rows])
    return out.reshape(outputs, channels // groups, *w.kernel)


@unit
@_halves_as_floats
def spread(y: Any, weight: Any, w: Windows, groups: int) -> Any:
    """The adjoint of `correlate` in x: y (n, O, *counts), weight (O, C/groups, *kernel) → (n, C, *size)."""
    n, outputs, per_group = len(y), len(weight), weight.shape[1]
    each = _depthwise(groups * per_group, outputs, w, groups)
    if each and (out := _if_finite(spread_each, y, weight, w)) is not None:
        return out
    # A correlation with the taps in reverse has nothing to add up; it pays unless its columns are far more than ours.
    if max(w.stride) == 1 and outputs // groups * math.prod(w.size) < _FAR_MORE * per_group * math.prod(w.counts):
        if _rows_pay(y, per_group, w, groups):
            return _spread_by_rows(y, weight, w, groups)
        return correlate(y, _flipped(weight, groups), w.turned, groups)
    if max(w.stride) > 1 and max(w.dilation) == 1:
        return _spread_by_phases(y, weight, w, groups)
    # The adjoint as it stands: what each tap gives, as columns, is added up where these were cut out.
    matrix = weight.reshape(groups, outputs // groups, per_group * w.taps).swapaxes(1, 2)
    out = np.empty((n, groups * per_group, *w.size), y.dtype)
    step = samples_at_once(w, groups * per_group, y.dtype)
    for block in (slice(start, start + step) for start in range(0, n, step)):
        part = y[block].reshape(-1, groups, outputs // groups, math.prod(w.counts))
        columns = np.matmul(matrix, part).reshape(-1, groups * per_group, *w.kernel, *w.counts)
        frame = np.zeros((len(part), groups * per_group, *w.span), y.dtype)
        for tap, cut in cuts(w):
            frame[(slice(None), slice(None), *cut)] += columns[(slice(None), slice(None), *tap)]
        out[block] = unframed(frame, w)
    return out


@functools.lru_cache(512)
def _by_rows(w: Windows) -> tuple[Windows, Windows]:
    """The windows of the way back along the last dimension alone, and those along the others, from there to x."""
    ones = (1,) * (len(w.size) - 1)
    size, before = (*w.counts[:-1], w.size[-1]), (*[0] * len(ones), w.before[-1])
    along = replace(w, kernel=(*ones, w.kernel[-1]), before=before, size=size).turned
    return along, replace(w, kernel=(*w.kernel[:-1], 1), before=(*w.before[:-1], 0), counts=along.counts)


def _rows_pay(y: Any, per_group: int, w: Windows, groups: int) -> bool:
    """Whether the columns of rows, and what is to be added up of them (which takes thrice as long), are by far fewer
    than all columns; and do not need tiles."""
    outputs, (*up, width) = y.shape[1] // groups, w.kernel
    rows = (outputs * width + 3 * per_group * math.prod(up)) * math.prod(w.counts[:-1]) * w.size[-1]
    return outputs * w.taps * math.prod(w.size) > 2.2 * rows and in_one_piece(_by_rows(w)[0], y.shape[1], y.dtype)


def _spread_by_rows(y: Any, weight: Any, w: Windows, groups: int) -> Any:
    """The way back with stride 1 as a correlation, with the taps in reverse, along the last dimension alone: one
    product for all rows of the kernel, whose results are added up where each belongs."""
    n, outputs, per_group = len(y), len(weight), weight.shape[1]
    along, across = _by_rows(w)
    lines = weight[..., ::-1].reshape(groups, outputs // groups, per_group, -1, w.kernel[-1]).transpose(0, 3, 2, 1, 4)
    matrix = lines.reshape(groups, -1, outputs // groups * w.kernel[-1])
    out = np.empty((n, groups * per_group, *w.size), y.dtype)
    for samples, _, part, columns in columns_of(along, groups, outputs, matrix.shape[1] * groups).blocks(y):
        images = part.images(part.times(matrix, columns))
        images = images.reshape(len(images), groups, *w.kernel[:-1], per_group, *images.shape[2:])
        frame = np.zeros((len(images), groups, per_group, *across.span), y.dtype)
        for tap, cut in cuts(across):
            place: Any = (..., *cut)
            frame[place] += images[(slice(None), slice(None), *tap[:-1])]
        out[samples] = unframed(frame.reshape(len(images), groups * per_group, *across.span), across)
    return out


def _spread_by_phases(y: Any, weight: Any, w: Windows, groups: int) -> Any:
    """Elements of x that are a stride apart see the same taps, each `stride`-th: a problem of stride 1 of their own."""
    out = np.zeros((len(y), groups * weight.shape[1], *w.size), y.dtype)
    for phase in itertools.product(*map(range, w.stride)):
        every: Any = (..., *[slice(r, None, s) for r, s in zip(phase, w.stride)])
        taps = weight[every]
        before = tuple([-((r - b) // s) for r, s, b in zip(phase, w.stride, w.before)])
        numbers = zip(phase, w.stride, w.before, before)
        own: Any = (..., *[slice(r - b + s * q, None, s) for r, s, b, q in numbers])
        place = out[own]
        if taps.size and place.size:
            ones = (1,) * len(phase)
            part = windows_of(place.shape[2:], taps.shape[2:], w.counts, ones, before, ones)
            place[...] = spread(y, taps, part, groups)
    return out


def spread_and_weigh(y: Any, x: Any, weight: Any, w: Windows, groups: int) -> tuple[Any, Any]:
    """`spread` of y and `weigh` of x and y at once, where y's columns on the way back serve both products."""
    channels, outputs = x.shape[1], y.shape[1]
    matrix = _flipped(weight, groups).reshape(groups, channels // groups, outputs // groups * w.taps)
    dx, dw = np.empty(x.shape, x.dtype), np.zeros(matrix.shape, x.dtype)
    for samples, rows, part, columns in columns_of(w.turned, groups, outputs, channels).blocks(y):
        dx[samples, :, rows] = part.images(part.times(matrix, columns))
        dw += part.weighed(columns, x[samples, :, rows])
    return dx, _flipped(dw.reshape(channels, outputs // groups, *w.kernel), groups)


def serve_both(x: Any, weight: Any, w: Windows, groups: int) -> bool:
    """Whether that pays: there are about as many windows either way, and neither weight nor products are too small."""
    channels, outputs = x.shape[1], len(weight)
    if max(w.stride) > 1 or w.taps == 1 or x.dtype.itemsize < 4 or _depthwise(channels, outputs, w, groups):
        return False
    return channels // groups >= 8 and weight.size <= _BOTH and math.prod(w.size) <= 1.3 * math.prod(w.counts)


def _flipped(weight: Any, groups: int) -> Any:
    """The weight (O, C/groups, *kernel) of the way back, (C, O/groups, *kernel): taps in reverse."""
    _, per_group, *kernel = weight.shape
    reverse = weight[(..., *[slice(None, None, -1)] * len(kernel))].reshape(groups, -1, per_group, *kernel)
    return np.ascontiguousarray(reverse.swapaxes(1, 2)).reshape(groups * per_group, -1, *kernel)  # as BLAS likes it


@unit
def channel_sums(x: Any) -> Any:
    """The sums of x (n, C, *) over all but the channels: (C)."""
    sums = sums_of_rows(wide(x).reshape(*x.shape[:2], math.prod(x.shape[2:])))
    return np.add.reduce(sums, axis=0).astype(x.dtype, copy=False)
