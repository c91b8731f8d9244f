"""Values brought to mean 0 and variance 1, or to mean square 1, over some axes, then scaled and shifted.

The maths of all normalisations; layer, group, instance and batch normalisation differ in their axes. `fused_norm.py`
computes the same faster; here it is as formulas of single operations, which have gradients of every order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import cast, keeps_type, row, several
from ..tensor import Tensor

__all__ = ["affine", "in_type_of", "mean_over", "of_length_one", "per_channel", "standardized", "wide"]

Axes = tuple[int, ...]

def mean_over(x: Any, axes: Axes) -> Any:
    """The mean over axes that stay as size 1; NaN of nothing."""
    count = math.prod([x.shape[a] for a in axes])
    return np.add.reduce(x, axis=axes, keepdims=True) * (1 / count if count else math.nan)


def wide(x: Any) -> Any:
    """float16 is computed, and its moments stay, in float32."""
    return x if x.dtype.itemsize > 2 else x.astype(np.float32)


# ---- mean 0, variance 1 ---------------------------------------------------------------------------------------------
def _scale_of(var: Any, eps: float) -> Any:
    return (1 / np.sqrt(var + eps)).astype(var.dtype, copy=False)


def _standardize(x: Any, axes: Axes, eps: float) -> tuple[Any, ...]:
    """(x - mean) · scale, the scale 1 / √(var + eps), the mean and the variance."""
    kind, x = x.dtype, wide(x)
    mean = mean_over(x, axes)
    centred = x - mean
    var = mean_over(centred * centred, axes)
    scale = _scale_of(var, eps)
    return (centred * scale).astype(kind, copy=False), scale, mean, var


def _pull_of_scale(g: Any, g_scale: Any, out: Any, scale: Any, axes: Axes) -> Any:
    """What `out` is multiplied with in the gradient: the scale depends on x, too; ∂scale/∂x is -scale² out / n."""
    count = math.prod([out.shape[a] for a in axes])
    return mean_over(g * out, axes) + g_scale * scale * (1 / max(count, 1))


def _rule(g_out: Any, g_scale: Any, g_mean: Any, out: Any, scale: Any, axes: Axes) -> Any:
    pulled = scale * (g_out - mean_over(g_out, axes) - out * _pull_of_scale(g_out, g_scale, out, scale, axes))
    return pulled + g_mean * (1 / max(math.prod([out.shape[a] for a in axes]), 1))


standardized = several(
    "standardize", _standardize, ("out", "scale", "mean", "var"), grad_name="NativeLayerNormBackward0", x=_rule
)


# ---- mean square 1 --------------------------------------------------------------------------------------------------
def _length_one(x: Any, axes: Axes, eps: float) -> tuple[Any, Any]:
    kind, x = x.dtype, wide(x)
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
    weight, bias = in_type_of(x, weight), in_type_of(x, bias)
    if weight is not None and bias is not None:
        return _scaled_and_shifted(x, weight, bias)
    if weight is not None:
        return x * weight
    return x if bias is None else x + bias


def in_type_of(x: Tensor, given: Tensor | None) -> Tensor | None:
    kind = x._array.dtype
    if given is None or given._array.dtype is kind:
        return given
    if kind.itemsize != 2 and given._array.dtype != kind:
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
    return cast(given, kind)


def per_channel(x: Tensor | None, ndim: int) -> Tensor | None:
    """A vector of one value per channel, in a shape that broadcasts over (N, C, *) of `ndim` dimensions."""
    return x if x is None or ndim == 2 else x.reshape(-1, *(1,) * (ndim - 2))
