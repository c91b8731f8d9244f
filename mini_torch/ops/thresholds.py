"""Activations that cut: thresholds, shrinkage, and the hard forms of tanh, sigmoid and swish, straight in parts.

At its kinks every function has PyTorch's gradient. `inplace=True` writes the result into the input, as there.
"""

from __future__ import annotations

import numpy as np

from ..op import keeps_type, public, quiet, row, takes_out, type_name
from ..tensor import Tensor
from .activation import need_reals, refuse_to_clamp, run_either_way
from .mask import masked

__all__ = [
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "relu6", "softshrink", "threshold", "threshold_",
]  # fmt: skip


_threshold = row(
    "threshold", keeps_type(lambda x, threshold, value: np.where(x <= threshold, value, x)),
    x=lambda g, x, threshold: masked(g, ~(x <= threshold)),
)  # fmt: skip


@takes_out
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where it is above `threshold`, else `value`. Source: PyTorch's `nn.functional.threshold`."""
    if input._array.dtype.kind in "bc":
        raise NotImplementedError(f"\"threshold_cpu\" not implemented for '{type_name(input._array.dtype)}'")
    return run_either_way(_threshold, input, (threshold, value), inplace)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """In-place form of `threshold`."""
    return run_either_way(_threshold, input, (threshold, value), True)


_hardtanh = row(
    "hardtanh", keeps_type(lambda x, low, high: np.clip(x, low, high)),
    x=lambda g, x, low, high: masked(g, ~((x <= low) | (x >= high))),
)  # fmt: skip


@takes_out
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x within [min_val, max_val], the nearest end outside. Source: PyTorch's `nn.functional.hardtanh`."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _between(input, min_val, max_val, inplace)


def _between(input: Tensor, low: float, high: float, inplace: bool) -> Tensor:
    kind = input._array.dtype.kind
    if kind in "bc":
        refuse_to_clamp("hardtanh", input)
    if kind == "u" and low < 0:
        raise RuntimeError(f"cannot do hardtanh on an unsigned type with negative limits: {low} for {input.dtype}")
    return run_either_way(_hardtanh, input, (low, high), inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place form of `hardtanh`."""
    return hardtanh(input, min_val, max_val, True)


@takes_out
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x within [0, 6], the nearest end outside. Source: PyTorch's `nn.functional.relu6`."""
    return _between(input, 0, 6, inplace)


_hardshrink = row(
    "hardshrink", keeps_type(lambda x, lambd: masked(x, ~(np.abs(x) <= lambd))),
    x=lambda g, x, lambd: masked(g, ~(np.abs(x) <= lambd)),
)  # fmt: skip


@public
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0. Source: PyTorch's `nn.functional.hardshrink`."""
    need_reals(input, "hardshrink_cpu")
    return _hardshrink(input, lambd)


_softshrink = row(
    "softshrink", keeps_type(lambda x, lambd: x - np.clip(x, -lambd, lambd)),
    x=lambda g, x, lambd: masked(g, ~(np.abs(x) <= lambd)),
)  # fmt: skip


@takes_out
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, and 0 where |x| ≤ lambd. Source: PyTorch's `nn.functional.softshrink`."""
    need_reals(input, "softshrink_cpu")
    if lambd < 0:
        kind = input._array.dtype
        span = f"[0, {np.finfo(kind).max:g}] for input dtype {type_name(kind)}"
        raise RuntimeError(f"lambda must be in range {span}, but found {lambd:g}")
    return _softshrink(input, lambd)


_hardsigmoid = row(
    "hardsigmoid", keeps_type(lambda x: np.clip(x + 3, 0, 6) / 6),
    x=lambda g, x: masked(g / 6, (x > -3) & (x < 3)),
)  # fmt: skip


@takes_out
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1/2 within [-3, 3], 0 below, 1 above. Source: PyTorch's `nn.functional.hardsigmoid`."""
    need_reals(input, "hardsigmoid_cpu")
    return run_either_way(_hardsigmoid, input, (), inplace)


_hardswish = row(
    "hardswish", quiet(keeps_type(lambda x: x * (np.clip(x + 3, 0, 6) / 6))),
    x=lambda g, x: masked(g * (x / 3 + 0.5), (x > -3) & (x < 3)) + masked(g, ~(x < 3)),
)  # fmt: skip


@takes_out
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x). Source: Howard et al. 2019; PyTorch's `nn.functional.hardswish`."""
    need_reals(input, "hardswish_cpu")
    return run_either_way(_hardswish, input, (), inplace)
