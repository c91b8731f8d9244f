"""Layer, group, instance and batch normalisation, each one operation with its backward written by hand.

What a normalisation costs is passes over memory, and so:

- large arrays are gone through in pieces that stay in the cache from one pass to the next;
- sums are products with ones, and sums of squares products of a row with itself: BLAS adds up several times faster
  than NumPy does;
- scale and shift of the layer and those of the moments are one multiplication and one addition, (x - m) s w + b =
  x (s w) + (b - m s w).

Moments are of centred values, and all is computed in float32 at least.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..op import fused
from ..tensor import Tensor, wrap
from .reduction.sums import dots_of_rows, ones_of, sums_of_rows
from .standardize import affine, per_channel, standardized, wide

__all__ = ["norm_by_averages", "norm_of_batch", "norm_of_groups", "norm_of_rows"]

_PIECE = 1 << 18  # bytes


def _pieces(x: Any) -> Iterator[slice]:
    """Slices of the first axis, each about as large as the cache likes it."""
    step = max(_PIECE * len(x) // x.nbytes, 1) if x.nbytes > 2 * _PIECE else len(x)
    for start in range(0, len(x), step):
        yield slice(start, start + step)


@functools.lru_cache(64)
def _share(count: int, kind: Any) -> Any:
    """A row of 1 / count: what the product with it adds up is the mean."""
    return np.full(count, 1 / count, kind)


def _scale_of(var: Any, eps: float) -> Any:
    out = var + var.dtype.type(eps)
    return np.divide(1, np.sqrt(out, out=out), out=out)


# ---- layer norm: each row by itself, every column with a weight of its own ------------------------------------------
def _add_to_columns(x: Any, v: Any) -> None:
    """x += v for rows x (R, n) and v (n), which is written out for several rows, for longer stretches at a time."""
    count = math.gcd(len(x), 4096 // len(v)) if len(x) * len(v) > 1 << 14 else 1
    if count > 1:
        x, v = x.reshape(-1, count * len(v)), np.repeat(v[None], count, axis=0).reshape(-1)
    x += v


def _scaled(x: Any, scale: Any, w: Any, out: Any) -> None:
    """out = x · scale wᵀ, elementwise: what each is multiplied with is made where the result will be. For short rows
    BLAS makes it, as NumPy's stretches would be short."""
    if w is None:
        np.multiply(x, scale, out=out)
        return
    if len(w) < 512:
        np.dot(scale, w[None], out=out)
    else:
        np.multiply(scale, w, out=out)
    out *= x


def _as_rows(x: Any, axes: tuple[int, ...]) -> Any:
    return wide(x) if x.ndim == 2 and len(axes) == 1 else wide(x).reshape(-1, math.prod(x.shape[axes[0] :]))


def _rows_forward(
    keep: bool, x: Any, weight: Any, bias: Any, axes: tuple[int, ...], eps: float
) -> tuple[Any, Any]:
    rows = _as_rows(x, axes)
    w, b = (None if v is None else wide(v).reshape(-1) for v in (weight, bias))
    share, out = _share(rows.shape[1], rows.dtype), np.empty(rows.shape, rows.dtype)
    centred = np.empty_like(out) if keep else None
    scale = np.empty((len(rows), 1), rows.dtype)
    for i in _pieces(rows):
        c = np.subtract(rows[i], np.matmul(rows[i], share)[:, None], out=None if centred is None else centred[i])
        scale[i, 0] = _scale_of(dots_of_rows(c, c) * share[0], eps)
        _scaled(c, scale[i], w, out[i])
        if b is not None:
            _add_to_columns(out[i], b)
    return out.reshape(x.shape).astype(x.dtype, copy=False), (centred, scale)


def _rows_pull(
    g: Any, kept: Any, wanted: Any, x: Any, weight: Any, bias: Any, axes: tuple[int, ...], eps: float
) -> tuple[Any, Any, Any]:
    """dx = s (g w - mean(g w) - x̂ mean(g w x̂)) for each row, where x̂ = s (x - m)."""
    centred, scale = kept
    g, result = _as_rows(g, axes), np.empty(x.shape, centred.dtype)
    dx = result.reshape(centred.shape)  # of a view, backward would make a copy
    w, share = None if weight is None else wide(weight).reshape(-1), _share(g.shape[1], g.dtype)
    share = share if w is None else w * share
    dw: Any = 0
    db: Any = 0
    for i in _pieces(g):
        part, c, s, d = g[i], centred[i], scale[i], dx[i]
        product = part * c
        dw += np.matmul(s[:, 0], product)
        db += np.matmul((ones_of if len(part) <= 4096 else np.ones)(len(part), g.dtype), part)
        along = np.matmul(product, share)[:, None] * s
        np.multiply(c, along * (s * s), out=product)
        _scaled(part, s, w, d)
        d -= product
        d -= np.matmul(part, share)[:, None] * s
    if g.shape[1] == 1:  # a single value is its own mean, whatever was rounded
        dx[...] = 0
    return result, *[d if v is None else d.reshape(v.shape) for d, v in ((dw, weight), (db, bias))]


