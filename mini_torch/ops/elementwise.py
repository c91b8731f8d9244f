"""Elementwise calculus: arithmetic, powers, exponentials, trigonometry, rounding, choice."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import from_numpy_dtype
from ..op import (
    as_operand,
    binary,
    common_type,
    implements,
    inplace,
    operands,
    public,
    quiet,
    row,
    shape_mismatch,
    unary,
)  # fmt: skip
from ..tensor import Tensor, method, wrap
from .comparison import isnan
from .conversion import clone

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp", "clamp_max",
    "clamp_min", "clip", "conj", "copysign", "cos", "cosh", "deg2rad", "div", "divide", "exp", "exp2", "expm1", "fix", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "hypot", "lerp", "log", "log10", "log1p", "log2", "logaddexp",
    "logit", "maximum", "minimum", "mul", "multiply", "nan_to_num", "neg", "negative", "positive", "pow", "rad2deg",
    "reciprocal", "remainder", "round", "rsqrt", "rsub", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "square",
    "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "where", "xlogy",
]  # fmt: skip

Number = builtins.bool | int | float | complex


# ---- arithmetic ------------------------------------------------------------------------------------------------------
def _no_bool_subtract(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if a._array.dtype.kind == "b":
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if builtins.any(
        x is True or x is False or (isinstance(x, Tensor) and x._array.dtype.kind == "b") for x in (input, other)
    ):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


_add = binary("add", np.add, x=lambda g: g, y=lambda g: g, operator="add", export=False)
_sub = binary("sub", np.subtract, x=lambda g: g, y=lambda g: -g, operator="sub", export=False, check=_no_bool_subtract)
mul = binary(
    "mul", np.multiply, x=lambda g, y: g * y, y=lambda g, x: g * x, operator="mul", aliases=("multiply",), doc="x · y",
)  # fmt: skip
multiply = mul
_div = binary(
    "div", quiet(np.true_divide), x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y, floats=True,
    operator="truediv", export=False,
)  # fmt: skip


def _scaled(other: Any, alpha: Any) -> Any:
    if alpha == 1:
        return other
    if isinstance(alpha, float) and isinstance(other, Tensor) and other._array.dtype.kind in "biu":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return other * alpha


def _two(name: str, core: Any, input: Any, other: Any) -> Tensor:
    out = core(input, other)
    if out is NotImplemented:
        bad = other if isinstance(input, Tensor) else input
        raise TypeError(f"{name}(): argument 'other' must be Tensor or number, not {type(bad).__name__}")
    return out


@public(inplace=True)
def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha · other, with broadcasting and promotion.

    >>> from mini_torch import tensor, add
    >>> add(tensor([1, 2]), 0.5, alpha=2)
    tensor([2., 3.])

    Source: PyTorch's `torch.add`.
    """
    return _two("add", _add, input, _scaled(other, alpha))


@public(aliases=("subtract",), inplace=True)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input − alpha · other, with broadcasting and promotion. Source: PyTorch's `torch.sub`."""
    return _two("sub", _sub, input, _scaled(other, alpha))


subtract = sub


@public(aliases=("divide",), inplace=True)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; with `rounding_mode` 'trunc' or 'floor' rounded so, integers staying integers.

    Source: PyTorch's `torch.div`.
    """
    if rounding_mode is None:
        return _two("div", _div, input, other)
    if rounding_mode == "floor":
        return _two("div", floor_divide, input, other)
    if rounding_mode == "trunc":
        return _two("div", _trunc_divide, input, other)
    raise RuntimeError(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
    )


divide = div


@public(method=False)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """other − alpha · input. Source: PyTorch's `torch.rsub`."""
    return _two("rsub", _sub, other, _scaled(input, alpha))


@public(inplace=True)
def true_divide(input: Any, other: Any) -> Tensor:
    """input / other. Source: PyTorch's `torch.true_divide`."""
    return _two("true_divide", _div, input, other)


