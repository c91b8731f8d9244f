"""The error function's family: erf, erfc, erfcx, erfinv, and the normal distribution's ndtr, log_ndtr, ndtri.

All rest on two functions: exp(x²) erfc(x), which falls from 1 to 0 without haste, and erfinv(x) / x, which hardly
moves. Both are Chebyshev series of our own (see `series.py`). Source of the formulas: DLMF, chapter 7.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...op import unary
from .blocks import blockwise, patch
from .declare import special
from .series import Chebyshev, horner

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

_ERF_SMALL = Chebyshev(0.0, 0.25, (  # erf(x) / x in x², |x| < 1/2
    1.083882205490613, -0.04367779108737525, 0.000807111829413321, -1.191317951927e-5, 1.4402787336e-7,
    -1.46771558e-9, 1.290244e-11, -9.9639e-14, 6.86e-16,
))  # fmt: skip
_ERFCX = Chebyshev(-1.0, 1.0, (  # (1 + 2x) exp(x²) erfc(x) in (x - 4) / (x + 4), x > 0
    1.1774832005374487, -0.0072607966203019, -0.081265123236185, 0.06009212804122225, -0.02875393558027666,
    0.01059566336347286, -0.003136927294554264, 0.000745649437253618, -0.00013696965030101, 1.71838616003e-5,
    -7.15836462345e-7, -2.42613994424e-7, 5.5765709396e-8, -2.105786951e-9, -1.17178894e-9, 1.9098355e-10,
    1.408872e-11, -6.901108e-12, 9.168e-14, 2.14545e-13, -1.472e-14, -6.669e-15, 7.5e-16, 2.22e-16, -3.17e-17,
))  # fmt: skip
_ERFINV_INNER = Chebyshev(0.0, 6.25, (  # erfinv(x) / x in w = -ln(1 - x²)
    1.6304220989459326, 0.7315674456742257, -0.021235032142504585, -0.006580887542449463, 0.001948871142690852,
    -0.00014158343386375, -4.929286463618e-5, 1.475288792904e-5, -6.11191860326e-7, -5.10699733548e-7,
    1.1590277233e-7, 1.49079988e-9, -5.244776786e-9, 8.51790549e-10, 7.9170206e-11, -5.0994282e-11, 5.436228e-12,
    1.29228e-12, -4.65606e-13, 2.4257e-14, 1.64e-14, -3.95e-15, -3.9e-17, 1.83e-16, -3.04e-17,
))  # fmt: skip
_ERFINV_MIDDLE = Chebyshev(2.5, 5.0, (  # the same in s = √w
    3.589873468284028, 1.2581619425275905, 0.00267549123494279, -0.00105994508685626, 0.00033981496276629,
    -0.0001119863508436, 3.545375985321e-5, -9.466529760736e-6, 1.76021836184e-6, -6.7627857674e-8,
    -9.7771412181e-8, 4.175910534e-8, -8.541217507e-9, 2.6219491e-10, 4.4048573e-10, -1.5646474e-10, 2.355887e-11,
    1.3841e-12, -1.64169e-12, 4.1251e-13, -4.124e-14, -7.199e-15, 4.04e-15, -9.09e-16, 1.01e-16,
))  # fmt: skip
_ERFINV_OUTER = Chebyshev(0.25, 0.8125, (  # erfinv(x) / (x s) in (s - 3) / (s + 3)
    0.9863708045917402, 0.01394501918883509, -0.002344870900232687, 0.00010067017157364, -1.09281604719e-6,
    -1.89102263264e-6, 1.8865000696e-7, -4.7679668198e-8, 4.63034629e-10, -1.05368256e-9, -1.3833332e-10,
    -4.3857053e-11, -1.017182e-11, -2.766554e-12, -6.73818e-13, -2.11869e-13, -3.9722e-14, -2.0742e-14, -7.08e-16,
    -2.66e-15, 3.52e-16, -3.53e-16, 6.23e-17, -3.07e-17,
))  # fmt: skip
_ATANH_ERF = (  # artanh(erf x) / x in powers of x², |x| < 4; the further out, the less an error of it matters to tanh
    1.12837925, 0.102769864, -0.000195288364, -0.000614837934, 8.45963888e-05, -4.79454937e-06, 2.75690389e-08,
    5.42191499e-09,
)  # fmt: skip


def scaled_erfc(x: Any, eps: float) -> Any:
    """exp(x²) erfc(x), x ≥ 0. Source of the variable: Shepherd and Laframboise 1981."""
    out = _ERFCX(1 - 8 / (x + 4), eps)
    out /= 1 + 2 * x
    return out


def _exp_square(x: Any, factor: float, eps: float) -> Any:
    """exp(factor · x²); in double precision of two parts, because x² would be rounded."""
    if eps > 1e-10:
        return np.exp(factor * x * x)
    x = np.clip(x, -1e3, 1e3)  # which is beyond what exp can hold
    near = np.rint(x * 16) / 16
    return np.exp(factor * near * near) * np.exp(factor * ((x - near) * (x + near)))


# ---- erf, erfc, erfcx ------------------------------------------------------------------------------------------------
def _erf_single(x: Any, eps: float) -> Any:
    """erf in float32: tanh bends as erf does, and what is left to approximate is small."""
    out = horner(_ATANH_ERF, x * x)
    out *= x
    return np.tanh(out, out=out)


@blockwise("erf_vml_cpu", single=_erf_single)
def _erf(x: Any, eps: float) -> Any:
    size = np.abs(x)
    out = scaled_erfc(size, eps)
    out *= -np.exp(-x * x)
    out += 1
    np.copysign(out, x, out=out)
    patch(out, size < 0.5, lambda x: x * _ERF_SMALL(x * x, eps), x)
    return out


@blockwise("erfc_vml_cpu")
def _erfc(x: Any, eps: float) -> Any:
    out = scaled_erfc(np.abs(x), eps)
    out *= _exp_square(x, -1, eps)
    return _continued(out, x)


def _continued(tail: Any, x: Any) -> Any:
    """The tail for x ≥ 0, and 2 less it for x < 0; twice as fast as `where`."""
    sign = np.copysign(1.0, x)
    tail *= sign
    tail += 1 - sign
    return tail


@blockwise("erfcx_cpu", half=False)
def _erfcx(x: Any, eps: float) -> Any:
    out = scaled_erfc(np.abs(x), eps)
    patch(out, x < 0, lambda x, out: 2 * _exp_square(x, 1, eps) - out, x, out)
    return out


_SLOPE = 2 / math.sqrt(math.pi)

erf = unary(
    "erf", _erf, lambda g, x: g * (_SLOPE * np.exp(-x * x)),
    doc="The error function, 2/√π ∫₀ˣ exp(-t²) dt, to 4 units in the last place in float32 and 1e-15 in float64",
)  # fmt: skip
erfc = unary(
    "erfc", _erfc, lambda g, x: g * (-_SLOPE * np.exp(-x * x)),
    doc="1 - erf(x), with its full precision also where it is tiny",
)  # fmt: skip
erfcx = special(
    "erfcx", _erfcx, lambda g, x, out: g * (2 * x * out - _SLOPE),
    doc="exp(x²) erfc(x), which neither overflows nor underflows for x > 0",
)  # fmt: skip


# ---- the inverse -----------------------------------------------------------------------------------------------------
def _inverse_slope(w: Any, eps: float) -> Any:
    """erfinv(x) / x in w = -ln(1 - x²). Source of the variable: Giles 2012, Approximating the erfinv function."""
    out = _ERFINV_INNER(np.minimum(w, 6.25), eps)
    patch(out, w > 6.25, lambda w: _ERFINV_MIDDLE(np.minimum(np.sqrt(w), 5), eps), w)
    patch(out, w > 25, lambda w: np.sqrt(w) * _ERFINV_OUTER(np.minimum(1 - 6 / (np.sqrt(w) + 3), 0.8125), eps), w)
    return out


@blockwise("erfinv_vml_cpu")
def _erfinv(x: Any, eps: float) -> Any:
    return x * _inverse_slope(-np.log((1 - x) * (1 + x)), eps)


erfinv = unary(
    "erfinv", _erfinv, lambda g, out: g * (math.sqrt(math.pi) / 2 * np.exp(out * out)),
    doc="The x with erf(x) as given; ±inf for ±1, NaN beyond",
)  # fmt: skip


# ---- the normal distribution -----------------------------------------------------------------------------------------
_HALF = math.sqrt(0.5)


def _tails(x: Any, eps: float) -> Any:
    """The normal distribution's part beyond ±x."""
    out = scaled_erfc(np.abs(x) * _HALF, eps)
    out *= _exp_square(x, -0.5, eps)
    return out