def _rows_plain(x: Any, weight: Any, bias: Any, /, axes: tuple[int, ...], eps: float) -> Tensor:
    return affine(standardized(x, axes, eps)[0], weight, bias)


# (x, weight or None, bias or None, axes, eps): the axes are the last ones, and are the weights' shape.
norm_of_rows = fused("layer_norm", _rows_forward, _rows_pull, _rows_plain, "NativeLayerNormBackward0")


# ---- batch, group and instance norm: weights per channel ------------------------------------------------------------
class _Channels:
    """x as (N, C, L), what has the same moments taken together: each channel over the batch, or (if `groups`) each
    sample's channels in that many groups. Sums and moments are (N, C), or (1, C) where all samples have the same."""

    def __init__(self, x: Any, groups: int | None) -> None:
        self.x = wide(x).reshape(*x.shape[:2], -1)
        self.groups, self.kind = groups, self.x.dtype.type

    def mean(self, sums: Any) -> Any:
        """Of sums per sample and channel: the mean over all that are taken together."""
        n, channels, length = self.x.shape
        if self.groups is None:
            return np.add.reduce(sums, axis=0, keepdims=True) * self.kind(1 / (n * length))
        each = sums.reshape(n, self.groups, -1)
        means = sums_of_rows(each) * self.kind(1 / (each.shape[2] * length))
        return means if self.groups == channels else np.repeat(means, channels // self.groups, axis=1)

    def spread(self, v: Any) -> Any:
        """(N or 1, C) values so that they go with x."""
        n, channels, length = self.x.shape
        # Written out for a whole sample, NumPy goes through the sample in one stretch. It pays where there are several.
        if len(v) == 1 and n > 4 and 1 < length < 4096:
            return np.repeat(v.reshape(channels), length).reshape(1, channels, length)
        return v[:, :, None]

    def sums(self, x: Any) -> Any:
        return x[:, :, 0] if x.shape[2] == 1 else sums_of_rows(x.reshape(-1, x.shape[2])).reshape(x.shape[:2])

    def dots(self, x: Any, y: Any) -> Any:
        return dots_of_rows(x, y) if x.shape[2] > 1 else (x * y)[:, :, 0]

    def variance(self, mean: Any) -> Any:
        """The mean of (x - mean)². Of a large x first as mean(x²) - mean², which takes no pass for x - mean: that is as
        good, unless the means are so large that the difference of the two says nothing."""
        if self.x.nbytes > _PIECE:
            var = self.mean(self.dots(self.x, self.x)) - mean * mean
            if _is_near(mean, var):
                return var
        return self.mean(self.centred_dots(mean, None))

    def centred_dots(self, mean: Any, other: Any) -> Any:
        """Σ (x - mean) · other per sample and channel; without `other` of (x - mean)²."""
        mean, parts = self.spread(mean), []
        for i in _pieces(self.x):
            centred = self.x[i] - _at(mean, i)
            parts.append(self.dots(centred, centred if other is None else other[i]))
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


    def scaled(self, mean: Any, scale: Any, weight: Any, bias: Any) -> Any:
        """(x - mean) · scale · weight + bias"""
        factor = scale if weight is None else scale * weight
        shift = mean * -factor if bias is None else bias - mean * factor
        factor, shift, out = self.spread(factor), self.spread(shift), np.empty_like(self.x)
        for i in _pieces(out):
            np.multiply(self.x[i], _at(factor, i), out=out[i])
            out[i] += _at(shift, i)
        return out

    def pulled_scale(self, g: Any, mean: Any, near: bool) -> Any:
        """Σ g (x - mean) per sample and channel; if the means are near 0 by Σ g x, see `variance`."""
        if near:
            return self.dots(self.x, g) - mean * self.sums(g)
        return self.centred_dots(mean, g)


def _is_near(mean: Any, var: Any) -> bool:
    """Whether no mean is farther from 0 than two standard deviations."""
    return bool(np.all(mean * mean <= 4 * var))


def _at(v: Any, i: slice) -> Any:
    return v if len(v) == 1 else v[i]


def _few_forward(x: Any, weight: Any, bias: Any, eps: float, moments: dict[str, Any]) -> tuple[Any, Any]:
    """A small batch (N, C), where the number of calls counts."""
    wider = wide(x)
    share = _share(len(x), wider.dtype)
    mean = np.matmul(share, wider)
    standard = wider - mean
    var = np.matmul(share, standard * standard)
    scale = _scale_of(var, eps)
    standard *= scale
    moments.update(mean=mean[None], var=var[None], scale=scale[None])
    out = standard.copy() if weight is None else standard * weight
    if bias is not None:
        out += bias
    return out.astype(x.dtype, copy=False), (standard, scale)


def _few_pull(g: Any, kept: Any, x: Any, weight: Any) -> tuple[Any, Any, Any]:
    standard, scale = kept
    g = wide(g)
    share = _share(len(g), g.dtype)
    d = g * standard
    along, mean = np.matmul(share, d), np.matmul(share, g)
    np.multiply(standard, along, out=d)
    np.subtract(g, d, out=d)
    d -= mean
    d *= scale if weight is None else scale * weight
    return d, along * len(g), mean * len(g)


def _channels_forward(
    keep: bool, x: Any, weight: Any, bias: Any, groups: int | None, eps: float, moments: dict[str, Any]
) -> tuple[Any, Any]:
    if groups is None and x.ndim == 2 and x.nbytes <= _PIECE:
        return _few_forward(x, weight, bias, eps, moments)
    by = _Channels(x, groups)
    mean = by.mean(by.sums(by.x))
    var = by.variance(mean)
    scale = _scale_of(var, eps)
    moments.update(mean=mean, var=var, scale=scale)
    return by.scaled(mean, scale, weight, bias).reshape(x.shape).astype(x.dtype, copy=False), (mean, var, scale)


def _channels_pull(
    g: Any, kept: Any, wanted: Any, x: Any, weight: Any, bias: Any, groups: int | None, eps: float, moments: Any
) -> tuple[Any, Any, Any]:
    """dx = s (g w - mean(g w) - x̂ mean(g w x̂)) with x̂ = (x - m) s, as a multiple of g, one of x, and a rest."""
    if len(kept) == 2:
        return _few_pull(g, kept, x, weight)
    mean, var, scale = kept
    by = _Channels(x, groups)
    g = wide(g).reshape(by.x.shape)
    sums, dots = by.sums(g), by.pulled_scale(g, mean, g.nbytes > _PIECE and _is_near(mean, var)) * scale
    dw, db = np.add.reduce(dots, axis=0), np.add.reduce(sums, axis=0)
    if not wanted[0]:
        return None, dw, db
    w = 1 if weight is None else weight
    of_x = by.mean(dots * w) * (scale * scale)
    rest = by.spread(of_x * mean - by.mean(sums * w) * scale)
    of_g, of_x, dx = by.spread(scale * w), by.spread(-of_x), np.empty(x.shape, g.dtype)
    result, dx = dx, dx.reshape(g.shape)
    for i in _pieces(dx):
        np.multiply(g[i], _at(of_g, i), out=dx[i])
        dx[i] += by.x[i] * _at(of_x, i)
        dx[i] += _at(rest, i)
    return result, dw, db


def _channels_plain(
    x: Any, weight: Any, bias: Any, /, groups: int | None, eps: float, moments: dict[str, Any]
) -> Tensor:
    shape, ndim = x._array.shape, x._array.ndim
    if groups is None:
        out = standardized(x, (0, *range(2, ndim)), eps)[0]
    else:
        out = standardized(x.reshape(shape[0], groups, -1), (2,), eps)[0].reshape(shape)
    return affine(out, per_channel(weight, ndim), per_channel(bias, ndim))


# (x, weight or None, bias or None, groups or None for the batch, eps, a dict that gets mean, var and scale)
norm_of_batch, norm_of_groups = [
    fused(f"{name}_norm", _channels_forward, _channels_pull, _channels_plain, f"Native{name.title()}NormBackward0")
    for name in ("batch", "group")
]


# ---- batch norm by running averages ---------------------------------------------------------------------------------
def _running_forward(
    keep: bool, x: Any, weight: Any, bias: Any, mean: Any, var: Any, eps: float
) -> tuple[Any, Any]:
    by = _Channels(x, None)
    mean, var = (v.astype(by.x.dtype).reshape(1, -1) for v in (mean, var))  # copies: the averages will move
    scale = _scale_of(var, eps)
    return by.scaled(mean, scale, weight, bias).reshape(x.shape).astype(x.dtype, copy=False), (mean, scale)


def _running_pull(
    g: Any, kept: Any, wanted: Any, x: Any, weight: Any, bias: Any, mean: Any, var: Any, eps: float
) -> tuple[Any, Any, Any]:
    mean, scale = kept
    by = _Channels(x, None)
    g = wide(g).reshape(by.x.shape)
    dx = dw = db = None
    if wanted[0]:
        factor, dx = by.spread(scale if weight is None else scale * weight), np.empty_like(g)
        for i in _pieces(g):
            np.multiply(g[i], _at(factor, i), out=dx[i])
        dx = dx.reshape(x.shape)
    if wanted[1]:
        near = g.nbytes > _PIECE and bool(np.all(abs(mean * scale) < 2))
        dw = np.add.reduce(by.pulled_scale(g, mean, near) * scale, axis=0)
    if wanted[2]:
        db = np.add.reduce(by.sums(g), axis=0)
    return dx, dw, db


def _running_plain(x: Any, weight: Any, bias: Any, /, mean: Any, var: Any, eps: float) -> Tensor:
    ndim = x._array.ndim
    scale = wrap(_scale_of(wide(var), eps).astype(x._array.dtype, copy=False))
    centre = wrap(mean.astype(x._array.dtype, copy=False))
    return affine((x - per_channel(centre, ndim)) * per_channel(scale, ndim), per_channel(weight, ndim),
                  per_channel(bias, ndim))  # fmt: skip


# (x, weight or None, bias or None, arrays of means and variances, eps)
norm_by_averages = fused(
    "batch_norm_by_averages", _running_forward, _running_pull, _running_plain, "NativeBatchNormBackward0"
)  # fmt: skip