def _no_zero_divisor(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if a._array.dtype.kind in "iu" and not b._array.all():
        raise RuntimeError("ZeroDivisionError")


def _truncated(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(np.true_divide(a, b))
    return np.floor_divide(a, b) + ((np.remainder(a, b) != 0) & ((a < 0) != (b < 0)))


def _zero(g: Any) -> Any:
    return np.zeros_like(g)


floor_divide = binary(
    "floor_divide", quiet(np.floor_divide), x=_zero, y=_zero, operator="floordiv", check=_no_zero_divisor,
    doc="⌊x / y⌋",
)  # fmt: skip
_trunc_divide = binary("trunc_divide", quiet(_truncated), x=_zero, y=_zero, check=_no_zero_divisor, export=False)
remainder = binary(
    "remainder", quiet(np.remainder), x=lambda g: g, y=lambda g, x, y: -g * np.floor(x / y), operator="mod",
    check=_no_zero_divisor, doc="x − y ⌊x / y⌋: the remainder with the divisor's sign",
)  # fmt: skip
fmod = binary(
    "fmod", quiet(np.fmod), x=lambda g: g, y=lambda g, x, y: -g * np.trunc(x / y), check=_no_zero_divisor,
    doc="The remainder of x / y with the dividend's sign",
)  # fmt: skip


def _pow_base(g: Any, x: Any, y: Any) -> Any:
    return g * np.where(y == 0, 0.0, y * np.power(x, np.where(y == 0, 1.0, y - 1)))


def _pow_exponent(g: Any, x: Any, y: Any, out: Any) -> Any:
    return g * np.where((x == 0) & (y >= 0), 0.0, out * np.log(np.where((x == 0) & (y >= 0), 1.0, x)))


def _raised(x: Any, y: Any) -> Any:
    if x.dtype.kind == "b":
        return x | ~y
    if y.dtype.kind != "i" or not (y < 0).any():
        return np.power(x, y)
    # an integer to a negative power is rounded towards 0: what is not ±1 vanishes
    vanished = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0)).astype(x.dtype)
    return np.where(y < 0, vanished, np.power(x, np.maximum(y, 0)))


_pow = binary("pow", quiet(_raised), x=_pow_base, y=_pow_exponent, export=False)


def _number_pow(x: Any, n: Any) -> Any:
    return np.square(x) if n == 2 else np.power(x, n)


_pow_number: Callable[..., Any] = row(
    "pow_number", quiet(_number_pow), grad_name="PowBackward0",
    x=lambda g, x, n: np.zeros_like(g) if n == 0 else g * (2.0 * x) if n == 2 else g * (n * _pow_number(x, n - 1)),
)  # fmt: skip


def _power(input: Any, exponent: Any) -> Any:
    if isinstance(exponent, int | float) and isinstance(input, Tensor) and input._array.dtype.kind == "f":
        return _pow_number(input, exponent)
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Tensor) and input._array.dtype.kind in "biu":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return _pow(input, exponent)


