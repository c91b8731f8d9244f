"""Windows over the last dimensions, as an adjoint pair: cutting windows out, and adding them up where they came from.

    windows / overlap_add     (…, C, *size) ↔ (…, C · taps, number of windows)

Convolution, pooling, `fold` and `unfold` are made of these. `framed`, `taps` and `opened` are the pieces, on arrays.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..op import rounds_once, row
from ..tensor import Tensor
from .spatial import Shape, Sizes, need_tensor, need_types, per_dimension

__all__ = ["fold", "unfold"]


@dataclass(frozen=True)
class Windows:
    """Where windows lie over the last dimensions of an array; a number per dimension in each field.

    Window i starts at i · stride - before; its elements, the taps, are `dilation` apart. Where a window reaches outside
    of the array there is padding: `before` elements ahead, behind as many as the last window needs.
    """

    size: Shape  # of the array
    kernel: Shape  # taps per window
    counts: Shape  # how many windows
    stride: Shape
    before: Shape
    dilation: Shape

    @cached_property
    def span(self) -> Shape:
        """From the first window's start to the last one's end."""
        numbers = zip(self.counts, self.stride, self.dilation, self.kernel)
        return tuple([(n - 1) * s + d * (k - 1) + 1 if n and k else 0 for n, s, d, k in numbers])

    @cached_property
    def taps(self) -> int:
        """Elements of one window."""
        return math.prod(self.kernel)

    @cached_property
    def overlap(self) -> tuple[Any, Any]:
        """Where the array and the windows' span meet: an index into the array and one into the span."""
        ends = [max(min(n, m - b), 0) for n, m, b in zip(self.size, self.span, self.before)]
        starts = [min(max(-b, 0), end) for b, end in zip(self.before, ends)]
        of_array = tuple([slice(i, j) for i, j in zip(starts, ends)])
        of_span = [slice(i + b, j + b) if i < j else slice(0, 0) for i, j, b in zip(starts, ends, self.before)]
        return (..., *of_array), (..., *of_span)

    @cached_property
    def turned(self) -> Windows:
        """The windows of the way back, where the stride is 1: over what was the windows, as many as were elements."""
        before = tuple([d * (k - 1) - b for d, k, b in zip(self.dilation, self.kernel, self.before)])
        return replace(self, size=self.counts, counts=self.size, before=before)


windows_of = lru_cache(512)(Windows)  # equal numbers share one, and what it has worked out


def framed(x: Any, w: Windows, fill: float = 0) -> Any:
    """What the windows see of x (…, *size), `fill` outside: (…, *span). A view of x where that is enough."""
    span = w.span
    if not any(w.before) and all(m <= n for m, n in zip(span, w.size)):
        return x[(..., *[slice(m) for m in span])]
    shape = (*x.shape[: x.ndim - len(span)], *span)
    frame = np.full(shape, fill, x.dtype) if fill else np.zeros(shape, x.dtype)
    array, inside = w.overlap
    frame[inside] = x[array]
    return frame


def unframed(frame: Any, w: Windows) -> Any:
    """The adjoint of `framed`: (…, *span) cut to (…, *size), zeros where no window reached."""
    array, inside = w.overlap
    part = frame[inside]
    if part.shape[part.ndim - len(w.size) :] == w.size:
        return part if part.size == frame.size else np.array(part)
    out = np.zeros((*frame.shape[: frame.ndim - len(w.size)], *w.size), frame.dtype)
    out[array] = part
    return out


def cuts(w: Windows) -> Iterator[tuple[Shape, tuple[slice, ...]]]:
    """Each tap with the index of what all windows see through it."""
    steps = list(zip(w.counts, w.stride, w.dilation))
    for tap in itertools.product(*map(range, w.kernel)):
        yield tap, tuple([slice(t * d, t * d + (n - 1) * s + 1 if n else t * d, s) for t, (n, s, d) in zip(tap, steps)])


def taps(frame: Any, w: Windows) -> Iterator[tuple[Shape, Any]]:
    """Each tap with what all windows see through it, a view: (…, *counts)."""
    for tap, cut in cuts(w):
        yield tap, frame[(..., *cut)]


