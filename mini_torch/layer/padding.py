"""Padding layers: a border around the last one, two or three dimensions."""

from __future__ import annotations

from ..network import Module
from ..ops.padding import pad
from ..tensor import Tensor
from .conv import Sizes, per_dimension

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d",
    "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """`padding` is (before, after) of the last dimension, then of the one before it …, or one number for all."""

    dims: int
    mode: str

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding = per_dimension(padding, 2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """A border of `value` before and after the last dimension. PyTorch's `nn.ConstantPad1d`."""

    dims = 1


class ConstantPad2d(_ConstantPadNd):
    """A border of `value` around the last two dimensions. PyTorch's `nn.ConstantPad2d`.

    >>> ConstantPad2d((1, 0, 0, 0), 7.)(mini_torch.zeros(1, 2, 2))
    tensor([[[7., 0., 0.],
             [7., 0., 0.]]])
    """

    dims = 2


class ConstantPad3d(_ConstantPadNd):
    """A border of `value` around the last three dimensions. PyTorch's `nn.ConstantPad3d`."""

    dims = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPadNd, ConstantPad1d):
    """Zeros before and after the last dimension. PyTorch's `nn.ZeroPad1d`."""


class ZeroPad2d(_ZeroPadNd, ConstantPad2d):
    """A border of zeros around the last two dimensions. PyTorch's `nn.ZeroPad2d`."""


class ZeroPad3d(_ZeroPadNd, ConstantPad3d):
    """A border of zeros around the last three dimensions. PyTorch's `nn.ZeroPad3d`."""


class _ReflectionPadNd(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """The inside, mirrored at the outermost elements. PyTorch's `nn.ReflectionPad1d`."""

    dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """The inside, mirrored at the outermost elements. PyTorch's `nn.ReflectionPad2d`."""

    dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """The inside, mirrored at the outermost elements. PyTorch's `nn.ReflectionPad3d`."""

    dims = 3


class _ReplicationPadNd(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """The outermost elements, again and again. PyTorch's `nn.ReplicationPad1d`."""

    dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """The outermost elements, again and again. PyTorch's `nn.ReplicationPad2d`."""

    dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """The outermost elements, again and again. PyTorch's `nn.ReplicationPad3d`."""

    dims = 3


class _CircularPadNd(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"expected {self.dims + 1}D or {self.dims + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPadNd):
    """What comes in at one end goes out at the other. PyTorch's `nn.CircularPad1d`."""

    dims = 1


class CircularPad2d(_CircularPadNd):
    """What comes in at one side goes out at the other. PyTorch's `nn.CircularPad2d`."""

    dims = 2


class CircularPad3d(_CircularPadNd):
    """What comes in at one side goes out at the other. PyTorch's `nn.CircularPad3d`."""

    dims = 3
