"""Operands brought to their common type, and casts."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, from_numpy_dtype, promote_operands, scalar_dtype
from ..memory import order_of
from ..tensor import Tensor, make, wrap
from .quiet import quiet
from .table import row

__all__ = ["TYPE_NAMES", "as_operand", "cast", "common_type", "floating", "keeps_type", "number_as", "operands",
           "refused", "shape_mismatch", "type_name"]  # fmt: skip

_ndarray = np.ndarray


def operands(input: Any, other: Any, floats: bool = False) -> tuple[Tensor, Tensor] | None:
    """Two operands as tensors of their common type; None if one is neither tensor nor number."""
    kinds = []
    for x in (input, other):
        if isinstance(x, Tensor):
            kinds.append((x._array.dtype, 2 if x._array.ndim else 1))
        elif isinstance(x, bool | int | float | complex):
            kinds.append((scalar_dtype(x), 0))
        elif isinstance(x, np.generic | _ndarray):
            from_numpy_dtype(x.dtype)
            kinds.append((x.dtype, 2 if x.ndim else 1))
        else:
            return None
    kind = promote_operands(tuple(kinds), default_numpy_dtype())
    if floats and kind.kind in "biu":
        kind = default_numpy_dtype()
    return as_operand(input, kind), as_operand(other, kind)


def as_operand(x: Any, kind: np.dtype[Any]) -> Tensor:
    """A tensor or number as a tensor of NumPy type `kind`."""
    if isinstance(x, Tensor):
        return x if x._array.dtype is kind else cast(x, kind)
    if isinstance(x, int):
        _check_int(x)
    if kind.kind in "iu" and isinstance(x, int):
        limits = np.iinfo(kind)
        if not limits.min <= x <= limits.max:  # wraps around, as in PyTorch
            x = int(np.array(x & (2**64 - 1), np.uint64).astype(kind))
    return make(Tensor, np.array(x, kind))


def _check_int(number: int) -> None:
    if not -(2**63) <= number < 2**64:
        raise OverflowError(f"int too big to convert: {number}")


_C_NAMES = {"uint8": "uint8_t", "int8": "int8_t", "int16": "int16_t", "int32": "int", "int64": "int64_t",
            "float16": "Half", "float32": "float"}  # fmt: skip


def number_as(value: Any, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """The Python number as a 0-d array of type `kind`, as what fills a tensor.

    Errors: RuntimeError where it does not fit. (A fraction is cut off, and a small negative number wraps around.)
    """
    if isinstance(value, int):
        _check_int(value)
    if isinstance(value, complex) and kind.kind != "c":
        if value.imag and kind.kind != "b":
            raise _overflow(value, kind)
        value = value.real if kind.kind != "b" else bool(value)
    low, high = _limits(kind)
    if kind.kind in "iu" and not isinstance(value, bool):
        if value != value or not low <= value <= high:
            raise _overflow(value, kind)
        return np.array(int(value)).astype(kind)
    if high < abs(value) < math.inf:
        raise _overflow(value, kind)
    return np.array(value, kind)


@functools.cache
def _limits(kind: np.dtype[Any]) -> tuple[Any, Any]:
    """The smallest and the largest number that may fill a tensor of this type."""
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return -limits.max if kind.kind == "u" else limits.min, limits.max
    return -math.inf, float(np.finfo(kind).max) if kind.kind in "fc" else math.inf


def _overflow(value: Any, kind: np.dtype[Any]) -> RuntimeError:
    name = _C_NAMES.get(kind.name, kind.name)
    return RuntimeError(f"value cannot be converted to type {name} without overflow: {value}")


def common_type(*values: Any) -> np.dtype[Any]:
    """The type that these tensors and numbers have together."""
    kinds = tuple(
        (x._array.dtype, 2 if x._array.ndim else 1) if isinstance(x, Tensor) else (scalar_dtype(x), 0) for x in values
    )
    return promote_operands(kinds, default_numpy_dtype())


def shape_mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> RuntimeError:
    """PyTorch's error for shapes that do not broadcast."""
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            at = max(len(a), len(b)) - i
            return RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) at non-singleton dimension "
                f"{at} (shapes {list(a)} and {list(b)})"
            )
    return RuntimeError(f"shapes {list(a)} and {list(b)} do not fit together")


TYPE_NAMES = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
               "float16": "Half", "float32": "Float", "float64": "Double", "complex64": "ComplexFloat",
               "complex128": "ComplexDouble", "bfloat16": "BFloat16", "uint16": "UInt16", "uint32": "UInt32",
               "uint64": "UInt64"}  # fmt: skip


def type_name(kind: np.dtype[Any]) -> str:
    """PyTorch's name of a type in messages: 'Float', 'Long' …"""
    return TYPE_NAMES[kind.name]


def keeps_type(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The forward with its result in the first input's type, float16 computed in float32.

    NumPy 1 makes float64 of a 0-d float32 and a number.
    """

    @functools.wraps(forward)
    def typed(x: Any, *args: Any) -> Any:
        kind = x.dtype
        out = forward(x if kind.itemsize > 2 else x.astype(np.float32), *args)
        return out if out.dtype is kind else out.astype(kind)

    return typed


def refused(kernel: str, kind: np.dtype[Any], because: str = "") -> NotImplementedError:
    """PyTorch's error for an operation that does not take a type; `because` says what to do instead."""
    reason = f" ({because})" if because else ""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(kind)}'{reason}")


# ---- casts ----------------------------------------------------------------------------------------------------------
@quiet
def as_type(x: Any, kind: np.dtype[Any]) -> Any:
    """An array in another type; of complex numbers the real part."""
    if x.dtype.kind == "c" != kind.kind and kind.kind != "b":
        x = x.real
    return x.astype(kind, order=order_of(x))


_cast: Callable[..., Any] = row("to_copy", as_type, casts=True, x=lambda g: g)  # the engine brings g to x's type


def cast(x: Tensor, kind: np.dtype[Any]) -> Tensor:
    """A copy in the NumPy type `kind`; recorded if both types can have gradients, else outside the graph."""
    return _cast(x, kind) if x._requires_grad and kind.kind in "fcV" else wrap(as_type(x._array, kind))


def floating(x: Tensor) -> Tensor:
    """x, or where it is of whole numbers or bools a copy in the default floating type."""
    return x if x._array.dtype.kind in "fcV" else cast(x, default_numpy_dtype())
