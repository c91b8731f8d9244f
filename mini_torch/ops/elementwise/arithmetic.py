"""Sums, differences, products, signs, and whole-number arithmetic."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ...op import as_operand, binary, common_type, implements, number_as, public, unary
from ...tensor import Tensor, method, wrap

__all__ = [
    "add", "copysign", "gcd", "heaviside", "lcm", "mul", "multiply", "neg", "negative", "nextafter",
    "positive", "rsub", "sign", "signbit", "sub", "subtract",
]  # fmt: skip


def two(name: str, core: Any, input: Any, other: Any) -> Tensor:
    """`core` of two operands; TypeError under the public name where it cannot take one of them."""
    out = core(input, other)
    if out is NotImplemented:
        bad = other if isinstance(input, Tensor) else input
        raise TypeError(f"{name}(): argument 'other' must be Tensor or number, not {type(bad).__name__}")
    return out


def no_gradient(g: Any) -> Any:
    """The gradient of what is flat wherever it has one: zero."""
    return np.zeros_like(g)


# ---- sums and products -----------------------------------------------------------------------------------------------
def _no_bool_subtract(input: Any, other: Any, *_: Tensor) -> None:
    bools = [x is True or x is False or (isinstance(x, Tensor) and x._array.dtype.kind == "b") for x in (input, other)]
    if builtins.all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if builtins.any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


_add = binary("add", np.add, x=lambda g: g, y=lambda g: g, operator="add", export=False)
_sub = binary("sub", np.subtract, x=lambda g: g, y=lambda g: -g, operator="sub", export=False, check=_no_bool_subtract)
mul = binary(
    "mul", np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x, operator="mul", aliases=("multiply",), doc="x · y",
    bilinear=True,
)  # fmt: skip
multiply = mul


def _scaled(input: Any, other: Any, alpha: Any) -> Any:
    """alpha · other, for an operation with `input`."""
    if type(alpha) is int and alpha == 1:
        return other
    kind = common_type(input, other)
    if isinstance(alpha, builtins.bool) and kind.kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, builtins.float) and kind.kind in "biu":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if isinstance(alpha, builtins.complex) and kind.kind != "c":
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    return other if alpha == 1 else mul(as_operand(other, kind), wrap(number_as(alpha, kind)))


@public(inplace=np.add)
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha · other, with broadcasting and promotion.

    >>> from mini_torch import tensor, add
    >>> add(tensor([1, 2]), 0.5, alpha=2)
    tensor([2., 3.])

    Errors: RuntimeError for an `alpha` of a higher kind than the result, and for shapes that do not broadcast.
    Source: PyTorch's `torch.add`.
    """
    return two("add", _add, input, _scaled(input, other, alpha))


@public(aliases=("subtract",), inplace=np.subtract)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input − alpha · other, with broadcasting and promotion; not for bools. Source: PyTorch's `torch.sub`."""
    return two("sub", _sub, input, _scaled(input, other, alpha))


subtract = sub


@public(method=False)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other − alpha · input. Source: PyTorch's `torch.rsub`."""
    if not isinstance(input, Tensor):
        raise TypeError(f"rsub(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    _no_bool_subtract(input, other)
    return two("rsub", _sub, other, _scaled(other, input, alpha))


# ---- signs -----------------------------------------------------------------------------------------------------------
def _negated(x: Any) -> Any:
    if x.dtype.kind == "b":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return np.negative(x)


neg = unary("neg", _negated, lambda g: -g, floats=False, aliases=("negative",), methods=("__neg__",), doc="−x")
negative = neg
implements(np.negative)(neg)


@public
def positive(input: Tensor) -> Tensor:
    """input itself. Errors: RuntimeError for bools. Source: PyTorch's `torch.positive`."""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


implements(np.positive)(positive)
method("__pos__", positive)


def signs(x: Any) -> Any:
    """−1, 0 or 1; 0 for NaN, as in PyTorch."""
    if x.dtype.kind == "b":
        return x.copy()
    if x.dtype.kind != "f":
        return np.sign(x)
    return np.asarray(np.subtract((x > 0).view(np.int8), (x < 0).view(np.int8))).astype(x.dtype)


sign = unary(
    "sign", signs, no_gradient, floats=False, refuses="c", because="sign is not for complex numbers: use sgn instead",
    doc="−1, 0 or 1; 0 for NaN",
)  # fmt: skip
signbit = unary("signbit", np.signbit, floats=False, refuses="c", doc="Whether the sign bit is set")
copysign = binary(
    "copysign", np.copysign, x=lambda g, x, out: g * np.where(x == 0, 0.0, out / np.where(x == 0, 1.0, x)),
    y=no_gradient, floats=True, refuses="c", numbers="y", doc="x with the sign of y",
)  # fmt: skip


def _same_type(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes: "
            f"got {input.dtype} and {other.dtype}"
        )


heaviside = binary(
    "heaviside", lambda x, y: np.where(x == 0, y, x > 0).astype(x.dtype), refuses="c", check=_same_type,
    numbers="", doc="The step: 0 below 0, 1 above, and y where x is 0; no gradient",
)  # fmt: skip

# ---- whole numbers, and the next number ------------------------------------------------------------------------------
gcd = binary("gcd", np.gcd, refuses="bfc", numbers="", doc="The greatest common divisor")
lcm = binary("lcm", np.lcm, refuses="bfc", numbers="", doc="The least common multiple")
nextafter = binary(
    "nextafter", np.nextafter, x=lambda g: g, y=no_gradient, refuses="biuc", numbers="",
    doc="The next number after x towards y",
)  # fmt: skip
