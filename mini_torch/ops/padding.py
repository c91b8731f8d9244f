"""Padding: a border around the last dimensions, constant or made of what is inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..tensor import Tensor, wrap
from .adjoint import cut, place, take

__all__ = ["pad"]

_INSIDE_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # PyTorch's name: NumPy's


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """input with `pad` = (before, after) elements more in the last dimension, then (…, …) in the one before it, etc.

    Negative numbers cut off. Modes: 'constant' (`value`, 0 by default), 'reflect', 'replicate' and 'circular', these
    for the last 1, 2 or 3 dimensions of an input with one or two more. Errors: RuntimeError for sizes that do not fit.
    Source: PyTorch's `nn.functional.pad`.

    >>> pad(mini_torch.tensor([1., 2.]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    shape, count = input._array.shape, len(pad) // 2
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if count > len(shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {len(shape)}"
        )
    sides = [(0, 0)] * (len(shape) - count) + [(pad[2 * i], pad[2 * i + 1]) for i in reversed(range(count))]
    for n, (before, after) in zip(shape, sides):
        if n + before + after < 0:
            raise RuntimeError(f"pad: size {n} with padding ({before}, {after}) would be negative")
    if mode == "constant":
        return _with_constant(input, sides, value or 0.0)
    if mode not in _INSIDE_MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2):
        raise NotImplementedError(f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.")
    for axis, (before, after) in enumerate(sides):
        if before or after:
            input = _from_inside(input, axis, before, after, mode)
    return input


def _with_constant(input: Tensor, sides: list[tuple[int, int]], value: float) -> Tensor:
    shape = input._array.shape
    kept = tuple([slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, sides)])
    size = tuple([n + a + b for n, (a, b) in zip(shape, sides)])
    region = tuple([slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(size, sides)])
    out = place(cut(input, (*kept, ...)), region, size)
    if not value:
        return out
    border = np.full(size, value, input._array.dtype)
    border[region] = 0
    return out + wrap(border)


def _from_inside(input: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    n = input._array.shape[axis]
    if mode == "reflect" and max(before, after) >= n:
        raise RuntimeError(
            f"Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {axis} of input {list(input.shape)}"
        )
    if mode == "circular" and max(before, after) > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    index, border = np.arange(n), (max(before, 0), max(after, 0))
    kept = slice(max(-before, 0), n - max(-after, 0))
    if mode == "circular":  # goes round what is left after a cut
        index = np.pad(index[kept], border, "wrap")
    else:
        index = np.pad(index, border, _INSIDE_MODES[mode])[kept.start : border[0] + kept.stop + border[1]]
    return take(input, (*[slice(None)] * axis, index))
