"""Sums inside a chain, by BLAS: a product with ones adds up several times as fast as `add.reduce`."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .domain import Domain
from .values import Call, Value

__all__ = ["axes_of", "with_fast_sums"]

_SHORT = 32  # elements of a row for which a product is not worth it
_vecdot: Any = getattr(np, "vecdot", None)  # from NumPy 2 on


def with_fast_sums(members: list[Call], domain: Domain, outside: set[int]) -> list[Call]:
    """The members with products in the place of sums along rows and over all rows, as far as they can be.

    The sum of a negative is a product with -1, and the sum of products along rows is one `vecdot`.
    """
    makers = {id(call.out): call for call in members if call.out is not None and id(call.out) not in outside}
    uses = Counter(id(value) for call in members for value in call.reads())
    in_place = any(call.writes for call in members)
    instead: dict[int, Call] = {}
    gone: set[int] = set()

    def only_for_it(x: Value, function: Any) -> Call | None:
        """The call of that function that makes x for one reader alone."""
        made = makers.get(id(x))
        if made is None or made.function is not function or made.kwargs or uses[id(x)] > 1 or in_place:
            return None
        return (
            made if all(isinstance(y, Value) and y.shape == x.shape and y.dtype == x.dtype for y in made.args) else None
        )

    for call in members:
        axis = _summed_axis(call, domain)
        if axis is None:
            continue
        x, factor = call.args[0], 1
        if (opposite := only_for_it(x, np.negative)) is not None:
            gone.add(id(opposite))
            x, factor = opposite.args[0], -1
        multiplied = only_for_it(x, np.multiply) if factor == 1 and axis and _vecdot is not None else None
        if multiplied is not None:
            gone.add(id(multiplied))
            instead[id(call)] = _like(call, _vecdot, multiplied.args)
        else:
            ones = _constant(np.full(x.shape[axis], factor, x.dtype))
            instead[id(call)] = _like(call, np.matmul, (x, ones) if axis else (ones, x))
    return [instead.get(id(call), call) for call in members if id(call) not in gone]


def _summed_axis(call: Call, domain: Domain) -> int | None:
    """The axis of a sum that a product with a vector can make: the last one, or the first of two."""
    if call.owner is not np.add or call.kwargs.get("keepdims") or call.out is None:
        return None
    x, axes = call.args[0], axes_of(call)
    last = len(x.shape) - 1
    if x.dtype not in (np.float32, np.float64) or x.dtype != call.out.dtype or x.strides[last] != x.dtype.itemsize:
        return None
    if axes == {last} and last not in domain.split and x.shape[last] >= _SHORT:
        return last
    return 0 if last == 1 and axes == {0} and domain.split == [0] else None


def _like(call: Call, function: Any, args: tuple[Any, ...]) -> Call:
    """Another call for the same result."""
    new = Call("ufunc", function, args, {}, call.scope)
    new.outs = call.outs
    return new


def _constant(array: Any) -> Value:
    array.flags.writeable = False
    return Value("constant", -1, array)


def axes_of(call: Call) -> set[int]:
    """The axes that a `reduce` goes over."""
    x, axis = call.args[0], call.kwargs.get("axis", 0)
    if axis is None:
        return set(range(len(x.shape)))
    return {a % len(x.shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
