"""The error function, which NumPy lacks."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..op import Forward, quiet, unary

__all__ = ["erf", "erfc"]


def keeps_type(forward: Forward) -> Forward:
    """The forward with its result in the first input's type, float16 computed in float32.

    NumPy 1 makes float64 of a 0-d float32 and a number.
    """

    @functools.wraps(forward)
    def typed(x: Any, *args: Any) -> Any:
        kind = x.dtype
        out = forward(x if kind.itemsize > 2 else x.astype(np.float32), *args)
        return out if out.dtype is kind else out.astype(kind)

    return typed


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """c₀ + c₁ x + c₂ x² + …, by Horner's rule."""
    *rest, out = coefficients
    for c in reversed(rest):
        out = out * x + c
    return out


# Fitted for this file with 40 digits (weighted least squares for the first, interpolation at Chebyshev's points for the
# others), against erf as mpmath computes it. Each comment says what the polynomial stands for and where.
_ATANH_ERF = (  # artanh(erf x) / x in x², |x| < 4; the further out, the less an error of it matters to tanh
    1.12837925, 0.102769864, -0.000195288364, -0.000614837934, 8.45963888e-05, -4.79454937e-06, 2.75690389e-08,
    5.42191499e-09,
)  # fmt: skip
_ERF_SMALL = (  # erf(x) / x in x², |x| < 1/2
    1.128379167095512, -0.376126389031482, 0.11283791667965472, -0.026866169686584996, 0.0052239625135716,
    -0.0008547030530247074, 0.00011993461301850309, -1.3372691582222139e-05,
)  # fmt: skip
_POLE = 3.5
_ERFC_SCALED = (  # (1 + 2x) exp(x²) erfc(x) in (x - 3.5) / (x + 3.5), 0.45 < x < 28
    1.2423492448711546, -0.14000918013766597, -0.010555596332256794, 0.09751909515791717, -0.1150895981583456,
    0.08798315368779479, -0.0488233258616908, 0.01909933278076736, -0.004215019600830632, -0.000302281281674597,
    0.0005643828678425501, -0.00012145470272218604, -4.2777701948187856e-05, 2.4109408097351172e-05,
    2.320790459170118e-06, -3.5741182217644974e-06, -3.791900563799471e-08, 3.838903885615366e-07,
    -9.529757283099936e-09,
)  # fmt: skip


def _scaled_erfc(x: Any) -> Any:
    """exp(x²) erfc(x), 1/2 ≤ x ≤ 28."""
    return polynomial(_ERFC_SCALED, (x - _POLE) / (x + _POLE)) / (1 + 2 * x)


def _erf_double(x: Any) -> Any:
    size = np.abs(x)
    inner = np.minimum(size, 0.5)
    small = inner * polynomial(_ERF_SMALL, inner * inner)
    outer = np.clip(size, 0.5, 6.0)  # erf is 1 there
    return np.copysign(np.where(size < 0.5, small, 1 - np.exp(-outer * outer) * _scaled_erfc(outer)), x)


def _erf(x: Any) -> Any:
    if x.dtype.itemsize > 4:
        return _erf_double(x)
    return np.tanh(x * polynomial(_ATANH_ERF, x * x))


def _erfc(x: Any) -> Any:
    wide = x.astype(np.float64)
    size = np.clip(np.abs(wide), 0.5, 28.0)  # erfc is 0 there
    near = np.rint(size * 16) / 16  # exp(-size²) in two parts, because size² would be rounded
    tail = np.exp(-near * near) * np.exp((near - size) * (near + size)) * _scaled_erfc(size)
    return np.where(np.abs(wide) < 0.5, 1 - _erf_double(wide), np.where(wide < 0, 2 - tail, tail))


_SLOPE = 2 / math.sqrt(math.pi)

erf = unary(
    "erf", quiet(keeps_type(_erf)), lambda g, x: g * (_SLOPE * np.exp(-x * x)),
    doc="The error function, 2/√π ∫₀ˣ exp(-t²) dt, to 4 units in the last place in float32 and 1e-15 in float64",
)  # fmt: skip
erfc = unary(
    "erfc", quiet(keeps_type(_erfc)), lambda g, x: g * (-_SLOPE * np.exp(-x * x)),
    doc="1 - erf(x), with its full precision also where it is tiny",
)  # fmt: skip
