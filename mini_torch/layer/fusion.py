"""A linear map and the batch normalisation behind it as one map, for evaluation.

The normalisation is (y - mean) · scale + bias with scale = weight / √(variance + eps), so scale goes into the map's
weight. Source: PyTorch's `nn.utils.fusion`.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from ..network import Module, Parameter
from ..tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

M = TypeVar("M", bound=Module)
Given = Tensor | None


def _scale_and_shift(
    b: Given, mean: Tensor, var: Tensor, eps: float, weight: Given, bias: Given
) -> tuple[Tensor, Tensor]:
    """What the map's weight is multiplied by, and its new bias."""
    scale = (var + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = (-mean if b is None else b - mean) * scale
    return scale, shift if bias is None else shift + bias


def _as_parameters(w: Tensor, b: Given, new_w: Tensor, new_b: Tensor) -> tuple[Parameter, Parameter]:
    kind, trained = (w.dtype, False) if b is None else (b.dtype, b.requires_grad)  # as in PyTorch
    return Parameter(new_w.detach().to(w.dtype), w.requires_grad), Parameter(new_b.detach().to(kind), trained)


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Given, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Given, bn_b: Given,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of a convolution and the normalisation of its channels. PyTorch's
    `nn.utils.fuse_conv_bn_weights`."""
    scale, shift = _scale_and_shift(conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    return _as_parameters(conv_w, conv_b, conv_w * scale.reshape(shape), shift)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Given, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Given, bn_b: Given
) -> tuple[Parameter, Parameter]:
    """Weight and bias of a linear layer and the normalisation of its outputs. PyTorch's
    `nn.utils.fuse_linear_bn_weights`."""
    scale, shift = _scale_and_shift(linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    return _as_parameters(linear_w, linear_b, linear_w * scale.unsqueeze(-1), shift)


def _check(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def _norm_of(bn: Any) -> tuple[Any, Any, Any, Any, Any]:
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """A convolution that does what `conv` and then `bn` do in evaluation; `transpose` for a transposed one.

    Errors: AssertionError in training, or without running averages. PyTorch's `nn.utils.fuse_conv_bn_eval`.
    """
    _check(conv, bn)
    fused: Any = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(fused.weight, fused.bias, *_norm_of(bn), transpose=transpose)
    return fused


def fuse_linear_bn_eval(linear: M, bn: Module) -> M:
    """A linear layer that does what `linear` and then `bn` do in evaluation.

    Errors: AssertionError as `fuse_conv_bn_eval`, and where the features do not fit. PyTorch's
    `nn.utils.fuse_linear_bn_eval`.
    """
    _check(linear, bn)
    fused: Any = copy.deepcopy(linear)
    features: Any = bn.num_features
    if fused.out_features != features and features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features="
            f"{fused.out_features} and bn.num_features={features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *_norm_of(bn))
    return fused
