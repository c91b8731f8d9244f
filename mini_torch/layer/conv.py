"""Convolution layers in one, two and three dimensions, their transposes, and the lazy kinds of all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..creation import empty
from ..initializer import kaiming_uniform_, uniform_
from ..network import LazyModuleMixin, Module, Parameter, UninitializedParameter
from ..ops.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from ..ops.padding import pad
from ..tensor import Tensor

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
]  # fmt: skip

Sizes = int | tuple[int, ...]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def per_dimension(value: Any, dims: int) -> tuple[Any, ...]:
    """One number as `dims` equal ones; several as they are."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,) * dims


class _ConvNd(Module):
    """What all convolutions share. `dims` and `apply_to`, the function that they call, are the subclasses'.

    The weight starts uniform in ±1/√(inputs per output element), and so does the bias.
    """

    dims: int
    apply_to: Callable[..., Tensor]
    transposed = False
    padding_mode = "zeros"  # of what was pickled before PyTorch 1.1

    def _set_up(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes, padding: str | Sizes,
        dilation: Sizes, output_padding: Sizes, groups: int, padding_mode: str,
    ) -> None:  # fmt: skip
        """Keeps the numbers, after checks."""
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        if in_channels % groups:
            raise ValueError(f"in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups:
            raise ValueError(f"out_channels must be divisible by groups, got {out_channels} and {groups}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dimension(kernel_size, self.dims)
        self.stride = per_dimension(stride, self.dims)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, self.dims)
        self.dilation = per_dimension(dilation, self.dims)
        self.output_padding = per_dimension(output_padding, self.dims)
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError(f"padding='same' is not supported for strided convolutions, got stride={self.stride}")

    def _weight_shape(self) -> tuple[int, ...]:
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        return outer, inner // self.groups, *self.kernel_size

    def _start(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight: Any = Parameter(empty(self._weight_shape(), device=device, dtype=dtype))
        start: Any = Parameter(empty(self.out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", start)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * len(value):
                parts.append(f"{name}={value}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(_ConvNd):
    """What `Conv1d`, `Conv2d` and `Conv3d` share."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: str | Sizes = 0,
        dilation: Sizes = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._set_up(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, padding_mode)
        self._start(bias, device, dtype)

    def _sides(self) -> list[int]:
        """The padding as `pad` takes it: before and after, from the last dimension on."""
        if isinstance(self.padding, tuple):
            return [p for p in reversed(self.padding) for _ in range(2)]
        reach = [d * (k - 1) if self.padding == "same" else 0 for d, k in zip(self.dilation, self.kernel_size)]
        return [side for r in reversed(reach) for side in (r // 2, r - r // 2)]

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding: str | Sizes = self.padding
        if self.padding_mode != "zeros":
            input, padding = pad(input, self._sides(), mode=self.padding_mode), 0
        return type(self).apply_to(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolution along the last dimension, plus a bias. See `Conv2d`.

    Shape: (N, in_channels, L) or (in_channels, L) → (N, out_channels, L′). Source: PyTorch's `nn.Conv1d`.
    """

    dims = 1
    apply_to = conv1d


class Conv2d(_Conv):
    """Each output channel is the sum of the input channels, each correlated with a kernel of its own, plus a bias.

    `padding` zeros on every side (or as `padding_mode` says: 'reflect', 'replicate', 'circular'), 'same' or 'valid';
    with `groups`, channels are split, and each part sees its part of the input only.
    Shape: (N, in_channels, H, W) or (in_channels, H, W) → (N, out_channels, H′, W′), H′ = ⌊(H + 2 padding - dilation
    (kernel_size - 1) - 1) / stride⌋ + 1; weight (out_channels, in_channels / groups, kH, kW), bias (out_channels,).
    Errors: ValueError for numbers that do not fit. Source: LeCun et al. 1989, "Backpropagation applied to handwritten
    zip code recognition"; PyTorch's `nn.Conv2d`.

    >>> Conv2d(3, 8, 5, padding=2)(mini_torch.zeros(1, 3, 28, 28)).shape
    torch.Size([1, 8, 28, 28])
    """

    dims = 2
    apply_to = conv2d


class Conv3d(_Conv):
    """Convolution of volumes, plus a bias. See `Conv2d`.

    Shape: (N, in_channels, D, H, W) or (in_channels, D, H, W) → (N, out_channels, D′, H′, W′).
    Source: PyTorch's `nn.Conv3d`.
    """

    dims = 3
    apply_to = conv3d


class _ConvTransposeNd(_ConvNd):
    """What `ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d` share."""

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0,
        output_padding: Sizes = 0, groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__()
        self._set_up(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, padding_mode
        )
        self._start(bias, device, dtype)

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """What must be added behind for the output to have `output_size`."""
        if output_size is None:
            return self.output_padding
        dims, lead = self.dims, input.dim() - self.dims
        wanted = list(output_size[lead:] if len(output_size) == lead + dims else output_size)
        if len(wanted) != dims:
            raise ValueError(
                f"ConvTranspose{dims}D: for {input.dim()}D input, output_size must have {dims} or {lead + dims} "
                f"elements (got {len(wanted)})"
            )
        numbers = zip(input.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in numbers]
        most = [size + s - 1 for size, s in zip(least, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.shape[lead:]})"
            )
        return tuple([size - low for size, low in zip(wanted, least)])

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        more = self._output_padding(input, output_size)
        return type(self).apply_to(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTransposeNd):
    """The adjoint of a `Conv1d` in its input, plus a bias. See `ConvTranspose2d`.

    Shape: (N, in_channels, L) or (in_channels, L) → (N, out_channels, L′). Source: PyTorch's `nn.ConvTranspose1d`.
    """

    dims = 1
    apply_to = conv_transpose1d


class ConvTranspose2d(_ConvTransposeNd):
    """The adjoint of a `Conv2d` in its input, plus a bias: every element is spread out as a kernel.

    Where several input sizes of the convolution give one output size, `output_padding`, or `output_size` in the call,
    says which one is meant.
    Shape: (N, in_channels, H, W) or (in_channels, H, W) → (N, out_channels, H′, W′), H′ = (H - 1) stride - 2 padding +
    dilation (kernel_size - 1) + output_padding + 1; weight (in_channels, out_channels / groups, kH, kW), bias
    (out_channels,). Errors: ValueError for numbers that do not fit. Source: PyTorch's `nn.ConvTranspose2d`.

    >>> ConvTranspose2d(4, 2, 3, stride=2)(mini_torch.zeros(1, 4, 5, 5), output_size=(12, 11)).shape
    torch.Size([1, 2, 12, 11])
    """

    dims = 2
    apply_to = conv_transpose2d


class ConvTranspose3d(_ConvTransposeNd):
    """The adjoint of a `Conv3d` in its input, plus a bias. See `ConvTranspose2d`.

    Shape: (N, in_channels, D, H, W) or (in_channels, D, H, W) → (N, out_channels, D′, H′, W′).
    Source: PyTorch's `nn.ConvTranspose3d`.
    """

    dims = 3
    apply_to = conv_transpose3d


# ---- lazy ------------------------------------------------------------------------------------------------------------
class _LazyConv(LazyModuleMixin, _ConvNd):
    """What the lazy convolutions share: in_channels is taken from the first input, the parameters stay the same."""

    def _start(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(device=device, dtype=dtype) if bias else None)

    def reset_parameters(self) -> None:
        """Draws weight and bias anew, if they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        if input.dim() not in (self.dims + 1, self.dims + 2):
            raise RuntimeError(
                f"Expected {self.dims + 1}D (unbatched) or {self.dims + 2}D (batched) input to {type(self).__name__}, "
                f"but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[-self.dims - 1]
        if self.in_channels % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, got {self.in_channels} and {self.groups}")
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyForward(_LazyConv, _Conv):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: str | Sizes = 0, dilation: Sizes = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )


class _LazyTranspose(_LazyConv, _ConvTransposeNd):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
        groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation, padding_mode, device,
            dtype,
        )  # fmt: skip


class LazyConv1d(_LazyForward, Conv1d):
    """A `Conv1d` that takes in_channels from its first input. PyTorch's `nn.LazyConv1d`."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyForward, Conv2d):
    """A `Conv2d` that takes in_channels from its first input. PyTorch's `nn.LazyConv2d`.

    >>> layer = LazyConv2d(4, 3)
    >>> layer(mini_torch.zeros(1, 2, 8, 8)).shape, layer
    (torch.Size([1, 4, 6, 6]), Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1)))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyForward, Conv3d):
    """A `Conv3d` that takes in_channels from its first input. PyTorch's `nn.LazyConv3d`."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTranspose, ConvTranspose1d):
    """A `ConvTranspose1d` that takes in_channels from its first input. PyTorch's `nn.LazyConvTranspose1d`."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTranspose, ConvTranspose2d):
    """A `ConvTranspose2d` that takes in_channels from its first input. PyTorch's `nn.LazyConvTranspose2d`."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTranspose, ConvTranspose3d):
    """A `ConvTranspose3d` that takes in_channels from its first input. PyTorch's `nn.LazyConvTranspose3d`."""

    cls_to_become = ConvTranspose3d
