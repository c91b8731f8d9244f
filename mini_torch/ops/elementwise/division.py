"""Quotients and remainders, of floats and of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import binary, public, quiet, unary
from ...tensor import Tensor, method
from .arithmetic import no_gradient, two

__all__ = ["div", "divide", "floor_divide", "fmod", "reciprocal", "remainder", "true_divide"]

_div = binary(
    "div", np.true_divide, x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y, floats=True, operator="truediv",
    export=False,
)  # fmt: skip
reciprocal = unary("reciprocal", np.reciprocal, lambda g, out: -g * out * out, doc="1 / x")


def _no_zero_divisor(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if a._array.dtype.kind in "iu" and a._array.size and not b._array.all():
        raise RuntimeError("ZeroDivisionError")


def _truncated(a: Any, b: Any) -> Any:
    if a.dtype.kind == "f":
        return np.trunc(np.true_divide(a, b))
    return np.floor_divide(a, b) + ((np.remainder(a, b) != 0) & ((a < 0) != (b < 0)))


floor_divide = binary(
    "floor_divide", np.floor_divide, x=no_gradient, y=no_gradient, operator="floordiv", refuses="bc",
    kernel="div_floor_cpu", check=_no_zero_divisor, doc="⌊x / y⌋; RuntimeError for a whole number divided by 0",
)  # fmt: skip
_trunc_divide = binary(
    "trunc_divide", quiet(_truncated), x=no_gradient, y=no_gradient, refuses="bc", kernel="div_trunc_cpu",
    check=_no_zero_divisor, export=False,
)  # fmt: skip
remainder = binary(
    "remainder", np.remainder, x=lambda g: g, y=lambda g, x, y: -g * np.floor_divide(x, y), operator="mod",
    refuses="bc", check=_no_zero_divisor, doc="x − y ⌊x / y⌋: the remainder with the divisor's sign",
)  # fmt: skip
fmod = binary(
    "fmod", np.fmod, x=lambda g: g, y=lambda g, x, y: -g * np.trunc(x / y), refuses="bc", check=_no_zero_divisor,
    numbers="y", doc="The remainder of x / y with the dividend's sign",
)  # fmt: skip


@public(aliases=("divide",), inplace=True)
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


@public(inplace=True)
def true_divide(input: Any, other: Any) -> Tensor:
    """input / other. Source: PyTorch's `torch.true_divide`."""
    return two("true_divide", _div, input, other)


for _old, _new in (("__div__", "__truediv__"), ("__rdiv__", "__rtruediv__"), ("__idiv__", "__itruediv__")):
    method(_old, getattr(Tensor, _new))  # Python 2's names, which PyTorch keeps
