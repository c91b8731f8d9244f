"""Calls that are needless, without a changed bit: x · 1 is x, a + (−b) is a − b, and some views show what is there."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values import Call, Value

__all__ = ["is_all_ones", "is_uniform", "simpler"]

_RESHAPES = {np.reshape, np.ndarray.reshape}
_OPPOSITE = {np.add: np.subtract, np.subtract: np.add}


def simpler(call: Call, makers: dict[int, Call], results: set[int]) -> Value | None:
    """The operand that the call's result equals, if there is one; a sum with a negative is changed into a difference.

    `makers` are the calls that made values, by the values' ids; `results` the memory (ids of roots) that is handed out.
    """
    if call.kwargs or call.writes or not call.pure or len(call.args) != 2 or call.out is None:
        return None
    a, b = call.args
    if call.function in _RESHAPES and call.is_view and id(a.root) not in results:
        return a if (a.shape, a.strides, a.dtype) == (call.out.shape, call.out.strides, call.out.dtype) else None
    if call.form != "ufunc":
        return None
    if call.function is np.multiply:
        for x, factor in ((a, b), (b, a)):
            if is_all_ones(factor) and isinstance(x, Value) and _can_stand_for(x, call.out, results):
                return x
    elif call.function is np.divide:
        if is_all_ones(b) and isinstance(a, Value) and _can_stand_for(a, call.out, results):
            return a
    elif call.function in _OPPOSITE:
        _without_negative(call, makers)
    call.become(call.function, tuple([_as_number(x, call.out) for x in call.args]))
    return None


def _as_number(x: Any, out: Value) -> Any:
    """A constant number that is spread, as the number: NumPy is quicker then."""
    if not isinstance(x, Value) or x.kind != "constant" or x.dtype != out.dtype:
        return x
    if not x.shape or any(x.strides) or 0 in x.shape:
        return x
    number = np.array(x.array[(0,) * len(x.shape)])
    number.flags.writeable = False
    return Value("constant", x.index, number)


def _can_stand_for(x: Value, out: Value, results: set[int]) -> bool:
    """Whether nobody can tell x from a copy of it."""
    return (
        (x.shape, x.dtype, x.strides) == (out.shape, out.dtype, out.strides)
        and not x.root.written and not out.written and id(out.root) not in results
    )  # fmt: skip


def _without_negative(call: Call, makers: dict[int, Call]) -> None:
    a, b = call.args
    flip, other = b, a
    if not _is_negative(flip, makers):
        if call.function is not np.add or not _is_negative(a, makers):
            return
        flip, other = a, b
    call.become(_OPPOSITE[call.function], (other, makers[id(flip)].args[0]))


def _is_negative(x: Any, makers: dict[int, Call]) -> bool:
    made = makers.get(id(x)) if isinstance(x, Value) else None
    if made is None or made.function is not np.negative or made.kwargs or x.root.written:
        return False
    source = made.args[0]
    return (
        isinstance(source, Value) and not source.root.written and source.dtype == x.dtype and source.dtype.kind in "fc"
    )


def is_all_ones(x: Any) -> bool:
    """Whether x is the number 1, or a constant that has nothing but ones and cannot change."""
    if not isinstance(x, Value):
        return type(x) in (int, float) and x == 1
    return x.dtype.kind in "fc" and is_uniform(x) and bool(x.array[(0,) * len(x.shape)] == 1)


def is_uniform(x: Value) -> bool:
    """Whether x is a constant that has the same number everywhere and cannot change."""
    if x.kind != "constant" or x.root.written or x.dtype.hasobject or 0 in x.shape:
        return False
    owner = x.array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    distinct = x.array[tuple([slice(None) if step else slice(1) for step in x.array.strides])]
    return bool((distinct == distinct[(0,) * distinct.ndim]).all())