@public(inplace=True)
def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent, numbers or tensors. The gradient of 0⁰ is 0 for both, as in PyTorch.

    Errors: RuntimeError for integers to negative powers. Source: PyTorch's `torch.pow`.
    """
    return _two("pow", _power, input, exponent)


implements(np.power)(pow)
method("__pow__", _power)
method("__rpow__", lambda self, other: _pow(other, self))
method("__ipow__", inplace(_power))

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
positive = unary("positive", np.positive, lambda g: g, floats=False, methods=("__pos__",), doc="x")
conj = unary("conj", np.conjugate, lambda g: np.conjugate(g), floats=False, holomorphic=False, doc="The conjugate")
abs = unary(
    "abs", np.absolute, lambda g, x: g * np.sign(x), floats=False, aliases=("absolute",), methods=("__abs__",),
    holomorphic=False, doc="|x|; the gradient at 0 is 0",
)  # fmt: skip
absolute = abs
sign = unary("sign", lambda x: x.copy() if x.dtype.kind == "b" else np.sign(x), _zero, floats=False, doc="−1, 0 or 1")
signbit = unary("signbit", np.signbit, floats=False, doc="Whether the sign bit is set")
implements(np.sign)(sign)
square = unary(
    "square", lambda x: np.square(x if x.dtype.kind != "b" else x.astype(np.int64)), lambda g, x: g * (2.0 * x),
    floats=False, doc="x²",
)  # fmt: skip
implements(np.square)(square)
reciprocal = unary("reciprocal", quiet(np.reciprocal), lambda g, out: -g * out * out, doc="1 / x")
copysign = binary(
    "copysign", np.copysign, x=lambda g, x, out: g * np.where(x == 0, 0.0, np.sign(x) * np.sign(out)), y=_zero,
    floats=True, doc="x with the sign of y",
)  # fmt: skip

# ---- roots, exponentials, logarithms ---------------------------------------------------------------------------------
sqrt = unary("sqrt", quiet(np.sqrt), lambda g, out: g / (2.0 * out), doc="√x")
rsqrt = unary(
    "rsqrt", quiet(lambda x: np.reciprocal(np.sqrt(x))), lambda g, out: -0.5 * g * out * out * out, doc="1 / √x"
)
exp = unary("exp", quiet(np.exp), lambda g, out: g * out, doc="eˣ")
exp2 = unary("exp2", quiet(np.exp2), lambda g, out: g * out * math.log(2), doc="2ˣ")
expm1 = unary("expm1", quiet(np.expm1), lambda g, out: g * (out + 1), doc="eˣ − 1, exact near 0")
log = unary("log", quiet(np.log), lambda g, x: g / x, doc="The natural logarithm")
log2 = unary("log2", quiet(np.log2), lambda g, x: g / (x * math.log(2)), doc="The logarithm to base 2")
log10 = unary("log10", quiet(np.log10), lambda g, x: g / (x * math.log(10)), doc="The logarithm to base 10")
log1p = unary("log1p", quiet(np.log1p), lambda g, x: g / (x + 1), doc="ln(1 + x), exact near 0")
logaddexp = binary(
    "logaddexp", quiet(np.logaddexp), x=lambda g, x, out: g * np.exp(x - out), y=lambda g, y, out: g * np.exp(y - out),
    doc="ln(eˣ + eʸ) without overflow",
)  # fmt: skip


def _xlogy(x: Any, y: Any) -> Any:
    return np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)).astype(x.dtype)


xlogy = binary(
    "xlogy", quiet(_xlogy), x=lambda g, x, y: g * np.where((x == 0) & (y <= 0), 0.0, np.log(y)),
    y=lambda g, x, y: g * x / y, floats=True, doc="x ln y, and 0 where x is 0",
)  # fmt: skip


@public(inplace=True)
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """ln(x / (1 − x)), with x first kept within [eps, 1 − eps] if eps is given. Source: PyTorch's `torch.logit`."""
    x = input if eps is None else clamp(input, eps, 1 - eps)
    return log(x / (1 - x))


# ---- trigonometry ----------------------------------------------------------------------------------------------------
sin = unary("sin", np.sin, lambda g, x: g * np.cos(x), doc="sin x, x in radians")
cos = unary("cos", np.cos, lambda g, x: -g * np.sin(x), doc="cos x, x in radians")
tan = unary("tan", np.tan, lambda g, out: g * (1 + out * out), doc="tan x, x in radians")
asin = unary("asin", quiet(np.arcsin), lambda g, x: g / np.sqrt(1 - x * x), aliases=("arcsin",), doc="arcsin x")
acos = unary("acos", quiet(np.arccos), lambda g, x: -g / np.sqrt(1 - x * x), aliases=("arccos",), doc="arccos x")
atan = unary("atan", np.arctan, lambda g, x: g / (1 + x * x), aliases=("arctan",), doc="arctan x")
arcsin, arccos, arctan = asin, acos, atan
sinh = unary("sinh", quiet(np.sinh), lambda g, x: g * np.cosh(x), doc="sinh x")
cosh = unary("cosh", quiet(np.cosh), lambda g, x: g * np.sinh(x), doc="cosh x")
tanh = unary("tanh", np.tanh, lambda g, out: g * (1 - out * out), doc="tanh x")
asinh = arcsinh = unary("asinh", np.arcsinh, lambda g, x: g / np.sqrt(x * x + 1), aliases=("arcsinh",), doc="arsinh x")
acosh = arccosh = unary(
    "acosh", quiet(np.arccosh), lambda g, x: g / np.sqrt(x * x - 1), aliases=("arccosh",), doc="arcosh x"
)
atanh = arctanh = unary("atanh", quiet(np.arctanh), lambda g, x: g / (1 - x * x), aliases=("arctanh",), doc="artanh x")
atan2 = binary(
    "atan2", np.arctan2, x=lambda g, x, y: g * y / (x * x + y * y), y=lambda g, x, y: -g * x / (x * x + y * y),
    floats=True, aliases=("arctan2",), doc="The angle of the point (y, x)",
)  # fmt: skip
arctan2 = atan2
hypot = binary("hypot", np.hypot, x=lambda g, x, out: g * x / out, y=lambda g, y, out: g * y / out, doc="√(x² + y²)")
deg2rad = unary("deg2rad", np.deg2rad, lambda g: g * (math.pi / 180), doc="Degrees to radians")
rad2deg = unary("rad2deg", np.rad2deg, lambda g: g * (180 / math.pi), doc="Radians to degrees")


