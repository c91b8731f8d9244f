"""Pooling as layers. What they compute is in `ops/pooling/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..network import Module
from ..ops.pooling.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from ..ops.pooling.average import avg_pool1d, avg_pool2d, avg_pool3d, lp_pool1d, lp_pool2d, lp_pool3d
from ..ops.pooling.fractional import fractional_max_pool2d, fractional_max_pool3d
from ..ops.pooling.maximum import max_pool1d, max_pool2d, max_pool3d
from ..ops.pooling.unpool import max_unpool1d, max_unpool2d, max_unpool3d
from ..tensor import Tensor
from .conv import Sizes, per_dimension

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _Pool(Module):
    """`dims` and `pool`, the function that it calls, are the subclasses'."""

    dims: int
    pool: Callable[..., Any]


# ---- largest ---------------------------------------------------------------------------------------------------------
class _MaxPoolNd(_Pool):
    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return type(self).pool(
            input, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of each window. Shape: (N, C, L) or (C, L) → (N, C, L′). PyTorch's `nn.MaxPool1d`."""

    dims = 1
    pool = max_pool1d


class MaxPool2d(_MaxPoolNd):
    """The largest element of each window, `stride` (by default a window) apart.

    With `return_indices` the call also gives their places, for `MaxUnpool2d`.
    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Source: PyTorch's `nn.MaxPool2d`.

    >>> MaxPool2d(2)(mini_torch.arange(8.).reshape(1, 2, 4))
    tensor([[[5., 7.]]])
    """

    dims = 2
    pool = max_pool2d


class MaxPool3d(_MaxPoolNd):
    """The largest element of each window of a volume. PyTorch's `nn.MaxPool3d`."""

    dims = 3
    pool = max_pool3d


class _MaxUnpoolNd(_Pool):
    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self.dims)
        self.stride = per_dimension(stride if stride is not None else kernel_size, self.dims)
        self.padding = per_dimension(padding, self.dims)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        out: Tensor = type(self).pool(input, indices, self.kernel_size, self.stride, self.padding, output_size)
        return out

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """The way back from `MaxPool1d`. PyTorch's `nn.MaxUnpool1d`."""

    dims = 1
    pool = max_unpool1d


class MaxUnpool2d(_MaxUnpoolNd):
    """The way back from `MaxPool2d`: each element to the place that its index says, zeros elsewhere.

    Shape: input and indices (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Source: PyTorch's `nn.MaxUnpool2d`.
    """

    dims = 2
    pool = max_unpool2d


class MaxUnpool3d(_MaxUnpoolNd):
    """The way back from `MaxPool3d`. PyTorch's `nn.MaxUnpool3d`."""

    dims = 3
    pool = max_unpool3d


class _FractionalMaxPoolNd(_Pool):
    def __init__(
        self, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self.dims)
        if min(self.kernel_size) <= 0 and self.dims == 3:
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = per_dimension(output_size, self.dims) if output_size is not None else None
        self.output_ratio = per_dimension(output_ratio, self.dims) if output_ratio is not None else None
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        return type(self).pool(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The largest elements of windows at random places, so many that the output has the size asked for.

    Source: Graham 2014, "Fractional max-pooling"; PyTorch's `nn.FractionalMaxPool2d`.
    """

    dims = 2
    pool = fractional_max_pool2d


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """`FractionalMaxPool2d` of volumes. PyTorch's `nn.FractionalMaxPool3d`."""

    dims = 3
    pool = fractional_max_pool3d


# ---- mean ------------------------------------------------------------------------------------------------------------
class _AvgPoolNd(_Pool):
    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = type(self).pool(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip
        return out

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window. Shape: (N, C, L) or (C, L) → (N, C, L′). PyTorch's `nn.AvgPool1d`."""

    dims = 1

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.kernel_size = per_dimension(self.kernel_size, 1)
        self.stride = per_dimension(self.stride, 1)
        self.padding = per_dimension(self.padding, 1)
        del self.divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class AvgPool2d(_AvgPoolNd):
    """The mean of each window, `stride` (by default a window) apart.

    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Source: PyTorch's `nn.AvgPool2d`.

    >>> AvgPool2d(2)(mini_torch.arange(8.).reshape(1, 2, 4))
    tensor([[[2.5000, 4.5000]]])
    """

    dims = 2
    pool = avg_pool2d


class AvgPool3d(_AvgPoolNd):
    """The mean of each window of a volume. PyTorch's `nn.AvgPool3d`."""

    dims = 3
    pool = avg_pool3d


class _LPPoolNd(_Pool):
    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = type(self).pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)
        return out

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """(Σ xᵖ)^(1/p) of each window. PyTorch's `nn.LPPool1d`."""

    dims = 1
    pool = lp_pool1d


class LPPool2d(_LPPoolNd):
    """(Σ xᵖ)^(1/p) of each window, p being `norm_type`. PyTorch's `nn.LPPool2d`."""

    dims = 2
    pool = lp_pool2d


class LPPool3d(_LPPoolNd):
    """(Σ xᵖ)^(1/p) of each window of a volume. PyTorch's `nn.LPPool3d`."""

    dims = 3
    pool = lp_pool3d


# ---- to a given size -------------------------------------------------------------------------------------------------
class _AdaptiveMaxPoolNd(_Pool):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return type(self).pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest elements of `output_size` windows. PyTorch's `nn.AdaptiveMaxPool1d`."""

    dims = 1
    pool = adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest elements of as many windows as `output_size` says. PyTorch's `nn.AdaptiveMaxPool2d`."""

    dims = 2
    pool = adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The largest elements of as many windows as `output_size` says. PyTorch's `nn.AdaptiveMaxPool3d`."""

    dims = 3
    pool = adaptive_max_pool3d


class _AdaptiveAvgPoolNd(_Pool):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = type(self).pool(input, self.output_size)
        return out

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The means of `output_size` windows. PyTorch's `nn.AdaptiveAvgPool1d`."""

    dims = 1
    pool = adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The means of as many windows as `output_size` says: a number, or (H′, W′), None keeping the input's.

    Shape: (N, C, H, W) or (C, H, W) → (N, C, H′, W′). Source: PyTorch's `nn.AdaptiveAvgPool2d`.

    >>> AdaptiveAvgPool2d((1, None))(mini_torch.ones(2, 3, 4, 5)).shape
    torch.Size([2, 3, 1, 5])
    """

    dims = 2
    pool = adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The means of as many windows as `output_size` says. PyTorch's `nn.AdaptiveAvgPool3d`."""

    dims = 3
    pool = adaptive_avg_pool3d
