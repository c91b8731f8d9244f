"""Activations."""

from __future__ import annotations

import math
from typing import Any

from .graph import Builder, Wire
from .table import kernel, row

__all__: list[str] = []


@row("relu")
def _relu(b: Builder, x: Wire) -> Wire:
    return b.op("Relu", x)


@row("leaky_relu")
def _leaky_relu(b: Builder, x: Wire, slope: float) -> Wire:
    return b.op("LeakyRelu", x, alpha=float(slope))


@row("prelu")
def _prelu(b: Builder, x: Wire, weight: Wire) -> Wire:
    return b.op("PRelu", x, weight)


@row("elu")
def _elu(b: Builder, x: Wire, alpha: float, scale: float, input_scale: float) -> Wire:
    if scale != 1 and input_scale == 1:
        return b.op("Selu", x, alpha=float(alpha), gamma=float(scale))
    if scale == 1 and input_scale == 1:
        return b.op("Elu", x, alpha=float(alpha))
    scaled = b.op("Mul", x, b.constant(input_scale, x.dtype))
    low = b.op("Mul", b.op("Elu", scaled, alpha=float(alpha)), b.constant(scale, x.dtype))
    positive = b.op("Mul", x, b.constant(scale, x.dtype))
    above = b.test("Greater", x, b.constant(0, x.dtype))
    return b.op("Where", above, positive, low)


@row("celu")
def _celu(b: Builder, x: Wire, alpha: float) -> Wire:
    """By Elu of x / alpha: Celu itself is for float32 alone."""
    size = b.constant(alpha, x.dtype)
    if alpha < 0:
        return _elu(b, x, alpha, 1.0, 1.0 / alpha)
    return b.op("Mul", b.op("Elu", b.op("Div", x, size), alpha=1.0), size)


@row("softmax")
def _softmax(b: Builder, x: Wire, dim: int) -> Wire:
    return b.op("Softmax", x, axis=dim)


@row("log_softmax")
def _log_softmax(b: Builder, x: Wire, dim: int) -> Wire:
    return b.op("LogSoftmax", x, axis=dim)


@row("softplus")
def _softplus(b: Builder, x: Wire, beta: float, threshold: float) -> Wire:
    factor = b.constant(beta, x.dtype)
    scaled = x if beta == 1 else b.op("Mul", x, factor)
    smooth: Wire = b.op("Softplus", scaled)
    smooth = smooth if beta == 1 else b.op("Div", smooth, factor)
    if threshold >= 20:  # from there on, the two are the same
        return smooth
    above = b.test("Greater", scaled, b.constant(threshold, x.dtype))
    return b.op("Where", above, x, smooth)


@row("log_sigmoid")
def _log_sigmoid(b: Builder, x: Wire) -> Wire:
    return b.op("Neg", b.op("Softplus", b.op("Neg", x)))


@row("silu")
def _silu(b: Builder, x: Wire) -> Wire:
    return b.op("Mul", x, b.op("Sigmoid", x))


@row("tanh_softplus")
def _tanh_softplus(b: Builder, x: Wire) -> Wire:
    return b.op("Tanh", b.op("Softplus", x))


@row("hardsigmoid")
def _hardsigmoid(b: Builder, x: Wire) -> Wire:
    return b.op("HardSigmoid", x, alpha=1 / 6, beta=0.5)


@row("hardswish")
def _hardswish(b: Builder, x: Wire) -> Wire:
    return b.op("HardSwish", x)


@row("hardtanh")
def _hardtanh(b: Builder, x: Wire, low: Any, high: Any) -> Wire:
    return b.op("Clip", x, b.wire(low, x.dtype), b.wire(high, x.dtype))


@row("threshold")
def _threshold(b: Builder, x: Wire, threshold: float, value: float) -> Wire:
    below = b.test("LessOrEqual", x, b.constant(threshold, x.dtype))
    return b.op("Where", below, b.constant(value, x.dtype), x)


@row("hardshrink", "softshrink")
def _shrink(b: Builder, x: Wire, lambd: float) -> Wire:
    return b.op("Shrink", x, lambd=float(lambd), bias=float(lambd) if b.what == "softshrink" else 0.0)


@kernel("GeluKernelImpl")
def _gelu(b: Builder, x: Wire) -> Wire:
    if b.opset >= 20:
        return b.op("Gelu", x)
    return b.op("Mul", x, _normal_cdf(b, x))


@row("gelu_tanh")
def _gelu_tanh(b: Builder, x: Wire, gate: Wire) -> Wire:
    return b.op("Gelu", x, approximate="tanh") if b.opset >= 20 else b.op("Mul", x, gate)


@row("normal_cdf", "special_ndtr")
def _normal_cdf(b: Builder, x: Wire, *_: Any) -> Wire:
    half = b.constant(0.5, x.dtype)
    e = b.op("Erf", b.op("Mul", x, b.constant(math.sqrt(0.5), x.dtype)))
    return b.op("Add", b.op("Mul", e, half), half)
