"""Quotients and remainders, of floats and of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import verify
from ...op import binary, implements, public, quiet, unary
from ...tensor import Tensor, method
from .arithmetic import no_gradient, two
from .blocks import in_blocks

__all__ = ["div", "divide", "floor_divide", "fmod", "reciprocal", "remainder", "true_divide"]

_div = binary(
    "div", np.true_divide, x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y, floats=True, operator="truediv",
    export=False,
)  # fmt: skip
reciprocal = unary("reciprocal", np.reciprocal, lambda g, out: -g * out * out, doc="1 / x")


def _no_zero_divisor(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if a._array.dtype.kind in "iu" and a._array.size:
        verify(_check_divisor, b._array)


def _check_divisor(y: Any) -> None:
    if not y.all():
        raise RuntimeError("ZeroDivisionError")


# ---- rounded quotients -----------------------------------------------------------------------------------------------
# NumPy's remainders call the C library for each element. For float32 they come out exactly from arithmetic in float64,
# as long as the quotient is small: x and y have 24 bits, so x / y is no nearer to a whole number q < 2**22 than
# float64 can tell, and q · y has at most 46 bits.
_EXACT = 2.0**22
_FEW = 128  # elements for which the C library is faster than more calls


def _short(function: Any, by_numpy: Any) -> Any:
    """`function(x, y)` → (result, quotient) on floats of up to 32 bits; NumPy's where the quotient is large or none."""

    @in_blocks
    def exact(x: Any, y: Any) -> Any:
        out, quotient = function(x.astype(np.float64), y.astype(np.float64))
        out = out.astype(x.dtype)
        if np.abs(quotient).max() < _EXACT and np.isfinite(y).all():
            return out
        return np.where((np.abs(quotient) < _EXACT) & np.isfinite(y), out, by_numpy(x, y))

    @quiet
    def rounded(x: Any, y: Any) -> Any:
        return exact(x, y) if x.dtype.kind == "f" and x.dtype.itemsize <= 4 and x.size > _FEW else by_numpy(x, y)

    return rounded


def _floored(x: Any, y: Any) -> Any:
    quotient = np.floor(x / y)
    return quotient, quotient


def _signed(rest: Any, x: Any) -> Any:
    """The rest, but a zero has the dividend's sign, as in PyTorch."""
    return rest if rest.all() else np.where(rest == 0, np.copysign(rest, x), rest)


def _numpy_remainder(x: Any, y: Any) -> Any:
    out = np.remainder(x, y)
    return _signed(out, x) if x.dtype.kind == "f" else out


def _rest_of_floor(x: Any, y: Any) -> Any:
    quotient = np.floor(x / y)
    rest = x - quotient * y
    return _signed(rest, x), quotient


def _rest_of_trunc(x: Any, y: Any) -> Any:
    quotient = np.trunc(x / y)
    return _signed(x - quotient * y, x), quotient


def _truncated(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(np.true_divide(a, b))
    return np.floor_divide(a, b) + ((np.remainder(a, b) != 0) & ((a < 0) != (b < 0)))


_floor_quotient = _short(_floored, np.floor_divide)
floor_divide = binary(
    "floor_divide", _floor_quotient, x=no_gradient, y=no_gradient, operator="floordiv", refuses="bc",
    kernel="div_floor_cpu", check=_no_zero_divisor, doc="⌊x / y⌋; RuntimeError for a whole number divided by 0",
)  # fmt: skip
implements(np.floor_divide)(floor_divide)
_trunc_divide = binary(
    "trunc_divide", quiet(_truncated), x=no_gradient, y=no_gradient, refuses="bc", kernel="div_trunc_cpu",
    check=_no_zero_divisor, export=False,
)  # fmt: skip


def _remainder_rule(g: Any, x: Any, y: Any) -> Any:
    return -g * (_floor_quotient(x, y) if isinstance(x, np.ndarray) else np.floor_divide(x, y))


remainder = binary(
    "remainder", _short(_rest_of_floor, _numpy_remainder), x=lambda g: g, y=_remainder_rule, operator="mod",
    refuses="bc", check=_no_zero_divisor, doc="x − y ⌊x / y⌋: the remainder with the divisor's sign",
)  # fmt: skip
fmod = binary(
    "fmod", _short(_rest_of_trunc, np.fmod), x=lambda g: g, y=lambda g, x, y: -g * np.trunc(x / y), refuses="bc",
    check=_no_zero_divisor, numbers="y", doc="The remainder of x / y with the dividend's sign",
)  # fmt: skip
implements(np.remainder)(remainder)
implements(np.fmod)(fmod)


@public(aliases=("divide",), inplace=np.true_divide)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; with `rounding_mode` 'trunc' or 'floor' rounded so, integers staying integers.

    Errors: RuntimeError for a whole number divided by 0 and rounded. Source: PyTorch's `torch.div`.
    """
    if rounding_mode is None:
        return two("div", _div, input, other)
    if rounding_mode == "floor":
        return two("div", floor_divide, input, other)
    if rounding_mode == "trunc":
        return two("div", _trunc_divide, input, other)
    raise RuntimeError(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
    )


divide = div


@public(inplace=np.true_divide)
def true_divide(input: Any, other: Any) -> Tensor:
    """input / other. Source: PyTorch's `torch.true_divide`."""
    return two("true_divide", _div, input, other)


for _old, _new in (("__div__", "__truediv__"), ("__rdiv__", "__rtruediv__"), ("__idiv__", "__itruediv__")):
    method(_old, getattr(Tensor, _new))  # Python 2's names, which PyTorch keeps
