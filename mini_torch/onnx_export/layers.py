"""Products, convolutions, pooling, normalisations, resampling: what ONNX has nodes of its own for."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops.window import Windows
from .graph import Builder, NoTranslation, Wire
from .table import kernel, numpy, row

__all__ = ["matmul"]


# ---- products --------------------------------------------------------------------------------------------------------
@row("linear", "linear_no_bias")
def _linear(b: Builder, x: Wire, weight: Wire, bias: Wire | None = None) -> Wire:
    if x.rank == 2:
        return b.op("Gemm", x, weight, bias, transB=1)
    out: Wire = b.op("MatMul", x, b.transpose(weight, (1, 0)))
    return out if bias is None else b.op("Add", out, bias)


@row("mm", "bmm", "mv", "dot")
@numpy("matmul", "dot", "vdot", "inner")
def matmul(b: Builder, x: Wire, y: Wire, *_: Any, **__: Any) -> Wire:
    """x @ y; what NumPy's dot does with more than two dimensions is not here."""
    kind = b.outs[0][1]
    if b.what in ("dot", "inner") and (x.rank > 2 or y.rank > 2 or not x.rank or not y.rank):
        raise NoTranslation("it is np.dot of more than two dimensions; use matmul or einsum")
    if b.what == "mm" and x.kind == "made" and x.node is not None and x.node.op == "Reshape":
        flat = x.node.inputs[0]
        if flat is not None and flat.shape is not None and flat.shape[-1:] == x.dims[-1:]:
            out: Wire = b.op("MatMul", b.cast(flat, kind), b.cast(y, kind))  # as it was before it was flattened
            out.shape = (*flat.shape[:-1], y.dims[-1])
            return b.reshape(out, b.outs[0][0])
    return b.op("MatMul", b.cast(x, kind), b.cast(y, kind))


@row("einsum")
def _einsum(b: Builder, x: Wire, y: Wire, i: Sequence[Any], k: Sequence[Any], out: Sequence[Any]) -> Wire:
    letters: dict[Any, str] = {}
    for name in (*i, *k, *out):
        letters.setdefault(name, string.ascii_letters[len(letters)])
    terms = ["".join(letters[name] for name in term) for term in (i, k, out)]
    return b.op("Einsum", x, y, equation=f"{terms[0]},{terms[1]}->{terms[2]}")


@row("det")
def _det(b: Builder, x: Wire) -> Wire:
    return b.op("Det", x)


# ---- convolution -----------------------------------------------------------------------------------------------------
def _pads(w: Windows) -> list[int]:
    """Padding ahead in all dimensions, then behind. Behind it is as much as the last window needs, or where that leaves
    elements out, as much as ahead."""
    behind = []
    for size, before, span, stride in zip(w.size, w.before, w.span, w.stride):
        short = span - before - size
        behind.append(before if short <= before < short + stride else max(short, 0))
    return [*w.before, *behind]


@kernel("convolution")
def _convolution(
    b: Builder, keep: bool, x: Wire, weight: Wire, bias: Wire | None, w: Windows, groups: int
) -> Wire:
    out: Wire = b.op("Conv", x, weight, bias, kernel_shape=list(w.kernel), strides=list(w.stride), pads=_pads(w),
                     dilations=list(w.dilation), group=groups)  # fmt: skip
    return out


@row("spread")
def _spread(b: Builder, x: Wire, weight: Wire, w: Windows, groups: int) -> Wire:
    return _transposed(b, x, weight, None, w, groups)


@row("spread_biased")
def _spread_biased(b: Builder, x: Wire, weight: Wire, bias: Wire, w: Windows, groups: int) -> Wire:
    return _transposed(b, x, weight, bias, w, groups)


def _transposed(b: Builder, x: Wire, weight: Wire, bias: Wire | None, w: Windows, groups: int) -> Wire:
    more = [size - (span - 2 * before) for size, span, before in zip(w.size, w.span, w.before)]
    out: Wire = b.op("ConvTranspose", x, weight, bias, kernel_shape=list(w.kernel), strides=list(w.stride),
                     pads=[*w.before, *w.before], dilations=list(w.dilation), group=groups,
                     output_padding=more if any(more) else None)  # fmt: skip
    return out


# ---- pooling ---------------------------------------------------------------------------------------------------------
def _batched(b: Builder, x: Wire, dims: int) -> tuple[Wire, bool]:
    """The image with a batch, which ONNX asks for."""
    return (x, False) if x.rank == dims + 2 else (b.unsqueeze(x, [0]), True)


def _ceil(w: Windows) -> int | None:
    """Whether a window reaches over the end of the padding."""
    over = any(span > size + 2 * p for span, size, p in zip(w.span, w.size, w.before))
    return 1 if over else None


def _pool(b: Builder, op: str, x: Wire, w: Windows, count: int = 1, **attributes: Any) -> Any:
    image, single = _batched(b, x, len(w.size))
    made = b.op(op, image, count=count, kernel_shape=list(w.kernel), strides=list(w.stride),
                pads=[*w.before, *w.before], ceil_mode=_ceil(w), **attributes)  # fmt: skip
    outs = made if isinstance(made, list) else [made]
    if single:
        for out, (shape, _) in zip(outs, b.outs):
            out.shape = (1, *shape)
        outs = [b.squeeze(out, [0]) for out in outs]
    return outs if count > 1 else outs[0]