def _ndtr_block(x: Any, eps: float) -> Any:
    return 0.5 * _continued(_tails(x, eps), -x)


_ATANH_CDF = [np.array(a, np.float32) for a in (  # artanh(2 Φ(x) - 1) / x in powers of x², of a degree less than erf's:
    0.797884941, 0.0363330844, -3.25947471e-05, -5.53063155e-05, 3.96477288e-06,  # its small values need no care
    -1.32266255e-07, 1.75627668e-09,
)]  # fmt: skip
_ONE, _HALF_SINGLE = np.array(1, np.float32), np.array(0.5, np.float32)  # NumPy takes these faster than numbers


def _cdf_single(x: Any, square: Any) -> Any:
    """Φ(x) = (1 + erf(x / √2)) / 2 in float32, given x²; not exact where it is tiny, which a product with x does not
    show."""
    out = horner(_ATANH_CDF, square)
    out *= x
    np.tanh(out, out=out)
    out += _ONE
    out *= _HALF_SINGLE
    return out


def _gelu_single(x: Any, eps: float) -> Any:
    out = _cdf_single(x, x * x)
    out *= x
    return out


normal_cdf = blockwise("erf_vml_cpu", single=lambda x, eps: _cdf_single(x, x * x))(_ndtr_block)
times_normal_cdf = blockwise("GeluKernelImpl", single=_gelu_single)(lambda x, eps: x * _ndtr_block(x, eps))