def _sinc(x: Any) -> Any:
    return np.where(x == 0, 1, np.sin(math.pi * x) / (math.pi * x)).astype(x.dtype)


sinc = unary(
    "sinc", quiet(_sinc), doc="sin(πx) / (πx)",
    rule=lambda g, x, out: g * np.where(x == 0, 0.0, (np.cos(math.pi * x) - out) / np.where(x == 0, 1.0, x)),
)  # fmt: skip

# ---- rounding --------------------------------------------------------------------------------------------------------
def _unless_integer(ufunc: Any) -> Any:
    return lambda x: ufunc(x) if x.dtype.kind == "f" else x.copy()  # NumPy 1 makes floats of integers


floor = unary("floor", _unless_integer(np.floor), _zero, floats=False, doc="⌊x⌋")
ceil = unary("ceil", _unless_integer(np.ceil), _zero, floats=False, doc="⌈x⌉")
trunc = unary("trunc", _unless_integer(np.trunc), _zero, floats=False, aliases=("fix",), doc="x without its fraction")
fix = trunc
frac = unary("frac", lambda x: x - np.trunc(x), lambda g: g, doc="x − trunc x")
_round = row("round", lambda x, decimals: np.round(x, decimals), x=_zero)
for _ufunc, _function in ((np.floor, floor), (np.ceil, ceil), (np.trunc, trunc)):
    implements(_ufunc)(_function)


@public(inplace=True)
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """To the nearest, halves to even, at `decimals` places. Source: PyTorch's `torch.round`."""
    return _round(input, decimals)


# ---- choice ----------------------------------------------------------------------------------------------------------
def _larger(g: Any, x: Any, y: Any) -> Any:
    return g * np.where(x == y, 0.5, np.where(x > y, 1.0, 0.0))  # a tie shares the gradient, as in PyTorch


maximum = binary(
    "maximum", np.maximum, x=_larger, y=lambda g, x, y: _larger(g, y, x), doc="The larger of two; NaN if one is",
)  # fmt: skip
minimum = binary(
    "minimum", np.minimum, x=lambda g, x, y: _larger(g, y, x), y=_larger, doc="The smaller of two; NaN if one is",
)  # fmt: skip
fmax = binary(
    "fmax", np.fmax, x=lambda g, x, y: g * np.where((x >= y) | np.isnan(y), 1.0, 0.0),
    y=lambda g, x, y: g * np.where((x >= y) | np.isnan(y), 0.0, 1.0), doc="The larger of two, a number before NaN",
)  # fmt: skip
fmin = binary(
    "fmin", np.fmin, x=lambda g, x, y: g * np.where((x <= y) | np.isnan(y), 1.0, 0.0),
    y=lambda g, x, y: g * np.where((x <= y) | np.isnan(y), 0.0, 1.0), doc="The smaller of two, a number before NaN",
)  # fmt: skip


