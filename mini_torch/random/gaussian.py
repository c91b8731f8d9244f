"""Normal numbers from uniform ones, with PyTorch's bits.

From 16 numbers on PyTorch fills blocks of 16 by the Box-Muller transform: of a pair (u, v) of uniforms in a block it
makes r cos t and r sin t with r = √(-2 ln(1 - u)), t = 2πv. Fewer come one at a time, always in float64.
In float32 the logarithm, sine and cosine are the Cephes library's single-precision polynomials, each `y·x + c` of
them rounded once; in float64 they are the C library's.
Source: Box and Muller, "A note on the generation of random normal deviates", Annals of Mathematical Statistics 29
(1958); Moshier, "Cephes mathematical library" (logf, sinf, cosf).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..rounding import Array, libm, scaled

BLOCK = 16
_HALF_BLOCK = BLOCK // 2

_f32 = np.float32


def normal_blocks(uniforms: Array, mean: float, std: float) -> Array:
    """A (k, 16) array of uniforms as a (k, 16) array of normals of the same type, float32 or float64."""
    box_muller = _box_muller32 if uniforms.dtype == np.float32 else _box_muller64
    pair = box_muller(uniforms[:, :_HALF_BLOCK], uniforms[:, _HALF_BLOCK:])
    return scaled(np.concatenate(pair, axis=1), std, mean)


def _box_muller64(u: Array, v: Array) -> tuple[Array, Array]:
    radius, angle = np.sqrt(-2.0 * libm("log")(1.0 - u)), (2.0 * math.pi) * v
    return radius * libm("cos")(angle), radius * libm("sin")(angle)


def _box_muller32(u: Array, v: Array) -> tuple[Array, Array]:
    radius = np.sqrt(_f32(-2) * _log32(_f32(1) - u))
    sin, cos = _sincos32(_f32(2 * math.pi) * v)
    return radius * cos, radius * sin


def _fused(a: Any, wide: Any, c: Any) -> Array:
    """a·b + c of float32 numbers, b given in float64: the product is exact, the sum is rounded there and to float32.

    That is twice, and yet right for all 2²⁴ uniforms that there are: each of them was compared with `fma32`.
    """
    return (a * wide + c).astype(np.float32)


def _horner(wide: Array, *coefficients: float) -> Array:
    y: Any = _f32(coefficients[0])
    for c in coefficients[1:]:
        y = _fused(y, wide, _f32(c))
    return y


def _log32(x: Array) -> Array:
    """ln x for 0 < x ≤ 1: x = m·2^e with m in [√½, √2), then a polynomial in m - 1."""
    mantissa, exponent = np.frexp(x)
    small = (mantissa < _f32(0.707106781186547524)).astype(np.float32)
    e = exponent.astype(np.float32) - small
    m = (mantissa - _f32(1)) + mantissa * small
    z = m * m
    y = m * _horner(
        m.astype(np.float64), 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
        -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    )  # fmt: skip
    y = _fused(y, z.astype(np.float64), e * _f32(-2.12194440e-4))
    m += y - z * _f32(0.5)
    return e * _f32(0.693359375) + m  # here and above the product is exact in float32


def _sincos32(x: Array) -> tuple[Array, Array]:
    """sin x and cos x for 0 ≤ x ≤ 2π: x less the nearest even multiple of π/4, then one polynomial each."""
    octant = ((x * _f32(1.27323954473516)).astype(np.int32) + 1) & ~1
    turns = octant.astype(np.float32)
    # π/4 in three parts; of the first two few bits are set, and the products are exact in float32
    x = x + turns * _f32(-0.78515625) + turns * _f32(-2.4187564849853515625e-4)
    x = _fused(turns, np.float64(_f32(-3.77489497744594108e-8)), x)
    z = x * x
    wide = z.astype(np.float64)
    cos = z * _horner(wide, 2.443315711809948e-005, -1.388731625493765e-003, 4.166664568298827e-002)
    cos = _fused(cos, wide, z * _f32(-0.5)) + _f32(1)
    sin = z * _horner(wide, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
    sin = _fused(sin, x.astype(np.float64), x)
    swapped = (octant & 2) != 0
    sin, cos = np.where(swapped, cos, sin), np.where(swapped, sin, cos)
    return _flipped(sin, octant), _flipped(cos, octant + 2)


def _flipped(x: Array, octant: Array) -> Array:
    """x with the other sign where `octant` has the bit of 4, which is moved to x's sign bit."""
    return (x.view(np.uint32) ^ ((octant.view(np.uint32) & np.uint32(4)) << np.uint32(29))).view(np.float32)


def normal_pairs(uniforms: Array) -> Array:
    """A (k, 2) float64 array of uniforms as one of normals, by the formula for numbers that come one at a time."""
    angle, radius = 2.0 * math.pi * uniforms[:, 0], np.sqrt(-2.0 * libm("log1p")(-uniforms[:, 1]))
    return np.stack([radius * libm("cos")(angle), radius * libm("sin")(angle)], axis=1)
