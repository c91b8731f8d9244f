"""Arithmetic that ends on the same bit everywhere: fused multiply-add, and the C library's functions.

PyTorch's kernels compute a·b + c with one rounding (a fused multiply-add); NumPy rounds twice. Half of the numbers
from `uniform_(-0.1, 0.1)` would differ in their last bit, and with them every default-initialised weight. So the one
rounding is computed here from NumPy's own operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_LOW_28 = 0x0FFFFFFF


def fma32(a: Any, b: Any, c: Any) -> Array:
    """a·b + c of float32 numbers (at least one an array), rounded once.

    In float64 the product is exact, so only the sum is rounded before the result is. That matters only where the
    rounded sum lies just halfway between two float32: then the last 28 bits of it are zero.
    """
    product = np.multiply(a, b, dtype=np.float64)
    total = product + np.asarray(c, np.float64)
    doubtful = (total.view(np.int64) & _LOW_28) == 0
    if doubtful.any():
        addend = np.broadcast_to(c, total.shape)[doubtful].astype(np.float64)
        total[doubtful] = _nudged(*_two_sum(product[doubtful], addend))
    return total.astype(np.float32)


def scaled(x: Array, scale: float, shift: float) -> Array:
    """x·scale + shift in x's type, rounded once; `scale` and `shift` are rounded to that type before."""
    scale, shift = x.dtype.type(scale), x.dtype.type(shift)
    if scale == 1 or shift == 0:  # there is only one rounding anyway
        return x * scale + shift
    return fma32(x, scale, shift) if x.dtype == np.float32 else fma64(x, float(scale), float(shift))


def fma64(a: Array, scale: float, shift: Any) -> Array:
    """a·scale + shift of float64 numbers, rounded once.

    Source: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
    odd", IEEE Transactions on Computers 57 (2008).
    """
    power = math.frexp(max(abs(scale), float(np.max(np.abs(shift)))))[1]  # what is below 1 does not overflow when split
    scale, shift = math.ldexp(scale, -power), np.ldexp(shift, -power)
    product, low = _two_product(a, scale)
    carry, rest = _two_sum(low, shift)
    high, middle = _two_sum(product, carry)
    return np.ldexp(high + _rounded_to_odd(*_two_sum(rest, middle)), power)


def _two_sum(a: Array, b: Any) -> tuple[Array, Array]:
    """a + b rounded, and what the rounding lost."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _split(a: Any) -> tuple[Any, Any]:
    """A float64 as the sum of two with half as many bits."""
    scaled = a * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _two_product(a: Array, b: float) -> tuple[Array, Array]:
    """a·b rounded, and what the rounding lost."""
    product = a * b
    (a1, a0), (b1, b0) = _split(a), _split(b)
    return product, a0 * b0 - (((product - a1 * b1) - a0 * b1) - a1 * b0)


def _nudged(total: Array, lost: Array) -> Array:
    """Each total moved by its last bit to the side where the exact sum is."""
    return np.where(lost == 0, total, np.nextafter(total, np.copysign(np.inf, lost)))


def _rounded_to_odd(total: Array, lost: Array) -> Array:
    """The sum with its last bit set where it is not exact, so that rounding it again is right."""
    even = (total.view(np.int64) & 1) == 0
    return np.where(even, _nudged(total, lost), total)


# ---- the C library's functions -----------------------------------------------------------------------------
def _one_by_one(function: Callable[[float], float]) -> Callable[[Array], Array]:
    return lambda x: np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


_PROBED = {"log": (0.0, 1.0), "log1p": (-1.0, 0.0)}  # where a function is used, if not in ±2π


@cache
def libm(name: str) -> Callable[[Array], Array]:
    """`log`, `log1p`, `sin` … of float64 as the C library rounds them.

    NumPy has vector versions of its own on some processors, whose last bit differs for some numbers; there the C
    library is asked for one number at a time.
    """
    fast, exact = getattr(np, name), _one_by_one(getattr(math, name))
    probe = np.linspace(*_PROBED.get(name, (-2 * math.pi, 2 * math.pi)), 4098)[1:-1]
    return fast if np.array_equal(fast(probe), exact(probe)) else exact


def narrowed(x: Array, kind: np.dtype[Any]) -> Array:
    """float64 numbers in the type `kind`; in one of 16 bits by way of float32, as C++ does."""
    return (x.astype(np.float32) if kind.itemsize == 2 else x).astype(kind, copy=False)


_MARGIN = 2.0**-50  # by how much a vector version may be off: several times its last bit


def libm_in(kind: np.dtype[Any], name: str, x: Array, then: Callable[[Array], Array]) -> Array:
    """then(f(x)) in the type `kind`, f as the C library rounds it, `then` increasing or falling.

    In a type narrower than float64 the last bit of f rarely shows. So the vector version is taken, and the C library
    only asked where another last bit would lead to another result.
    """
    if kind == np.float64:
        return then(libm(name)(x))
    with np.errstate(all="ignore"):
        fast = getattr(np, name)(x)
        out, other = (narrowed(then(fast * side), kind) for side in (1 - _MARGIN, 1 + _MARGIN))
        doubtful = np.flatnonzero(out != other)
        if doubtful.size:
            out.flat[doubtful] = narrowed(then(libm(name)(x.flat[doubtful])), kind)
    return out
