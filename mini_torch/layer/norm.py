"""Normalisation layers that take each sample by itself. What they compute is in `ops/normalization.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtype import check_device, default_numpy_dtype, to_numpy_dtype
from ..initializer import ones_, zeros_
from ..network import Module, Parameter
from ..ops.normalization import group_norm, layer_norm, local_response_norm, rms_norm
from ..tensor import Tensor, wrap

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]

Sizes = int | Sequence[int]


class Scaled(Module):
    """What normalisation layers share: a weight that starts as 1 and a bias that starts as 0, each of them or None."""

    def _add_scale(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        check_device(device)
        kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
        self.register_parameter("weight", Parameter(wrap(np.ones(shape, kind))) if weight else None)
        self.register_parameter("bias", Parameter(wrap(np.zeros(shape, kind))) if weight and bias else None)

    def reset_parameters(self) -> None:
        """Sets weight and bias back to 1 and 0."""
        if self.weight is not None:
            ones_(self.weight)
        if self._parameters.get("bias") is not None:
            zeros_(self.bias)


def _as_shape(sizes: Sizes) -> tuple[int, ...]:
    return (int(sizes),) if hasattr(sizes, "__index__") else tuple(sizes)


class LayerNorm(Scaled):
    """Brings the last dimensions to mean 0 and variance 1, then scales and shifts each element by its own numbers.

    Shape: the last sizes of x are `normalized_shape`, and so are those of weight and bias. Source: Ba et al. 2016,
    "Layer normalization"; PyTorch's `nn.LayerNorm`.

    >>> LayerNorm(2)(mini_torch.tensor([[1., 3.]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(
        self, normalized_shape: Sizes, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_scale(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Scaled):
    """Divides by the root of the mean square over the last dimensions, then scales each element by its own number.

    `eps` is by default the type's machine epsilon. Source: Zhang and Sennrich 2019; PyTorch's `nn.RMSNorm`.
    """

    def __init__(
        self, normalized_shape: Sizes, eps: float | None = None, elementwise_affine: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._add_scale(self.normalized_shape, elementwise_affine, False, device, dtype)
        del self._parameters["bias"]

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Scaled):
    """Brings each group of channels to mean 0 and variance 1, then scales and shifts each channel.

    Shape: x (N, num_channels, *), weight and bias (num_channels). Errors: ValueError where num_channels is not a
    multiple of num_groups. Source: Wu and He 2018, "Group normalization"; PyTorch's `nn.GroupNorm`.
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._add_scale((num_channels,), affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divides by a power of what the neighbouring channels hold. Source: Krizhevsky et al. 2012; PyTorch's own.

    Shape: x (N, C, *) with at least 3 dimensions.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of (N, C, H, W) under its older name. PyTorch's `nn.CrossMapLRN2d`."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)
