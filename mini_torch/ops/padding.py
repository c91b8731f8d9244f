"""Padding: a border around the last dimensions, constant or made of what is inside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..op import rounds_once, row
from ..tensor import Tensor
from .resampling import Taps, resample
from .spatial import need_tensor, need_types

__all__ = ["constant_pad_nd", "pad"]

_INSIDE_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # PyTorch's name: NumPy's
_NODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


# The gradient of a border is to cut it off, and that of a cut is a border of zeros: padding by the negative sides.
def _with_border(x: Any, sides: Any, value: Any) -> Any:
    size = tuple([n + a + b for n, (a, b) in zip(x.shape, sides)])
    out = np.full(size, np.array(value).astype(x.dtype)) if value else np.zeros(size, x.dtype)
    inside = tuple([slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(size, sides)])
    out[inside] = x[tuple([slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, sides)])]
    return out


_constant_pad: Callable[..., Any] = row(
    "constant_pad_nd", _with_border, grad_name="ConstantPadNdBackward0",
    x=lambda g, sides: _constant_pad(g, [(-a, -b) for a, b in sides], 0),
)  # fmt: skip


@rounds_once
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """input with `pad` = (before, after) elements more in the last dimension, then (…, …) in the one before it, etc.

    Negative numbers cut off. Modes: 'constant' (`value`, 0 by default), 'reflect', 'replicate' and 'circular', these
    for the last 1, 2 or 3 dimensions of an input with one or two more. Errors: RuntimeError for sizes that do not fit.
    Source: PyTorch's `nn.functional.pad`.

    >>> pad(mini_torch.tensor([1., 2.]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    need_tensor(input, "pad")
    if mode == "constant":
        return constant_pad_nd(input, pad, 0.0 if value is None else float(value))
    if mode not in _INSIDE_MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    sides = _sides(input, pad)
    shape, count = input._array.shape, len(pad) // 2
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if count not in (1, 2, 3) or len(shape) not in (count + 1, count + 2):
        raise NotImplementedError(f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.")
    if mode != "circular":
        _check_image(input, count, mode)
    _check_positive(shape, sides)
    last = list(zip(range(len(shape)), shape, sides))[len(shape) - count :]
    taps = tuple([_from_inside(input, axis, n, *ends, mode) for axis, n, ends in last])
    return resample(input, taps, f"{_NODES[mode]}{count}D")


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`pad` in the mode 'constant', for any number of dimensions. Source: PyTorch's `torch.constant_pad_nd`."""
    need_tensor(input, "constant_pad_nd")
    sides = _sides(input, pad)
    shape = input._array.shape
    _check_positive(shape, sides)
    if any(max(-a, 0) > n - max(-b, 0) for n, (a, b) in zip(shape, sides)):
        raise RuntimeError(f"narrow(): length must be non-negative: shape {list(shape)} with padding {tuple(pad)}")
    kind = input._array.dtype
    if kind.kind in "iu" and isinstance(value, float) and not np.iinfo(kind).min <= value <= np.iinfo(kind).max:
        if any(max(ends) > 0 for ends in sides):
            raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow: {value}")
        value = 0
    return _constant_pad(input, sides, value)


def _sides(input: Tensor, pad: Sequence[int]) -> list[tuple[int, int]]:
    """(before, after) for each dimension, in order, after the checks of their number."""
    ndim, count = input._array.ndim, len(pad) // 2
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(pad)}")
    if count > ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {ndim}"
        )
    return [(0, 0)] * (ndim - count) + [(pad[2 * i], pad[2 * i + 1]) for i in reversed(range(count))]


def _check_positive(shape: tuple[int, ...], sides: list[tuple[int, int]]) -> None:
    for n, (before, after) in zip(shape, sides):
        if n + before + after < 0:
            raise RuntimeError(f"pad: size {n} with padding ({before}, {after}) would be negative")


def _check_image(input: Tensor, count: int, mode: str) -> None:
    """What PyTorch's kernels for 'reflect' and 'replicate' take: numbers, no empty dimension but the batch."""
    need_types(input, f"{'reflection' if mode == 'reflect' else 'replication'}_pad{count}d", "iufc")
    shape = input._array.shape
    if 0 in shape[len(shape) - count - 1 :]:
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )


def _from_inside(input: Tensor, axis: int, n: int, before: int, after: int, mode: str) -> Taps | None:
    """Where each element along `axis` comes from; None where nothing is added or cut."""
    if not before and not after:
        return None
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
    return Taps(index[:, None], None, n)