@row("max_pool_values")
def _max_pool(b: Builder, x: Wire, w: Windows) -> Wire:
    dilations = list(w.dilation) if max(w.dilation) > 1 else None
    out: Wire = _pool(b, "MaxPool", x, w, dilations=dilations)
    return out


@kernel("_largest_and_where")
def _max_pool_and_where(b: Builder, x: Wire, w: Windows) -> list[Wire]:
    """ONNX counts places through the whole tensor, and we in each image."""
    dilations = list(w.dilation) if max(w.dilation) > 1 else None
    values, places = _pool(b, "MaxPool", x, w, count=2, dilations=dilations)
    places.dtype = np.dtype(np.int64)
    return [values, b.op("Mod", places, b.constant(math.prod(w.size), np.int64))]


@row("avg_pool")
def _avg_pool(b: Builder, x: Wire, w: Windows, divisor: Any, node: str) -> Any:
    if isinstance(divisor, int) and divisor == w.taps:
        padded: int | None = 1 if any(w.before) else None
    else:
        padded = _counted(b, x, w, divisor)
    return _pool(b, "AveragePool", x, w, count_include_pad=padded)


def _counted(b: Builder, x: Wire, w: Windows, divisor: Any) -> int | None:
    """ONNX' count_include_pad for elements counted window by window."""
    if isinstance(divisor, int):
        raise NoTranslation(f"it divides by {divisor}, and not by the number of elements (divisor_override)")
    if _ceil(w) and any(w.before):
        raise NoTranslation("it has ceil_mode and padding, which runtimes count in different ways")
    return None


# ---- normalisation ---------------------------------------------------------------------------------------------------
@kernel("batch_norm_by_averages")
def _batch_norm(
    b: Builder, keep: bool, x: Wire, weight: Wire | None, bias: Wire | None, mean: Wire, var: Wire, eps: float
) -> Wire:
    channels = x.dims[1]
    scale = weight or b.constant(np.ones(channels, x.dtype))
    shift = bias or b.constant(np.zeros(channels, x.dtype))
    return b.op("BatchNormalization", x, scale, shift, mean, var, epsilon=float(eps))


@kernel("batch_norm", "group_norm")
def _norm_of_input(
    b: Builder, keep: bool, x: Wire, weight: Wire | None, bias: Wire | None, groups: int | None, eps: float, *_: Any
) -> Wire:
    return _group_norm(b, x, weight, bias, groups, eps) if groups else _norm_of_batch(b, x, weight, bias, eps)


def _norm_of_batch(b: Builder, x: Wire, weight: Wire | None, bias: Wire | None, eps: float) -> Wire:
    """Each channel by its moments over the batch: a group norm of the channels of one long sample."""
    shape, order = x.dims, [1, 0, *range(2, x.rank)]
    rows = b.reshape(b.transpose(x, order), (1, shape[1], x.size // shape[1]))
    ones, zeros = [b.constant(np.full(shape[1], v, x.dtype)) for v in (1, 0)]
    out: Wire = b.op("InstanceNormalization", rows, weight or ones, bias or zeros, epsilon=float(eps))
    out.shape = rows.dims
    return b.transpose(b.reshape(out, [shape[a] for a in order]), order)


@kernel("layer_norm")
def _layer_norm(
    b: Builder, keep: bool, x: Wire, weight: Wire | None, bias: Wire | None, axes: Sequence[int], eps: float
) -> Wire:
    shape = tuple([x.dims[a] for a in axes])
    scale = weight or b.constant(np.ones(shape, x.dtype))
    return b.op("LayerNormalization", x, scale, bias, axis=len(axes) and min(axes) - x.rank, epsilon=float(eps))


def _group_norm(b: Builder, x: Wire, weight: Wire | None, bias: Wire | None, groups: int, eps: float) -> Wire:
    """By InstanceNormalization of (N, groups, the rest), as ONNX' GroupNormalization of opset 18 scales groups."""
    shape = x.shape or ()
    ones, zeros = [b.constant(np.full(n, v, x.dtype)) for n, v in ((groups, 1), (groups, 0))]
    if groups == shape[1] and len(shape) > 2:
        channels = [w if w is not None else v for w, v in ((weight, ones), (bias, zeros))]
        return b.op("InstanceNormalization", x, *channels, epsilon=float(eps))
    grouped = b.reshape(x, (shape[0], groups, math.prod(shape[1:]) // groups))
    out: Wire = b.op("InstanceNormalization", grouped, ones, zeros, epsilon=float(eps))
    out.shape = grouped.shape
    out = b.reshape(out, shape)
    for op, each in (("Mul", weight), ("Add", bias)):
        if each is not None:
            out = b.op(op, out, b.reshape(each, (shape[1], *[1] * (len(shape) - 2))))
    return out


@kernel("rms_norm")
def _rms_norm(b: Builder, x: Wire, axes: Sequence[int], eps: float) -> list[Wire]:
    mean: Wire = b.op("ReduceMean", b.op("Mul", x, x), b.ints(axes), keepdims=1)
    mean.dtype = x.dtype
    scale = b.op("Reciprocal", b.op("Sqrt", b.op("Add", mean, b.constant(eps, x.dtype))))
    return [b.op("Mul", x, scale), scale]
