"""Batch and instance normalisation: channels brought to mean 0 and variance 1, with running averages of both.

Source: Ioffe and Szegedy 2015, "Batch normalization"; Ulyanov et al. 2016, "Instance normalization".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import takes_out, type_name
from ..tensor import Tensor, wrap
from .activation import need_reals
from .fused_norm import norm_by_averages, norm_of_batch, norm_of_groups
from .normalization import check_more_than_one
from .standardize import in_type_of

__all__ = ["batch_norm", "instance_norm"]


@takes_out
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel brought to mean 0 and variance 1, then times `weight` plus `bias`.

    In training mean and variance are the batch's, and the running ones, if given, move towards them in place by
    `momentum` (the variance as the unbiased one); else they are the running ones. Shape: input (N, C, *), all others
    (C). Errors: ValueError for a single value per channel in training, RuntimeError for sizes that do not fit.
    Source: PyTorch's `nn.functional.batch_norm`.

    >>> from mini_torch import tensor
    >>> batch_norm(tensor([[1.], [3.]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    if training:
        check_more_than_one(input._array.shape)
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    averages = running_mean, running_var
    return _batch_norm(input, weight, bias, averages, training, momentum, eps, {})


def batch_norm_and_moments(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`batch_norm`, and in training per channel the mean and 1 / √(variance + eps); empty tensors else."""
    none, moments = np.zeros((1, 0), input._array.dtype), {}  # type: ignore[var-annotated]
    out = _batch_norm(input, weight, bias, (running_mean, running_var), training, momentum, eps, moments)
    return out, wrap(moments.get("mean", none)[0]), wrap(moments.get("scale", none)[0])


def _batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, averages: tuple[Tensor | None, Tensor | None],
    training: bool, momentum: float, eps: float, moments: dict[str, Any],
) -> Tensor:  # fmt: skip
    mean, var = averages
    if not input._array.size:
        return input.clone()
    _check_channels(input, weight=weight, bias=bias, running_mean=mean, running_var=var)
    weight, bias = in_type_of(input, weight), in_type_of(input, bias)
    if not training:
        if mean is None or var is None:
            raise RuntimeError("running_mean and running_var must be defined in evaluation mode")
        return norm_by_averages(input, weight, bias, mean._array, var._array, eps)
    out = norm_of_batch(input, weight, bias, None, eps, moments)
    count = input._array.size // input._array.shape[1]
    if mean is not None:
        _move(mean, moments["mean"][0], momentum)
    if var is not None:
        _move(var, moments["var"][0], momentum, count / (count - 1) if count > 1 else math.nan)
    return out


def _check_channels(input: Tensor, **given: Tensor | None) -> None:
    if input._array.ndim < 2:
        raise IndexError(f"batch_norm needs an input (N, C, *), got {list(input.shape)}")
    need_reals(input, "batch_norm")
    channels = input._array.shape[1]
    for name, each in given.items():
        if each is None:
            continue
        if each._array.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {each._array.size}")
        if each._array.dtype.kind != "f":
            raise RuntimeError(f"expected scalar type Float but found {type_name(each._array.dtype)} as {name}")


def _move(running: Tensor, found: Any, momentum: float, factor: float = 1.0) -> None:
    """Moves a running average towards what was found, times a factor, in place; outside the graph."""
    old = running._array
    old *= 1 - momentum
    old += found * (momentum * factor)
    running._bump()


@takes_out
def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of each sample brought to mean 0 and variance 1, then times `weight` plus `bias`.

    Running averages, if given, move towards the means over the batch of the samples' means and variances; without
    `use_input_stats` they are used instead. Shape: as `batch_norm`. Errors: ValueError for a single value per channel.
    Source: PyTorch's `nn.functional.instance_norm`.
    """
    shape = input._array.shape
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {list(shape)}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _check_channels(input, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    if not input._array.size:
        return input.clone()
    count = math.prod(shape[2:])
    moments: dict[str, Any] = {}
    out = norm_of_groups(input, in_type_of(input, weight), in_type_of(input, bias), shape[1], eps, moments)
    if running_mean is not None:
        _move(running_mean, moments["mean"].mean(0), momentum)
    if running_var is not None:
        _move(running_var, moments["var"].mean(0), momentum, count / max(count - 1, 1))
    return out
