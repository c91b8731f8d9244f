"""Comparison and logic: bools from tensors, and bits."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..op import binary, public, type_name, unary
from ..tensor import Tensor, method, wrap

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt",
    "ne", "not_equal",
]  # fmt: skip


# ---- which is larger -------------------------------------------------------------------------------------------------
def _compares(name: str, ufunc: Any, alias: str, doc: str, *, ordered: builtins.bool = True) -> Any:
    """A comparison with its operator; where it is about order, complex numbers have none."""
    return binary(name, ufunc, operator=name, doc=doc, aliases=(alias,) if alias else (), result=builtins.bool,
                  refuses="c" if ordered else "", numbers="y")  # fmt: skip


eq = _compares("eq", np.equal, "", "x = y", ordered=False)
ne = not_equal = _compares("ne", np.not_equal, "not_equal", "x ≠ y", ordered=False)
lt = less = _compares("lt", np.less, "less", "x < y")
le = less_equal = _compares("le", np.less_equal, "less_equal", "x ≤ y")
gt = greater = _compares("gt", np.greater, "greater", "x > y")
ge = greater_equal = _compares("ge", np.greater_equal, "greater_equal", "x ≥ y")

# ---- truth -----------------------------------------------------------------------------------------------------------
logical_and = binary("logical_and", np.logical_and, numbers="", doc="x ∧ y", result=builtins.bool)
logical_or = binary("logical_or", np.logical_or, numbers="", doc="x ∨ y", result=builtins.bool)
logical_xor = binary("logical_xor", np.logical_xor, numbers="", doc="x ⊕ y", result=builtins.bool)
logical_not = unary("logical_not", np.logical_not, floats=False, inplace=True, doc="¬x")

# ---- what kind of number ---------------------------------------------------------------------------------------------
isnan = unary("isnan", np.isnan, floats=False, doc="Whether x is NaN")
isinf = unary("isinf", np.isinf, floats=False, doc="Whether x is infinite")
isfinite = unary("isfinite", np.isfinite, floats=False, doc="Whether x is neither infinite nor NaN")
isposinf = unary("isposinf", lambda x: x == math.inf, floats=False, refuses="c", doc="Whether x is +∞")
isneginf = unary("isneginf", lambda x: x == -math.inf, floats=False, refuses="c", doc="Whether x is −∞")

# ---- bits ------------------------------------------------------------------------------------------------------------
bitwise_and = binary("bitwise_and", np.bitwise_and, operator="and", refuses="fc", doc="Bits of both")
bitwise_or = binary("bitwise_or", np.bitwise_or, operator="or", refuses="fc", doc="Bits of either")
bitwise_xor = binary("bitwise_xor", np.bitwise_xor, operator="xor", refuses="fc", doc="Bits of one of the two")
bitwise_left_shift = binary(
    "bitwise_left_shift", np.left_shift, operator="lshift", refuses="bfc", kernel="lshift_cpu", doc="Bits moved up"
)
bitwise_right_shift = binary(
    "bitwise_right_shift", np.right_shift, operator="rshift", refuses="bfc", kernel="rshift_cpu", doc="Bits moved down"
)
bitwise_not = unary("bitwise_not", np.invert, floats=False, inplace=True, refuses="fc", doc="All bits turned")


def _invert(self: Tensor) -> Tensor:
    if self._array.dtype.kind in "fc":
        raise TypeError(
            f"~ (operator.invert) is only implemented on integer and Boolean-type tensors, not on {self.dtype}"
        )
    return bitwise_not(self)


method("__invert__", _invert)


# ---- nearly the same -------------------------------------------------------------------------------------------------
@public
def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Whether both have the same shape and equal elements. Source: PyTorch's `torch.equal`."""
    return input._array.shape == other._array.shape and builtins.bool((input._array == other._array).all())


@public
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> Tensor:
    """Elementwise |input − other| ≤ atol + rtol · |other|.

    Errors: RuntimeError for tensors of different types, or negative tolerances. Source: PyTorch's `torch.isclose`.
    """
    x, y = input._array, other._array
    if x.dtype != y.dtype:
        raise RuntimeError(f"{type_name(x.dtype)} did not match {type_name(y.dtype)}")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    with np.errstate(all="ignore"):
        if x.dtype.kind in "biu":  # as floats: the difference of the smallest and the largest does not wrap around
            x, y = x.astype(np.float64), y.astype(np.float64)
        return wrap(np.isclose(x, y, rtol, atol, equal_nan))


@public
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether all elements are close, see `isclose`. Source: PyTorch's `torch.allclose`."""
    return builtins.bool(isclose(input, other, rtol, atol, equal_nan)._array.all())