def _clamp_forward(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else np.maximum(x, low)
    return (x if high is None else np.minimum(x, high)) if low is not None or high is not None else x.copy()


def _inside(x: Any, low: Any, high: Any) -> Any:
    inside = (x >= low) if low is not None else (x <= high)
    return inside & (x <= high) if low is not None and high is not None else inside


_clamp = row("clamp", _clamp_forward, x=lambda g, x, low, high: np.where(_inside(x, low, high), g, 0.0))
_clamp_between = row(
    "clamp_between", lambda x, low, high: np.minimum(np.maximum(x, low), high), grad_name="ClampBackward1",
    broadcasts=True,
    x=lambda g, x, low, high: np.where((x >= low) & (x <= high), g, 0.0),
    low=lambda g, x, low, high: np.where((x < low) & (low < high), g, 0.0),
    high=lambda g, x, low, high: np.where((x > high) | (low > high), g, 0.0),
)  # fmt: skip


@public(aliases=("clip",), inplace=True)
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """input kept within [min, max], numbers or tensors; where min > max the result is max.

    The gradient passes where input lies within the bounds, edges included. Errors: RuntimeError if both bounds are
    None. Source: PyTorch's `torch.clamp`.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        low = -math.inf if min is None else min
        high = math.inf if max is None else max
        if input._array.dtype.kind == "b":
            low, high = (False if min is None else min), (True if max is None else max)
        elif input._array.dtype.kind in "iu":
            limits = np.iinfo(input._array.dtype)
            low, high = (limits.min if min is None else min), (limits.max if max is None else max)
        kind = common_type(input, low, high)
        return _clamp_between(*(as_operand(x, kind) for x in (input, low, high)))
    bounds = [b for b in (min, max) if b is not None]
    kind = common_type(input, *bounds)
    low, high = (None if b is None else np.array(b, kind) for b in (min, max))
    return _clamp(as_operand(input, kind), low, high)


clip = clamp


@public(inplace=True)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """input, at least min. Source: PyTorch's `torch.clamp_min`."""
    return clamp(input, min=min)


@public(inplace=True)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """input, at most max. Source: PyTorch's `torch.clamp_max`."""
    return clamp(input, max=max)


_where = row(
    "where", lambda condition, x, y: np.where(condition, x, y), condition=None, broadcasts=True,
    x=lambda g, condition: np.where(condition, g, 0.0), y=lambda g, condition: np.where(condition, 0.0, g),
)  # fmt: skip


@public
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; with the condition alone, the indices where it holds.

    Shapes broadcast. Source: PyTorch's `torch.where`.

    >>> from mini_torch import tensor, where
    >>> x = tensor([1., -2.])
    >>> where(x > 0, x, 0.)
    tensor([1., 0.])
    """
    if input is None and other is None:
        return tuple(wrap(i.astype(np.int64)) for i in np.nonzero(condition._array))
    mask = condition._array if isinstance(condition, Tensor) else np.asarray(condition)
    if mask.dtype.kind != "b":
        if mask.dtype != np.uint8:
            raise RuntimeError(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{from_numpy_dtype(mask.dtype)}"
            )
        mask = mask.astype(bool)
    pair = operands(input, other)
    if pair is None:
        raise TypeError("where(): input and other must be tensors or numbers")
    try:
        return _where(mask, *pair)
    except ValueError as error:
        shapes = [mask.shape, pair[0]._array.shape, pair[1]._array.shape]
        clash = next(
            p for p in ((shapes[0], shapes[1]), (shapes[0], shapes[2]), (shapes[1], shapes[2])) if not _fit(*p)
        )
        raise shape_mismatch(*clash) from error


def _fit(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return builtins.all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))


@implements(np.where)
def _numpy_where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """As NumPy's, but a Python number takes the tensor's type (formulas are full of `np.where(c, g, 0.0)`)."""
    if not isinstance(condition, Tensor):
        condition = wrap(condition)
    return where(condition, x, y)


method("where", lambda self, condition, other: where(condition, self, other))


@public(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """input + weight · (end − input). Source: PyTorch's `torch.lerp`."""
    return input + weight * (end - input)


@public(inplace=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 · tensor2. Source: PyTorch's `torch.addcmul`."""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


@public(inplace=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """input + value · tensor1 / tensor2. Source: PyTorch's `torch.addcdiv`."""
    return input + value * (tensor1 / tensor2)


@public(inplace=True)
def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """input with NaN and the infinities replaced by numbers. Source: PyTorch's `torch.nan_to_num`."""
    if input._array.dtype.kind in "biu":
        return clone(input)
    limits = np.finfo(input._array.dtype)
    out = where(isnan(input), nan, input)
    out = where(input == math.inf, float(limits.max) if posinf is None else posinf, out)
    return where(input == -math.inf, float(limits.min) if neginf is None else neginf, out)
