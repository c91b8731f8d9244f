"""What brings values to mean 0 and variance 1, or to length 1, sample by sample: layer, group and RMS norm and others.

Layer, group, instance and batch normalisation differ in which values are taken together: `standardize.py` has the
maths, `fused_norm.py` the fast way. The last two are in `batch_norm.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import public, row, takes_out
from ..tensor import Tensor, check_dim
from .activation import need_floats, need_reals
from .fused_norm import norm_of_groups, norm_of_rows
from .linalg.norms import norm
from .standardize import affine, in_type_of, of_length_one, per_channel, standardized

__all__ = ["group_norm", "layer_norm", "local_response_norm", "norm_except_dim", "normalize", "rms_norm"]

Axes = tuple[int, ...]
Size = tuple[int, ...]


# ---- mean 0, variance 1 ---------------------------------------------------------------------------------------------
def _check_normalized(input: Tensor, wanted: Size, **given: Tensor | None) -> Axes:
    """The axes of the last sizes, which must be `wanted`; so must be those of the weights."""
    shape, count = input._array.shape, len(wanted)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, each in given.items():
        if each is not None and each._array.shape != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(each.shape)} "
                f"and normalized_shape = {list(wanted)}"
            )
    if len(shape) < count or shape[len(shape) - count :] != wanted:
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*, {', '.join(map(str, wanted))}], but "
            f"got input of size{list(shape)}"
        )
    return tuple(range(len(shape) - count, len(shape)))


@takes_out
def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """input brought to mean 0 and variance 1 over its last dimensions, then times `weight` plus `bias`.

    Shape: the last sizes of input, weight and bias are `normalized_shape`. Errors: RuntimeError where they are not.
    Source: Ba et al. 2016, "Layer normalization"; PyTorch's `nn.functional.layer_norm`.

    >>> from mini_torch import tensor
    >>> layer_norm(tensor([[1., 3.]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    if not input._array.size:
        return layer_norm_and_moments(input, normalized_shape, weight, bias, eps)[0]
    axes = _check_normalized(input, tuple(normalized_shape), weight=weight, bias=bias)
    need_reals(input, "LayerNormKernelImpl")
    return norm_of_rows(input, in_type_of(input, weight), in_type_of(input, bias), axes, eps)


def layer_norm_and_moments(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`layer_norm`, the means, and 1 / √(variance + eps)."""
    axes = _check_normalized(input, tuple(normalized_shape), weight=weight, bias=bias)
    need_reals(input, "LayerNormKernelImpl")
    out, scale, mean, _ = standardized(input, axes, eps)
    return affine(out, weight, bias), mean, scale


@takes_out
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """input divided by √(mean of its squares + eps) over its last dimensions, then times `weight`.

    `eps` is by default the type's machine epsilon. Shape, errors: as `layer_norm`.
    Source: Zhang and Sennrich 2019, "Root mean square layer normalization"; PyTorch's `nn.functional.rms_norm`.

    >>> from mini_torch import tensor
    >>> rms_norm(tensor([[1., 7.]]), (2,))
    tensor([[0.2000, 1.4000]])
    """
    axes = _check_normalized(input, tuple(normalized_shape), weight=weight)
    need_floats(input, "rms_norm")
    if eps is None:
        eps = float(np.finfo(np.result_type(input._array, np.float32)).eps)
    return affine(of_length_one(input, axes, eps)[0], weight, None)


@takes_out
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each sample's channels in `num_groups` groups, each group brought to mean 0 and variance 1.

    Shape: input (N, C, *), weight and bias (C). Errors: RuntimeError where C is not a multiple of `num_groups`,
    ValueError for groups of a single value. Source: Wu and He 2018, "Group normalization"; PyTorch's
    `nn.functional.group_norm`.
    """
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    check_more_than_one((shape[0] * shape[1] // num_groups, num_groups, *shape[2:]))
    if not input._array.size:
        return group_norm_and_moments(input, num_groups, weight, bias, eps)[0]
    _check_groups(input, num_groups, weight=weight, bias=bias)
    return norm_of_groups(input, in_type_of(input, weight), in_type_of(input, bias), num_groups, eps, {})


def check_more_than_one(shape: Size) -> None:
    """ValueError where a channel (dimension 1) has a single value: its variance would be 0."""
    if math.prod((shape[0], *shape[2:])) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(shape)}")


def group_norm_and_moments(
    input: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm`, and per sample and group the mean and 1 / √(variance + eps)."""
    _check_groups(input, num_groups, weight=weight, bias=bias)
    shape = input._array.shape
    channels = shape[1]
    grouped = input.reshape(shape[0], num_groups, math.prod((channels // num_groups, *shape[2:])))
    out, scale, mean, _ = standardized(grouped, (2,), eps)
    out = affine(out.reshape(shape), per_channel(weight, len(shape)), per_channel(bias, len(shape)))
    return out, mean.squeeze(2), scale.squeeze(2)


def _check_groups(input: Tensor, num_groups: int, **given: Tensor | None) -> None:
    shape = input._array.shape
    channels = shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} "
            f"and num_groups={num_groups}"
        )
    for name, each in given.items():
        if each is not None and each._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(each.shape)} and input of shape {list(shape)}"
            )
    need_reals(input, "GroupNormKernelImpl")


# ---- length 1 -------------------------------------------------------------------------------------------------------
@takes_out
def normalize(input: Tensor, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Tensor:
    """input divided by its p-norm along `dim`, or by `eps` where that is larger.

    Source: PyTorch's `nn.functional.normalize`.

    >>> from mini_torch import tensor
    >>> normalize(tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    length = norm(input, p, dim, keepdim=True).clamp(min=eps)
    return input / length


@public(method=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The p-norm (p = `pow`) of each slice of `v` along `dim`, the other sizes 1; of all of it for dim -1.

    Source: PyTorch's `torch.norm_except_dim`.
    """
    if dim == -1:
        return norm(v, pow)
    kept = check_dim(dim, v._array.ndim)
    others = [axis for axis in range(v._array.ndim) if axis != kept]
    return norm(v, pow, others, keepdim=True)


# ---- neighbouring channels ------------------------------------------------------------------------------------------
def _sum_neighbours(x: Any, before: int, after: int) -> Any:
    """Each channel (dimension 1) with its neighbours: `before` many before and `after` many after it."""
    count = x.shape[1]
    edge = [(0, 0), (before, after)] + [(0, 0)] * (x.ndim - 2)
    padded = np.pad(x, edge)
    out = padded[:, :count]
    for shift in range(1, before + after + 1):
        out = out + padded[:, shift : shift + count]
    return out


_neighbours: Any = row(
    "sum_neighbours", _sum_neighbours, x=lambda g, before, after: _neighbours(g, after, before)
)  # fmt: skip


@takes_out
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """input / (k + alpha · the mean square of the `size` channels around each)ᵝ.

    Shape: input (N, C, *) with at least 3 dimensions. Errors: ValueError for fewer.
    Source: Krizhevsky et al. 2012; PyTorch's `nn.functional.local_response_norm`.
    """
    ndim = input._array.ndim
    if ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {ndim} dimensions)")
    if not input._array.size:
        return input
    near = _neighbours(input * input, size // 2, (size - 1) // 2)
    near = near / size if input._array.dtype.kind == "f" else near // size  # PyTorch pools integers to integers
    return input / (near * alpha + k) ** beta
