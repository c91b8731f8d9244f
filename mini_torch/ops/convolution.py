"""Convolution in any number of dimensions, and its transpose.

A convolution is linear in the input x, in the weight, and (paired with a gradient y) in y: one trilinear form
Σ y[n, o, i] x[n, c, i·stride + tap·dilation - before] weight[o, c, tap]. Three rows are the form with one of the three
left open; each row's gradients are the other two, which closes derivatives of every order:

    correlate  x, weight → y      spread  y, weight → x (the transposed convolution)      weigh  x, y → weight

On arrays they are in `convolution_kernels`. For real numbers a convolution is one operation with one way back, which
may make two gradients of the same windows; where that needs a gradient itself, the rows are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import unit
from ..op import fused, rounds_once, row, type_name
from ..tensor import Tensor
from . import convolution_kernels as kernels
from .spatial import Shape, Sizes, need_tensor, need_types, per_dimension
from .window import Windows, windows_of

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip


# ---- the three rows --------------------------------------------------------------------------------------------------
correlate = row(
    "correlate", lambda x, weight, w, groups: kernels.correlate(x, weight, w, groups), grad_name="ConvolutionBackward0",
    x=lambda g, weight, w, groups: spread(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(x, g, w, groups),
)  # fmt: skip
spread: Callable[..., Any] = row(
    "spread", kernels.spread, grad_name="ConvolutionBackward0",
    y=lambda g, weight, w, groups: correlate(g, weight, w, groups),
    weight=lambda g, y, w, groups: weigh(g, y, w, groups),
)  # fmt: skip
weigh: Callable[..., Any] = row(
    "weigh", kernels.weigh, grad_name="ConvolutionBackwardBackward0",
    x=lambda g, y, w, groups: spread(y, g, w, groups),
    y=lambda g, x, w, groups: correlate(x, g, w, groups),
)  # fmt: skip
channel_sums = row(
    "channel_sums", kernels.channel_sums, grad_name="SumBackward1",
    x=lambda g, shape: np.broadcast_to(np.reshape(g, (1, -1, *[1] * (len(shape) - 2))), shape),
)  # fmt: skip


_correlate_biased = row(
    "correlate_biased", lambda x, weight, bias, w, groups: kernels.correlate(x, weight, w, groups, bias),
    grad_name="ConvolutionBackward0", x=lambda g, weight, w, groups: spread(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(x, g, w, groups), bias=lambda g: channel_sums(g),
)  # fmt: skip


@unit
def _spread_plus_bias(x: Any, weight: Any, bias: Any, w: Windows, groups: int) -> Any:
    return kernels.shifted(kernels.spread(x, weight, w, groups), bias.reshape(-1, *[1] * len(w.size)))


_spread_biased = row(
    "spread_biased", _spread_plus_bias, grad_name="ConvolutionBackward0",
    x=lambda g, weight, w, groups: correlate(g, weight, w, groups),
    weight=lambda g, x, w, groups: weigh(g, x, w, groups), bias=lambda g: channel_sums(g),
)  # fmt: skip


def _transposed(x: Tensor, weight: Tensor, bias: Tensor | None, w: Windows, groups: int) -> Tensor:
    out: Tensor = spread(x, weight, w, groups) if bias is None else _spread_biased(x, weight, bias, w, groups)
    return out


# ---- one operation for real numbers ----------------------------------------------------------------------------------
def _forward(keep: bool, x: Any, weight: Any, bias: Any, w: Windows, groups: int) -> tuple[Any, None]:
    return kernels.correlate(x, weight, w, groups, bias), None


def _pull(
    g: Any, kept: None, wanted: list[bool], x: Any, weight: Any, bias: Any, w: Windows, groups: int
) -> tuple[Any, Any, Any]:
    if wanted[0] and wanted[1] and kernels.serve_both(x, weight, w, groups):
        dx, dw = kernels.spread_and_weigh(g, x, weight, w, groups)
    else:
        dx = kernels.spread(g, weight, w, groups) if wanted[0] else None
        dw = kernels.weigh(x, g, w, groups) if wanted[1] else None
    return dx, dw, kernels.channel_sums(g) if wanted[2] else None


def _plain(x: Any, weight: Any, bias: Any, /, w: Windows, groups: int) -> Tensor:
    out: Tensor = correlate(x, weight, w, groups) if bias is None else _correlate_biased(x, weight, bias, w, groups)
    return out


# (x, weight, bias or None, windows, groups)
_convolution = fused("convolution", _forward, _pull, _plain)


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
