"""Channels for pixels and back, and channels in another order: dimensions split, permuted, and joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..op import public, row
from ..tensor import Tensor
from .spatial import need_tensor

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _shuffled(x: Any, r: int) -> Any:
    *lead, channels, height, width = x.shape
    n, c = len(lead), channels // (r * r)
    parts = x.reshape(*lead, c, r, r, height, width).transpose(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return np.array(parts, order="C").reshape(*lead, c, height * r, width * r)


def _unshuffled(x: Any, r: int) -> Any:
    *lead, channels, height, width = x.shape
    n = len(lead)
    parts = x.reshape(*lead, channels, height // r, r, width // r, r)
    parts = parts.transpose(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return np.array(parts, order="C").reshape(*lead, channels * r * r, height // r, width // r)


def _dealt(x: Any, groups: int) -> Any:
    parts = x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])
    return np.array(parts.swapaxes(1, 2), order="C").reshape(x.shape)


_shuffle = row("pixel_shuffle", _shuffled, x=lambda g, r: _unshuffle(g, r))
_unshuffle: Callable[..., Any] = row("pixel_unshuffle", _unshuffled, x=lambda g, r: _shuffle(g, r))
_deal: Callable[..., Any] = row(
    "channel_shuffle", _dealt, x=lambda g, groups, shape: _deal(g, shape[1] // groups if shape[1] else 1)
)


def _check(name: str, input: Tensor, factor: int, argument: str) -> None:
    need_tensor(input, name)
    if not hasattr(factor, "__index__"):
        raise TypeError(f"{name}(): argument '{argument}' (position 2) must be int, not {type(factor).__name__}")
    if input._array.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input._array.ndim} dimension(s)"
        )
    if factor < 1:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")


@public(method=False)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Every r² channels become one channel of r times the size, r being `upscale_factor`.

    Shape: (*, C · r², H, W) → (*, C, H · r, W · r). Errors: RuntimeError for other shapes. Source: Shi et al. 2016,
    "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network";
    PyTorch's `nn.functional.pixel_shuffle`.
    """
    _check("pixel_shuffle", input, upscale_factor, "upscale_factor")
    channels, r = input._array.shape[-3], upscale_factor
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    return _shuffle(input, r)


@public(method=False)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Every block of r · r pixels becomes one pixel of r² channels: the inverse of `pixel_shuffle`.

    Shape: (*, C, H · r, W · r) → (*, C · r², H, W). Errors: RuntimeError for other shapes.
    Source: PyTorch's `nn.functional.pixel_unshuffle`.
    """
    _check("pixel_unshuffle", input, downscale_factor, "downscale_factor")
    *_, height, width = input._array.shape
    r = downscale_factor
    for label, at, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {label} to be divisible by downscale_factor, but input.size({at})={size} is "
                f"not divisible by {r}"
            )
    return _unshuffle(input, r)


@public(method=False)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels, dealt out to `groups` in turn: channel i · groups + g comes from place i of group g.

    Shape: (N, C, *) → the same. Errors: RuntimeError for fewer than three dimensions and where C does not divide.
    Source: Zhang et al. 2018, "ShuffleNet"; PyTorch's `nn.functional.channel_shuffle`.
    """
    need_tensor(input, "channel_shuffle")
    shape = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}")
    if groups < 1:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    channels = shape[1]
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    return _deal(input, groups)


native_channel_shuffle = channel_shuffle