def opened(frame: Any, w: Windows) -> Any:
    """The frame (…, *span) as a view (…, *kernel, *counts): overlapping windows share memory."""
    lead = frame.ndim - len(w.size)
    steps = frame.strides[lead:]
    return as_strided(
        frame, (*frame.shape[:lead], *w.kernel, *w.counts),
        (*frame.strides[:lead], *[s * d for s, d in zip(steps, w.dilation)], *[s * t for s, t in zip(steps, w.stride)]),
        writeable=False,
    )  # fmt: skip


def _columns(x: Any, w: Windows) -> Any:
    *lead, channels = x.shape[: x.ndim - len(w.size)]
    return opened(framed(x, w), w).reshape(*lead, channels * w.taps, math.prod(w.counts))


def _overlap_add(x: Any, w: Windows) -> Any:
    *lead, lines, _ = x.shape
    columns = x.reshape(*lead, lines // w.taps, *w.kernel, *w.counts)
    frame = np.zeros((*lead, lines // w.taps, *w.span), x.dtype)
    for tap, seen in taps(frame, w):
        seen += columns[(..., *tap, *[slice(None)] * len(w.size))]
    return unframed(frame, w)


windows = row("windows", _columns, grad_name="Im2ColBackward0", x=lambda g, w: overlap_add(g, w))
overlap_add: Callable[..., Any] = row(
    "overlap_add", _overlap_add, grad_name="Col2ImBackward0", x=lambda g, w: windows(g, w)
)


# ---- fold and unfold -------------------------------------------------------------------------------------------------
def _blocks(name: str, size: Shape, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Windows:
    """The windows that fit into an image of `size`, after the checks of all numbers."""
    arguments = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    k, d, p, s = [per_dimension(value, 2, name, argument) for argument, value in arguments.items()]
    for argument, numbers, least in (("kernel_size", k, 1), ("stride", s, 1), ("dilation", d, 1), ("padding", p, 0)):
        if min(numbers) < least:
            bound = "greater than zero" if least else "non-negative"
            raise RuntimeError(f"{name}(): {argument} should be {bound}, but got {list(numbers)}")
    count = tuple([(size[i] + 2 * p[i] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i in range(2)])
    if min(count) < 1:
        raise RuntimeError(
            f"{name}(): with spatial size {size}, kernel_size={k}, dilation={d}, padding={p}, stride={s}, the shape of "
            f"the array of sliding blocks is {count}, but its components must be at least one."
        )
    return windows_of(tuple(size), k, count, s, p, d)


@rounds_once
def unfold(input: Tensor, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Tensor:
    """The blocks that a window of `kernel_size` sees as it slides over an image, as columns.

    Shape: (N, C, H, W) or (C, H, W) → (N, C · kernel elements, number of blocks). Errors: RuntimeError for other
    shapes and where no block fits. Source: PyTorch's `nn.functional.unfold`.

    >>> unfold(mini_torch.arange(6.).reshape(1, 1, 2, 3), (2, 2))
    tensor([[[0., 1.],
             [1., 2.],
             [3., 4.],
             [4., 5.]]])
    """
    need_tensor(input, "unfold")
    shape = input._array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(shape)}"
        )
    need_types(input, "im2col_out_cpu", "fcb")
    w = _blocks("unfold", shape[-2:], kernel_size, dilation, padding, stride)
    return windows(input, w)


@rounds_once
def fold(
    input: Tensor, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """Adds blocks up to an image of `output_size`, each where `unfold` would have taken it from; its adjoint.

    Shape: (N, C · kernel elements, number of blocks) or without N → (N, C, *output_size). Errors: RuntimeError where
    the number of blocks or channels does not fit. Source: PyTorch's `nn.functional.fold`.

    >>> fold(mini_torch.ones(1, 4, 2), (2, 3), (2, 2))
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    need_tensor(input, "fold")
    shape, size = input._array.shape, per_dimension(output_size, 2, "fold", "output_size")
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    need_types(input, "col2im_out_cpu", "fcb")
    if min(size) < 1:
        raise RuntimeError(f"fold(): Expected output spatial size to be positive, but got: {list(size)}")
    w = _blocks("fold", size, kernel_size, dilation, padding, stride)
    if shape[-2] % w.taps:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={w.kernel}."
        )
    if math.prod(w.counts) != shape[-1]:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={w.kernel}, dilation={w.dilation}, padding={w.before}, "
            f"stride={w.stride}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{w.counts[0]} * {w.counts[1]} = {math.prod(w.counts)}, but got input.size(2)={shape[-1]}."
        )
    return overlap_add(input, w)
