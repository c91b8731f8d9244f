"""Powers, roots, exponentials and logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...op import (
    as_operand,
    binary,
    common_type,
    floating,
    implements,
    inplace,
    public,
    quiet,
    refused,
    row,
    shape_mismatch,
    type_name,
    unary,
)  # fmt: skip
from ...tensor import Tensor, method, wrap
from .arithmetic import mul, two
from .blocks import in_blocks

__all__ = [
    "exp", "exp2", "expm1", "float_power", "frexp", "ldexp", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "logit", "pow", "rsqrt", "sqrt", "square", "xlogy",
]  # fmt: skip


# ---- powers ----------------------------------------------------------------------------------------------------------
def _pow_base(g: Any, x: Any, y: Any) -> Any:
    return g * np.where(y == 0, 0.0, y * np.power(x, np.where(y == 0, 1.0, y - 1)))


def _pow_exponent(g: Any, x: Any, y: Any, out: Any) -> Any:
    flat = (x == 0) & (np.real(y) >= 0)  # 0ʸ is 0 for all y > 0, and the gradient of 0⁰ is 0, too
    return g * np.where(flat, 0.0, out * np.log(np.where(flat, 1.0, x)))


def _raised(x: Any, y: Any) -> Any:
    if y.dtype.kind != "i" or not (y < 0).any():
        return np.power(x, y)
    # an integer to a negative power is rounded towards 0: what is not ±1 vanishes
    vanished = np.where(x == 1, 1, np.where(x == -1, np.where(y % 2 == 0, 1, -1), 0)).astype(x.dtype)
    return np.where(y < 0, vanished, np.power(x, np.maximum(y, 0)))


_pow = binary("pow", quiet(_raised), x=_pow_base, y=_pow_exponent, export=False, refuses="b", kernel="pow")


def _number_pow(x: Any, n: Any) -> Any:
    if n == 2:
        return np.square(x)
    if n in (0.5, -0.5) and x.dtype.itemsize > 2:
        root = np.sqrt(x)
        return root if n > 0 else np.reciprocal(root)
    if not math.isfinite(n) or n != int(n):
        return np.power(x, n)
    if 0 < abs(n) <= 4:
        out = _repeated(x, abs(int(n)))
        return out if n > 0 else np.reciprocal(out)
    size = np.power(np.abs(x), n)  # NumPy takes two hundred times as long for numbers below 0
    return np.copysign(size, x) if n % 2 else size


def _repeated(x: Any, n: int) -> Any:
    """xⁿ by multiplication, n ≥ 1."""
    if n == 1:
        return x.copy()
    half = np.square(_repeated(x, n // 2)) if n > 3 else np.square(x)
    return half * x if n % 2 else half


_pow_number: Callable[..., Any] = row(
    "pow_number", quiet(_number_pow), grad_name="PowBackward0",
    x=lambda g, x, n: np.zeros_like(g) if n == 0 else g * (2.0 * x) if n == 2 else g * (n * _pow_number(x, n - 1)),
)  # fmt: skip


def _power(input: Any, exponent: Any) -> Any:
    if type(exponent) in (int, float) and isinstance(input, Tensor) and input._array.dtype.kind == "f":
        return _pow_number(input, exponent)
    if isinstance(exponent, int) and exponent < 0 and isinstance(input, Tensor) and input._array.dtype.kind in "biu":
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return _pow(input, exponent)


@public(inplace=True)
def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of exponent, numbers or tensors. The gradient of 0⁰ is 0 for both, as in PyTorch.

    Errors: RuntimeError for integers to a negative number. (In a tensor of exponents negative ones round the power
    towards 0.) Source: PyTorch's `torch.pow`.
    """
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(f"pow(): one of the two must be a Tensor, got {type(input).__name__}")
    return two("pow", _power, input, exponent)


implements(np.power)(pow)
method("__pow__", _power)
method("__rpow__", lambda self, other: _pow(other, self))
method("__ipow__", inplace(_power))


@implements(np.float_power)
@public
def float_power(input: Any, exponent: Any) -> Tensor:
    """The power computed in float64, or complex128 if one of the two is complex. As PyTorch's `torch.float_power`."""
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        raise TypeError(f"float_power(): one of the two must be a Tensor, got {type(input).__name__}")
    kind = np.dtype(np.complex128 if common_type(input, exponent).kind == "c" else np.float64)
    return _pow(as_operand(input, kind), as_operand(exponent, kind))


def _float_power_(self: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place: RuntimeError unless the type is the result's."""
    out = float_power(self, exponent)
    if out._array.dtype != self._array.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {type_name(self._array.dtype)} but the operation's result "
            f"requires dtype {type_name(out._array.dtype)}"
        )
    return inplace(float_power)(self, exponent)


method("float_power_", _float_power_)
square = unary(
    "square", quiet(lambda x: np.square(x if x.dtype.kind != "b" else x.astype(np.int64))), lambda g, x: g * (2.0 * x),
    floats=False, doc="x²",
)  # fmt: skip
implements(np.square)(square)

