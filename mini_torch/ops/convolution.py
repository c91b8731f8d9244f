"""Convolution in any number of dimensions, and its transpose.

A convolution is linear in the input x, in the weight, and (paired with a gradient y) in y: one trilinear form
Σ y[n, o, i] x[n, c, i·stride + tap·dilation - before] weight[o, c, tap]. Three rows are the form with one of the three
left open; each row's gradients are the other two, which closes derivatives of every order:

    correlate  x, weight → y      spread  y, weight → x (the transposed convolution)      weigh  x, y → weight

Each is a product of matrices, with the windows as columns (Chellapilla, Puri, Simard 2006, "High performance
convolutional neural networks for document processing"), in blocks that stay in the cache: see `columns`. Small images
whose channels have a kernel each go to `depthwise`.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import unit
from ..op import fused, rounds_once, row, type_name
from ..tensor import Tensor
from .columns import columns_of, samples_at_once
from .depthwise import correlate_each, spread_each, weigh_each
from .reduction.sums import sums_of_rows
from .spatial import Shape, Sizes, need_tensor, need_types, per_dimension
from .standardize import wide
from .window import Windows, cuts, unframed, windows_of

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip

_SHORT = 7  # windows per tap of a row: with more, the zeros of a banded matrix take longer than columns
_BOTH = 1 << 16  # elements of a weight: turning around a larger one takes as long as columns of one's own
_FAR_MORE = 6  # times as many columns, from which on adding up is cheaper


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


# ---- the three rows --------------------------------------------------------------------------------------------------
@unit
@_halves_as_floats
def _correlate(x: Any, weight: Any, w: Windows, groups: int, bias: Any = None) -> Any:
    n, channels, outputs = len(x), x.shape[1], len(weight)
    each = _depthwise(channels, outputs, w, groups)
    if each and (out := _if_finite(correlate_each, x, weight, w, bias)) is not None:
        return out
    matrix = weight.reshape(groups, outputs // groups, channels // groups * w.taps)
    shift = None if bias is None else bias.reshape(groups, -1, 1)
    if _pointwise(w):
        y = np.matmul(matrix, x.reshape(n, groups, channels // groups, -1))
        return _shifted(y, shift).reshape(n, outputs, *w.counts)
    out = np.empty((n, outputs, *w.counts), x.dtype)
    for samples, rows, part, columns in columns_of(w, groups, channels, outputs).blocks(x):
        out[samples, :, rows] = part.images(_shifted(np.matmul(matrix, columns), shift))
    return out


def _shifted(y: Any, shift: Any) -> Any:
    """y plus the bias, in y's memory, while it is in the cache."""
    if shift is not None:
        y += shift
    return y


@unit
@_halves_as_floats
def _weigh(x: Any, y: Any, w: Windows, groups: int) -> Any:
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
def _spread(y: Any, weight: Any, w: Windows, groups: int) -> Any:
    n, outputs, per_group = len(y), len(weight), weight.shape[1]
    each = _depthwise(groups * per_group, outputs, w, groups)
    if each and (out := _if_finite(spread_each, y, weight, w)) is not None:
        return out
    # A correlation with the taps in reverse has nothing to add up; it pays unless its columns are far more than ours.
    if max(w.stride) == 1 and outputs // groups * math.prod(w.size) <= _FAR_MORE * per_group * math.prod(w.counts):
        return _correlate(y, _flipped(weight, groups), w.turned, groups)
    if max(w.stride) > 1 and max(w.dilation) == 1:
        return _spread_by_phases(y, weight, w, groups)
    # The adjoint as it stands: what each tap gives, as columns, is added up where the columns were cut out.
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
            place[...] = _spread(y, taps, part, groups)
    return out