def normal_cdf_of_block(x: Any, square: Any) -> Any:
    """`normal_cdf` of as much as the cache holds, given x²."""
    return _cdf_single(x, square) if x.dtype == np.float32 else normal_cdf(x)


@blockwise("log_ndtr_cpu", half=False)
def _log_ndtr(x: Any, eps: float) -> Any:
    out = np.log1p(-0.5 * _tails(x, eps))
    patch(out, x < 0, lambda x: np.log(0.5 * scaled_erfc(-x * _HALF, eps)) - 0.5 * x * x, x)
    return out


@blockwise("ndtri_cpu", half=False)
def _ndtri(p: Any, eps: float) -> Any:
    rest = np.minimum(p, 1 - p)
    return math.sqrt(2) * (2 * p - 1) * _inverse_slope(-np.log(4 * rest * (1 - rest)), eps)


ndtr = special(
    "ndtr", blockwise("erf_vml_cpu")(_ndtr_block), lambda g, x: g * (_HALF * _SLOPE / 2 * np.exp(-0.5 * x * x)),
    doc="Φ(x), the normal distribution function, exact also where it is tiny",
)  # fmt: skip
log_ndtr = special(
    "log_ndtr", _log_ndtr, lambda g, x: g * (_HALF * _SLOPE / erfcx(x * -_HALF)),
    doc="ln Φ(x), exact for x of any size",
)  # fmt: skip
ndtri = special(
    "ndtri", _ndtri, lambda g, out: g * (math.sqrt(2 * math.pi) * np.exp(0.5 * out * out)),
    doc="The x with Φ(x) as given; ±inf for 0 and 1, NaN beyond",
)  # fmt: skip
