"""Values brought to mean 0 and variance 1, or to mean square 1, over some axes, then scaled and shifted.

The rows behind all normalisations; layer, group, instance and batch normalisation differ in their axes. Large arrays
are gone through piece by piece along their first axis, so that what is between stays in the cache: most of the time
is memory's. Where the axes leave the first one out, the pieces do not know of each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..op import cast, keeps_type, row, several
from ..tensor import Tensor

__all__ = ["affine", "mean_over", "of_length_one", "per_channel", "standardized"]

Axes = tuple[int, ...]

_PIECE = 1 << 18  # bytes


def _pieces(x: Any) -> Iterator[slice]:
    """Slices of the first axis, each about as large as the cache likes it."""
    step = max(_PIECE * len(x) // max(x.nbytes, 1), 1)
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def mean_over(x: Any, axes: Axes) -> Any:
    """The mean over axes that stay as size 1; NaN of nothing."""
    count = math.prod([x.shape[a] for a in axes])
    return np.add.reduce(x, axis=axes, keepdims=True) * (1 / count if count else math.nan)


def _flat(x: Any, axes: Axes) -> Any:
    """x as rows, if the axes are the last ones."""
    first = x.ndim - len(axes)
    return x.reshape(math.prod(x.shape[:first]), -1) if axes == tuple(range(first, x.ndim)) and x.size else None


def _wide(x: Any) -> Any:
    """float16 is computed, and its moments stay, in float32."""
    return x if x.dtype.itemsize > 2 else x.astype(np.float32)


# ---- mean 0, variance 1 ---------------------------------------------------------------------------------------------
def _scale_of(var: Any, eps: float) -> Any:
    return (1 / np.sqrt(var + eps)).astype(var.dtype, copy=False)


def _at_once(x: Any, axes: Axes, eps: float) -> tuple[Any, ...]:
    mean = mean_over(x, axes)
    centred = x - mean
    var = mean_over(centred * centred, axes)
    scale = _scale_of(var, eps)
    return centred * scale, scale, mean, var


def _of_rows(x: Any, eps: float) -> tuple[Any, ...]:
    """`_at_once` of each row of x (R, n), piece by piece."""
    parts = [np.empty_like(x), *[np.empty((len(x), 1), x.dtype) for _ in range(3)]]
    for i in _pieces(x):
        for whole, part in zip(parts, _at_once(x[i], (1,), eps)):
            whole[i] = part
    return tuple(parts)


def _of_columns(x: Any, axes: Axes, eps: float) -> tuple[Any, ...]:
    """`_at_once` over axes of which the first is one: the moments need all pieces first."""
    mean = mean_over(x, axes)
    total = sum(np.add.reduce(np.square(x[i] - mean), axis=axes, keepdims=True) for i in _pieces(x))
    var = total * (mean.size / x.size)
    scale, out = _scale_of(var, eps), np.empty_like(x)
    for i in _pieces(x):
        np.multiply(x[i] - mean, scale, out=out[i])
    return out, scale, mean, var


def _standardize(x: Any, axes: Axes, eps: float) -> tuple[Any, ...]:
    """(x - mean) · scale, the scale 1 / √(var + eps), the mean and the variance."""
    kind, x = x.dtype, _wide(x)
    if x.nbytes <= _PIECE:
        out, *moments = _at_once(x, axes, eps)
    elif axes[0] == 0:
        out, *moments = _of_columns(x, axes, eps)
    else:
        rows = _flat(x, axes)
        assert rows is not None, "axes are the last ones, or begin with the first"
        shape = tuple([1 if a in axes else n for a, n in enumerate(x.shape)])
        out, *moments = _of_rows(rows, eps)
        out, moments = out.reshape(x.shape), [m.reshape(shape) for m in moments]
    return out.astype(kind, copy=False), *moments


def _pull_of_scale(g: Any, g_scale: Any, out: Any, scale: Any, axes: Axes) -> Any:
    """What `out` is multiplied with in the gradient: the scale depends on x, too; ∂scale/∂x is -scale² out / n."""
    count = math.prod([out.shape[a] for a in axes])
    return mean_over(g * out, axes) + g_scale * scale * (1 / max(count, 1))


def _pull(g: Any, g_scale: Any, out: Any, scale: Any, axes: Axes) -> Any:
    return scale * (g - mean_over(g, axes) - out * _pull_of_scale(g, g_scale, out, scale, axes))


def _rule(g_out: Any, g_scale: Any, out: Any, scale: Any, axes: Axes) -> Any:
    if not isinstance(g_out, np.ndarray) or g_out.nbytes <= _PIECE:
        return _pull(g_out, g_scale, out, scale, axes)
    g, out = _wide(g_out), _wide(out)
    d = np.empty_like(out)
    if axes[0] == 0:
        pull = sum(np.add.reduce(g[i] * out[i], axis=axes, keepdims=True) for i in _pieces(g))
        pull, mean = pull * (scale.size / g.size) + g_scale * scale * (scale.size / g.size), mean_over(g, axes)
        for i in _pieces(g):
            np.multiply(g[i] - mean - out[i] * pull, scale, out=d[i])
        return d
    rows = [_flat(each, axes) for each in (g, out, d)]
    small = [each.reshape(-1, 1) for each in (g_scale, scale)]
    for i in _pieces(rows[0]):
        rows[2][i] = _pull(rows[0][i], small[0][i], rows[1][i], small[1][i], (1,))
    return rows[2].reshape(g.shape)


standardized = several(
    "standardize", _standardize, ("out", "scale", "mean", "var"), grad_name="NativeLayerNormBackward0", x=_rule
)


# ---- mean square 1 --------------------------------------------------------------------------------------------------
def _length_one(x: Any, axes: Axes, eps: float) -> tuple[Any, Any]:
    kind, x = x.dtype, _wide(x)
    scale = (1 / np.sqrt(mean_over(x * x, axes) + eps)).astype(x.dtype, copy=False)
    return (x * scale).astype(kind, copy=False), scale


of_length_one = several(
    "rms_norm", _length_one, ("out", "scale"),
    x=lambda g_out, g_scale, out, scale, axes: (
        scale * (g_out - out * _pull_of_scale(g_out, g_scale, out, scale, axes))
    ),
)  # fmt: skip


# ---- scaled and shifted ---------------------------------------------------------------------------------------------
def _weight_rule(g: Any, x: Any, shape: Axes) -> Any:
    """g · x, already summed where that takes no array in between."""
    if isinstance(g, np.ndarray) and g.dtype.itemsize > 2 and g.size:
        n = shape[0]
        if len(shape) == 1 and g.ndim > 1 and g.shape[-1] == n:
            return np.einsum("ij,ij->j", g.reshape(-1, n), x.reshape(-1, n))
        if len(shape) == g.ndim - 1 > 1 and n == g.shape[1] == math.prod(shape):
            channels = (g.shape[0], n, -1)
            return np.einsum("icj,icj->c", g.reshape(channels), x.reshape(channels)).reshape(shape)
    return g * x


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    out = x * weight
    return np.add(out, bias, out=out) if out.shape and out.dtype == np.result_type(out, bias) else out + bias


_scaled_and_shifted = row(
    "affine", keeps_type(_affine), broadcasts=True, grad_name="NativeLayerNormBackward0",
    x=lambda g, weight: g * weight, weight=_weight_rule, bias=lambda g: g,
)  # fmt: skip


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """x · weight + bias, each of them or None. Errors: RuntimeError for other types than x's, except for float16."""
    weight, bias = _in_type_of(x, weight), _in_type_of(x, bias)
    if weight is not None and bias is not None:
        return _scaled_and_shifted(x, weight, bias)
    if weight is not None:
        return x * weight
    return x if bias is None else x + bias


def _in_type_of(x: Tensor, given: Tensor | None) -> Tensor | None:
    kind = x._array.dtype
    if given is None or given._array.dtype is kind:
        return given
    if kind.itemsize != 2 and given._array.dtype != kind:
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
    return cast(given, kind)


def per_channel(x: Tensor | None, ndim: int) -> Tensor | None:
    """A vector of one value per channel, in a shape that broadcasts over (N, C, *) of `ndim` dimensions."""
    return x if x is None or ndim == 2 else x.reshape(-1, *(1,) * (ndim - 2))
