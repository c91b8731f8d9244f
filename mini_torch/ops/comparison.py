"""Comparison and logic: bools from tensors, and bits."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..op import binary, implements, public, unary
from ..tensor import Tensor, wrap

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan",
    "le", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip

eq = binary("eq", np.equal, operator="eq", doc="x = y", result=builtins.bool)
ne = binary("ne", np.not_equal, operator="ne", doc="x ≠ y", aliases=("not_equal",), result=builtins.bool)
lt = binary("lt", np.less, operator="lt", doc="x < y", aliases=("less",), result=builtins.bool)
le = binary("le", np.less_equal, operator="le", doc="x ≤ y", aliases=("less_equal",), result=builtins.bool)
gt = binary("gt", np.greater, operator="gt", doc="x > y", aliases=("greater",), result=builtins.bool)
ge = binary("ge", np.greater_equal, operator="ge", doc="x ≥ y", aliases=("greater_equal",), result=builtins.bool)
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
logical_and = binary("logical_and", np.logical_and, doc="x ∧ y", result=builtins.bool)
logical_or = binary("logical_or", np.logical_or, doc="x ∨ y", result=builtins.bool)
logical_xor = binary("logical_xor", np.logical_xor, doc="x ⊕ y", result=builtins.bool)
logical_not = unary("logical_not", np.logical_not, floats=False, doc="¬x")
isnan = unary("isnan", np.isnan, floats=False, doc="Whether x is NaN")
isinf = unary("isinf", np.isinf, floats=False, doc="Whether x is infinite")
isfinite = unary("isfinite", np.isfinite, floats=False, doc="Whether x is neither infinite nor NaN")


def _integers_only(input: Any, other: Any, a: Tensor, b: Tensor) -> None:
    if a._array.dtype.kind not in "biu":
        raise RuntimeError(f"\"bitwise\" not implemented for {a.dtype}: integer or bool tensors expected")


bitwise_and = binary("bitwise_and", np.bitwise_and, operator="and", check=_integers_only, doc="Bits of both")
bitwise_or = binary("bitwise_or", np.bitwise_or, operator="or", check=_integers_only, doc="Bits of either")
bitwise_xor = binary("bitwise_xor", np.bitwise_xor, operator="xor", check=_integers_only, doc="Bits of one of the two")
bitwise_left_shift = binary(
    "bitwise_left_shift", np.left_shift, operator="lshift", check=_integers_only, doc="Bits moved up"
)
bitwise_right_shift = binary(
    "bitwise_right_shift", np.right_shift, operator="rshift", check=_integers_only, doc="Bits moved down"
)


def _inverted(x: Any) -> Any:
    if x.dtype.kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return np.invert(x)


bitwise_not = unary("bitwise_not", _inverted, floats=False, methods=("__invert__",), doc="All bits turned")
implements(np.invert)(bitwise_not)


@public
def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether both have the same shape and equal elements. Source: PyTorch's `torch.equal`."""
    return input._array.shape == other._array.shape and builtins.bool((input._array == other._array).all())


@public
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> Tensor:
    """Elementwise |input − other| ≤ atol + rtol · |other|. Source: PyTorch's `torch.isclose`."""
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}")
    with np.errstate(all="ignore"):
        return wrap(np.isclose(input._array, other._array, rtol, atol, equal_nan))


@public
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether all elements are close, see `isclose`. Source: PyTorch's `torch.allclose`."""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan)._array.all())