def _spread_and_weigh(y: Any, x: Any, weight: Any, w: Windows, groups: int) -> tuple[Any, Any]:
    """`_spread` of y and `_weigh` of x and y at once, where y's columns on the way back serve both products."""
    channels, outputs = x.shape[1], y.shape[1]
    matrix = _flipped(weight, groups).reshape(groups, channels // groups, outputs // groups * w.taps)
    dx, dw = np.empty(x.shape, x.dtype), np.zeros(matrix.shape, x.dtype)
    for samples, rows, part, columns in columns_of(w.turned, groups, outputs, channels).blocks(y):
        dx[samples, :, rows] = part.images(np.matmul(matrix, columns))
        dw += part.weighed(columns, x[samples, :, rows])
    return dx, _flipped(dw.reshape(channels, outputs // groups, *w.kernel), groups)


def _serve_both(x: Any, weight: Any, w: Windows, groups: int) -> bool:
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


correlate = row(
    "correlate", lambda x, weight, w, groups: _correlate(x, weight, w, groups), grad_name="ConvolutionBackward0",
    x=lambda g, weight, w, groups: spread(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(x, g, w, groups),
)  # fmt: skip
spread: Callable[..., Any] = row(
    "spread", _spread, grad_name="ConvolutionBackward0",
    y=lambda g, weight, w, groups: correlate(g, weight, w, groups),
    weight=lambda g, y, w, groups: weigh(g, y, w, groups),
)  # fmt: skip
weigh: Callable[..., Any] = row(
    "weigh", _weigh, grad_name="ConvolutionBackwardBackward0",
    x=lambda g, y, w, groups: spread(y, g, w, groups),
    y=lambda g, x, w, groups: correlate(x, g, w, groups),
)  # fmt: skip


@unit
def _spread_plus_bias(x: Any, weight: Any, bias: Any, w: Windows, groups: int) -> Any:
    return _shifted(_spread(x, weight, w, groups), bias.reshape(-1, *[1] * len(w.size)))


@unit
def _channel_sums(x: Any) -> Any:
    sums = sums_of_rows(wide(x).reshape(*x.shape[:2], math.prod(x.shape[2:])))
    return np.add.reduce(sums, axis=0).astype(x.dtype, copy=False)


channel_sums = row(
    "channel_sums", _channel_sums, grad_name="SumBackward1",
    x=lambda g, shape: np.broadcast_to(np.reshape(g, (1, -1, *[1] * (len(shape) - 2))), shape),
)  # fmt: skip


def _bias_rule(g: Any) -> Any:
    return channel_sums(g)


_correlate_biased = row(
    "correlate_biased", lambda x, weight, bias, w, groups: _correlate(x, weight, w, groups, bias),
    grad_name="ConvolutionBackward0", x=lambda g, weight, w, groups: spread(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(x, g, w, groups), bias=_bias_rule,
)  # fmt: skip
def _convolved(keep: bool, x: Any, weight: Any, bias: Any, w: Windows, groups: int) -> tuple[Any, None]:
    return _correlate(x, weight, w, groups, bias), None


def _convolution_backward(
    g: Any, kept: None, wanted: list[bool], x: Any, weight: Any, bias: Any, w: Windows, groups: int
) -> tuple[Any, Any, Any]:
    if wanted[0] and wanted[1] and _serve_both(x, weight, w, groups):
        dx, dw = _spread_and_weigh(g, x, weight, w, groups)
    else:
        dx = _spread(g, weight, w, groups) if wanted[0] else None
        dw = _weigh(x, g, w, groups) if wanted[1] else None
    return dx, dw, _channel_sums(g) if wanted[2] else None


def _plain(x: Any, weight: Any, bias: Any, /, w: Windows, groups: int) -> Tensor:
    out: Tensor = correlate(x, weight, w, groups) if bias is None else _correlate_biased(x, weight, bias, w, groups)
    return out


# (x, weight, bias or None, windows, groups), of real numbers
_convolution = fused("convolution", _convolved, _convolution_backward, _plain)
_spread_biased = row(
    "spread_biased", _spread_plus_bias, grad_name="ConvolutionBackward0",
    x=lambda g, weight, w, groups: correlate(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(g, x, w, groups), bias=_bias_rule,
)  # fmt: skip


def _transposed(x: Tensor, weight: Tensor, bias: Tensor | None, w: Windows, groups: int) -> Tensor:
    out: Tensor = spread(x, weight, w, groups) if bias is None else _spread_biased(x, weight, bias, w, groups)
    return out


# ---- checks ----------------------------------------------------------------------------------------------------------
def _numbers(value: Sizes, dims: int, name: str, argument: str, least: int) -> Shape:
    if isinstance(value, list | tuple) and len(value) not in (1, dims):
        raise RuntimeError(
            f"expected {argument} to be a single integer value or a list of {dims} values to match the convolution "
            f"dimensions, but got {argument}={list(value)}"
        )
    numbers = per_dimension(value, dims, name, argument)
    if min(numbers) < least:
        raise RuntimeError(f"{'non-positive' if least else 'negative'} {argument} is not supported: got {numbers}")
    return numbers


def _check_tensors(name: str, input: Tensor, weight: Tensor, bias: Tensor | None, dims: int) -> None:
    """Their being tensors, of one type, and their dimensions."""
    need_tensor(input, name)
    need_tensor(weight, name, "weight", 2)
    shape = input._array.shape
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got input of size: "
            f"{list(shape)}"
        )
    if weight._array.ndim != dims + 2:
        raise RuntimeError(
            f"{name}: expected a {dims + 2}-dimensional weight for input {list(shape)}, but got weight of size "
            f"{list(weight.shape)}"
        )
    for label, other in (("weight", weight), ("bias", bias)):
        if other is None:
            continue
        need_tensor(other, name, label, 2)
        if other._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"Input type (torch.{type_name(input._array.dtype)}Tensor) and {label} type "
                f"(torch.{type_name(other._array.dtype)}Tensor) should be the same"
            )


def _check_channels(
    input: Tensor, weight: Tensor, bias: Tensor | None, dims: int, groups: int, transposed: bool
) -> None:
    shape, size = input._array.shape, list(weight.shape)
    given = f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {size}, "
    if groups < 1:
        raise RuntimeError(f"non-positive groups is not supported: got {groups}")
    if size[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{size} instead"
        )
    if size[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size {size} instead"
        )
    wanted = size[0] if transposed else size[1] * groups
    if shape[-dims - 1] != wanted:
        raise RuntimeError(
            f"{given}expected input{list(shape)} to have {wanted} channels, but got {shape[-dims - 1]} channels instead"
        )
    outputs = size[1] * groups if transposed else size[0]
    if bias is not None and bias._array.shape != (outputs,):
        raise RuntimeError(
            f"Given weight of size {size}, expected bias to be 1-dimensional with {outputs} elements, but got bias of "
            f"size {list(bias.shape)} instead"
        )
    if 0 in shape[-dims:]:
        raise RuntimeError(f"Only zero batch or zero channel inputs are supported, but got input shape: {list(shape)}")


def _apply(
    form: Callable[..., Tensor], input: Tensor, weight: Tensor, bias: Tensor | None, w: Windows, groups: int
) -> Tensor:
    """A form of convolution of an input with or without a batch."""
    if input._array.ndim == len(w.size) + 2:
        return form(input, weight, bias, w, groups)
    return form(input.unsqueeze(0), weight, bias, w, groups).squeeze(0)


# ---- convolution -----------------------------------------------------------------------------------------------------
@rounds_once
def _convolve(
    dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: str | Sizes,
    dilation: Sizes, groups: int,
) -> Tensor:  # fmt: skip
    name = f"conv{dims}d"
    _check_tensors(name, input, weight, bias, dims)
    size, kernel = input._array.shape[-dims:], weight._array.shape[2:]
    s = _numbers(stride, dims, name, "stride", 1)
    d = _numbers(dilation, dims, name, "dilation", 1)
    _check_channels(input, weight, bias, dims, groups, False)
    need_types(input, f"slow_conv{dims}d_cpu", "fciu")
    reach = [n * (k - 1) for n, k in zip(d, kernel)]
    if isinstance(padding, str):
        before, total = _named_padding(padding, reach, s)
    else:
        before = _numbers(padding, dims, name, "padding", 0)
        total = [2 * p for p in before]
    count = tuple([(n + t - r - 1) // m + 1 for n, t, r, m in zip(size, total, reach, s)])
    if min(count) < 1:
        padded, reached = [" x ".join(map(str, part)) for part in (map(sum, zip(size, total)), [r + 1 for r in reach])]
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded}). Kernel size: ({reached}). Kernel size can't be "
            f"greater than actual input size (input {list(input.shape)}, weight {list(weight.shape)})"
        )
    w = windows_of(size, kernel, count, s, before, d)
    return _apply(_convolution if input._array.dtype.kind == "f" else _plain, input, weight, bias, w, groups)


def _named_padding(padding: str, reach: list[int], stride: Shape) -> tuple[Shape, list[int]]:
    """Padding ahead, and in total, for 'valid' and 'same'; the odd element of 'same' is behind."""
    if padding == "valid":
        return (0,) * len(reach), [0] * len(reach)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if max(stride) > 1:
        raise RuntimeError(f"padding='same' is not supported for strided convolutions: stride is {stride}")
    return tuple([r // 2 for r in reach]), reach


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0,
    dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """out[n, o, i] = bias[o] + Σ input[n, c, i · stride + t · dilation - padding] weight[o, c, t], over c and t.

    Shape: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O,) → (N, O, L′). See `conv2d`.
    Source: PyTorch's `nn.functional.conv1d`.
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0,
    dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Each output channel is the sum of the input's channels, each correlated with its kernel, plus its bias.

    Shape: input (N, C, H, W) or (C, H, W), weight (O, C / groups, kH, kW), bias (O,) → (N, O, H′, W′), where
    H′ = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1. `padding` may be 'same' (stride 1: H′ = H) or 'valid'
    (none). Errors: RuntimeError for shapes, types or numbers that do not fit. Source: PyTorch's
    `nn.functional.conv2d`.

    >>> conv2d(mini_torch.arange(9.).reshape(1, 1, 3, 3), mini_torch.ones(1, 1, 2, 2))
    tensor([[[[ 8., 12.],
              [20., 24.]]]])
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: str | Sizes = 0,
    dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """As `conv2d`, of volumes.

    Shape: input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, kD, kH, kW), bias (O,) → (N, O, D′, H′, W′).
    Source: PyTorch's `nn.functional.conv3d`.
    """
    return _convolve(3, input, weight, bias, stride, padding, dilation, groups)


# ---- its transpose ---------------------------------------------------------------------------------------------------
@rounds_once
def _transpose(
    dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: Sizes,
    output_padding: Sizes, groups: int, dilation: Sizes,
) -> Tensor:  # fmt: skip
    name = f"conv_transpose{dims}d"
    _check_tensors(name, input, weight, bias, dims)
    count, kernel = input._array.shape[-dims:], weight._array.shape[2:]
    s = _numbers(stride, dims, name, "stride", 1)
    p = _numbers(padding, dims, name, "padding", 0)
    more = _numbers(output_padding, dims, name, "output_padding", 0)
    d = _numbers(dilation, dims, name, "dilation", 1)
    _check_channels(input, weight, bias, dims, groups, True)
    need_types(input, f"slow_conv_transpose{dims}d_out_cpu", "fcl")
    if any(m >= max(a, b) for m, a, b in zip(more, s, d)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding: {more}, stride: "
            f"{s}, dilation: {d}"
        )
    size = tuple([(count[i] - 1) * s[i] - 2 * p[i] + d[i] * (kernel[i] - 1) + more[i] + 1 for i in range(dims)])
    if min(size) < 1:
        raise RuntimeError(
            f"Given input size per channel: {list(count)}. Calculated output size per channel: {list(size)}. Output "
            "size is too small"
        )
    return _apply(_transposed, input, weight, bias, windows_of(size, kernel, count, s, p, d), groups)


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of `conv1d` in its input, plus a bias; see `conv_transpose2d`.

    Shape: input (N, C, L) or (C, L), weight (C, O / groups, K), bias (O,) → (N, O, L′).
    Source: PyTorch's `nn.functional.conv_transpose1d`.
    """
    return _transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of `conv2d` in its input, plus a bias: each element is spread out as a kernel, `stride` apart.

    Shape: input (N, C, H, W) or (C, H, W), weight (C, O / groups, kH, kW), bias (O,) → (N, O, H′, W′), where
    H′ = (H - 1) stride - 2 padding + dilation (kH - 1) + output_padding + 1. Errors: RuntimeError for shapes, types or
    numbers that do not fit. Source: PyTorch's `nn.functional.conv_transpose2d`.

    >>> conv_transpose2d(mini_torch.tensor([[[[1., 2.]]]]), mini_torch.ones(1, 1, 1, 2), stride=(1, 2))
    tensor([[[[1., 1., 2., 2.]]]])
    """
    return _transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of `conv3d` in its input, plus a bias; see `conv_transpose2d`.

    Shape: input (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, kD, kH, kW), bias (O,) → (N, O, D′, H′, W′).
    Source: PyTorch's `nn.functional.conv_transpose3d`.
    """
    return _transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """`conv1d` with the dimensions in the order time, batch, channel.

    Shape: input (T, B, C), weight (K, C, O), bias (O,) → (T′, B, O). Source: PyTorch's `nn.functional.conv_tbc`.
    """
    for label, x, dims in (("Input", input, 3), ("Weight", weight, 3), ("Bias", bias, 1)):
        if x._array.ndim != dims:
            raise RuntimeError(f"{label} must have {dims} dims, got shape {list(x.shape)}")
    if input._array.shape[2] != weight._array.shape[1]:
        raise RuntimeError(
            f"Input dim 2 (input channels) is not == dim 1 in the weight tensor: {list(input.shape)}, "
            f"{list(weight.shape)}"
        )
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)