# ---- roots, exponentials, logarithms ---------------------------------------------------------------------------------
sqrt = unary("sqrt", np.sqrt, lambda g, out: g / (2.0 * out), doc="√x")
rsqrt = unary(
    "rsqrt", quiet(lambda x: np.reciprocal(np.sqrt(x))), lambda g, out: -0.5 * g * out * out * out, doc="1 / √x"
)
exp = unary("exp", np.exp, lambda g, out: g * out, doc="eˣ")
exp2 = unary("exp2", np.exp2, lambda g, out: g * out * math.log(2), doc="2ˣ")
expm1 = unary("expm1", np.expm1, lambda g, out: g * (out + 1), doc="eˣ − 1, exact near 0")
log = unary("log", np.log, lambda g, x: g / x, doc="The natural logarithm")
log2 = unary("log2", np.log2, lambda g, x: g / (x * math.log(2)), doc="The logarithm to base 2")
log10 = unary("log10", np.log10, lambda g, x: g / (x * math.log(10)), doc="The logarithm to base 10")
log1p = unary("log1p", np.log1p, lambda g, x: g / (x + 1), doc="ln(1 + x), exact near 0")


@in_blocks
def _logaddexp(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        out = np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y)))
        return out if not np.isnan(out).any() else np.where(x == y, x + x.dtype.type(math.log(2)), out)  # ∞ − ∞
    first = np.real(x) >= np.real(y)  # the larger in size is taken out of the sum
    high, low = np.where(first, x, y), np.where(first, y, x)
    return np.where(x == y, x + math.log(2), high + np.log1p(np.exp(low - high))).astype(x.dtype)


logaddexp = binary(
    "logaddexp", quiet(_logaddexp), refuses="biu", numbers="", doc="ln(eˣ + eʸ) without overflow",
    x=lambda g, x, y: g / (1 + np.exp(y - x)), y=lambda g, x, y: g / (1 + np.exp(x - y)),
)  # fmt: skip
logaddexp2 = binary(
    "logaddexp2", np.logaddexp2, refuses="biuc", numbers="", doc="log₂(2ˣ + 2ʸ) without overflow",
    x=lambda g, x, y: g / (1 + np.exp2(y - x)), y=lambda g, x, y: g / (1 + np.exp2(x - y)),
)  # fmt: skip
implements(np.logaddexp)(logaddexp)


def _xlogy(x: Any, y: Any) -> Any:
    return np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)).astype(x.dtype)


xlogy = binary(
    "xlogy", quiet(_xlogy), x=lambda g, x, y: g * np.where((x == 0) & (y <= 0), 0.0, np.log(y)),
    y=lambda g, x, y: g * x / y, floats=True, refuses="c", doc="x ln y, and 0 where x is 0",
)  # fmt: skip


def _logit(x: Any, eps: float | None) -> Any:
    z = x if eps is None else np.minimum(np.maximum(x, eps), 1 - eps)
    return np.log(z / (1 - z)).astype(x.dtype)


def _logit_rule(g: Any, x: Any, eps: float | None) -> Any:
    low, high = (0.0, 1.0) if eps is None else (eps, 1.0 - eps)
    outside = math.nan if eps is None else 0.0
    return np.where((x < low) | (x > high), outside, g / (x * (1.0 - x)))


_logit_row = row("logit", quiet(_logit), x=_logit_rule)


@public(inplace=True)
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """ln(x / (1 − x)), with x first kept within [eps, 1 − eps] if eps is given; there its gradient is 0.

    Source: PyTorch's `torch.logit`.
    """
    if input._array.dtype.kind == "c":
        raise refused("logit_cpu", input._array.dtype)
    return _logit_row(floating(input), eps)


# ---- mantissa and exponent -------------------------------------------------------------------------------------------
class MantissaExponent(NamedTuple):
    """What `frexp` returns."""

    mantissa: Tensor
    exponent: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.frexp(\nmantissa={self.mantissa!r},\nexponent={self.exponent!r})"


_ldexp: Callable[..., Any] = row(
    "ldexp", quiet(lambda x, exponent: np.ldexp(x, exponent)), x=lambda g, exponent: _ldexp(g, exponent), exponent=None,
    broadcasts=True,
)  # fmt: skip


@public
def frexp(input: Tensor) -> MantissaExponent:
    """(mantissa, exponent) with input = mantissa · 2^exponent and ½ ≤ |mantissa| < 1. As PyTorch's `torch.frexp`."""
    if input._array.dtype.kind != "f":
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    exponent = wrap(np.frexp(input._array)[1])
    return MantissaExponent(_ldexp(input, -exponent), exponent)


@public(inplace=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input · 2^other. Source: PyTorch's `torch.ldexp`."""
    kind = other._array.dtype.kind
    if input._array.dtype.kind != "f" or kind not in "biu":
        return mul(input, pow(2.0, other))
    if kind == "b":
        raise refused("ldexp_cpu_exp", other._array.dtype)
    try:
        return _ldexp(input, wrap(np.clip(other._array, -9999, 9999).astype(np.int32)))
    except ValueError as error:
        raise shape_mismatch(input._array.shape, other._array.shape) from error
