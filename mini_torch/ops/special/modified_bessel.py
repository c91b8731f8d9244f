"""Modified Bessel functions: I₀ and I₁ (i0, i0e, i1, i1e), K₀ and K₁, with and without their exponential factor.

Chebyshev series of our own (see `series.py`) in x up to a point, and in 1/x from there on, as in Cephes.
Source of the formulas: DLMF, chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import unary
from ...tensor import Tensor
from .blocks import blockwise, patch
from .declare import of_x, special, without_gradient
from .series import Chebyshev

__all__ = [
    "i0", "i0e", "i1", "i1e", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
]  # fmt: skip

_I0E_NEAR = Chebyshev(0.0, 8.0, (  # exp(-x) I₀(x), 0 < x < 8
    0.33839763720473803, -0.3046826723431984, 0.17162090152220877, -0.09490109704804764, 0.04930528423967071,
    -0.02373741480589947, 0.010546460394594998, -0.004324309995050576, 0.001639475616941336, -0.0005763755745385824,
    0.000188502885095842, -5.7541950100821e-5, 1.6448448070729e-5, -4.4167383584588e-6, 1.11738753912e-6,
    -2.67079385394e-7, 6.04699502254e-8, -1.30002501e-8, 2.659823725e-9, -5.189795602e-10, 9.67580904e-11,
    -1.7268263e-11, 2.9550527e-12, -4.856447e-13, 7.67619e-14, -1.1685e-14, 1.715e-15, -2.43e-16, 3.33e-17,
    -4.42e-18,
))  # fmt: skip
_I0E_FAR = Chebyshev(0.0, 0.125, (  # √x exp(-x) I₀(x) in 1/x
    0.4022452055070544, 0.003369116478255694, 6.8897583469168e-5, 2.891370520835e-6, 2.04891858947e-7,
    2.2666689905e-8, 3.396232026e-9, 4.94060239e-10, 1.1889147e-11, -3.1499165e-11, -1.3215812e-11, -1.794179e-12,
    7.18012e-13, 3.85278e-13, 1.5401e-14, -4.1506e-14, -9.5548e-15, 3.812e-15, 1.773e-15, -3.43e-16, -2.83e-16,
    3.46e-17, 4.47e-17, -4.83e-18, -7.23e-18,
))  # fmt: skip
_I1E_NEAR = Chebyshev(0.0, 8.0, (  # exp(-x) I₁(x) / x, 0 < x < 8
    0.12629359322181682, -0.17641651835783406, 0.1026436586898471, -0.05294598120809499, 0.024726449030626516,
    -0.010564084894626197, 0.004156422944312888, -0.0015135724506312532, 0.0005122859561685758,
    -0.0001617608158258967, 4.781565107550054e-5, -1.32731636560394e-5, 3.47025130813768e-6, -8.5687202646955e-7,
    2.003294753552e-7, -4.445059128796e-8, 9.3815373865e-9, -1.8872497517e-9, 3.6255902816e-10, -6.663489724e-11,
    1.17361863e-11, -1.9839744e-12, 3.223793e-13, -5.042186e-14, 7.60068e-15, -1.1056e-15, 1.554e-16, -2.11e-17,
    2.78e-18, -3.54e-19,
))  # fmt: skip
_I1E_FAR = Chebyshev(0.0, 0.125, (  # √x exp(-x) I₁(x) in 1/x
    0.38928811750914005, -0.009761097491361469, -0.000110588938762624, -3.882564808878e-6, -2.51223623787e-7,
    -2.6314688469e-8, -3.835380386e-9, -5.58974346e-10, -1.8974958e-11, 3.2526036e-11, 1.4125807e-11, 2.035629e-12,
    -7.19855e-13, -4.08355e-13, -2.1015e-14, 4.2724e-14, 1.042e-14, -3.814e-15, -1.88e-15, 3.31e-16, 2.96e-16,
    -3.21e-17, -4.65e-17, 4.41e-18, 7.52e-18,
))  # fmt: skip
_K0_NEAR = Chebyshev(0.0, 4.0, (  # K₀(x) + ln(x/2) I₀(x) in x², 0 < x < 2
    -0.2676636966169514, 0.3442898999246285, 0.0359799365153615, 0.001264615411446926, 2.286212103119452e-5,
    2.5347910790261e-7, 1.90451637722e-9, 1.034969526e-11, 4.259816e-14, 1.3745e-16, 3.57e-19,
))  # fmt: skip
_K0_FAR = Chebyshev(0.0, 0.5, (  # √x exp(x) K₀(x) in 1/x
    1.2201515410329777, -0.0314481013119645, 0.00156988388573005, -0.00012849549581628, 1.394981371888e-5,
    -1.83175552272e-6, 2.76681363945e-7, -4.6604898977e-8, 8.574034017e-9, -1.69753451e-9, 3.57739728e-10,
    -7.9574892e-11, 1.855949e-11, -4.514598e-12, 1.14034e-12, -2.9801e-13, 8.0329e-14, -2.228e-14, 6.34e-15,
    -1.85e-15, 5.51e-16, -1.68e-16, 5.21e-17, -1.65e-17,
))  # fmt: skip
_K1_NEAR = Chebyshev(0.0, 4.0, (  # x (K₁(x) - ln(x/2) I₁(x)) in x², 0 < x < 2
    0.7626501136694739, -0.3531559607765449, -0.12261118082265715, -0.006975723859639864, -0.000173028895751305,
    -2.433406141566e-6, -2.2133876307e-8, -1.41148839e-10, -6.666902e-13, -2.427e-15, -7.02e-18,
))  # fmt: skip
_K1_FAR = Chebyshev(0.0, 0.5, (  # √x exp(x) K₁(x) in 1/x
    1.3603130952422213, 0.10392373657681724, -0.002857816859622779, 0.00019521551847135, -1.936197974166e-5,
    2.40648494784e-6, -3.50196060309e-7, 5.7410841255e-8, -1.034576247e-8, 2.01504976e-9, -4.19035476e-10,
    9.2183152e-11, -2.129968e-11, 5.13964e-12, -1.28917e-12, 3.34842e-13, -8.9767e-14, 2.477e-14, -7.02e-15,
    2.04e-15, -6.06e-16, 1.84e-16, -5.69e-17, 1.79e-17,
))  # fmt: skip


# ---- I ---------------------------------------------------------------------------------------------------------------
def _i0e_block(x: Any, eps: float) -> Any:
    size = np.abs(x)
    out = _I0E_NEAR(np.minimum(size, 8), eps)
    patch(out, size > 8, lambda x: _I0E_FAR(1 / x, eps) / np.sqrt(x), size)
    return out


def _i1e_block(x: Any, eps: float) -> Any:
    size = np.abs(x)
    out = x * _I1E_NEAR(np.minimum(size, 8), eps)
    patch(out, size > 8, lambda x, size: np.copysign(_I1E_FAR(1 / size, eps) / np.sqrt(size), x), x, size)
    return out


def _grown(scaled: Any, x: Any, limit: Any) -> Any:
    """exp(|x|) times the scaled function, `limit` at ±∞; in two steps, because exp overflows before it does."""
    root = np.exp(np.abs(x) / 2)
    return np.where(np.isinf(x), limit, root * scaled * root)


def _i0_block(x: Any, eps: float) -> Any:
    return _grown(_i0e_block(x, eps), x, np.inf)


def _i1_block(x: Any, eps: float) -> Any:
    return _grown(_i1e_block(x, eps), x, x)


def _ratio(x: Any, over: Any) -> Any:
    """over / x, where it is divided by something: `over` at x = 0, which the caller replaces."""
    return over / np.where(x == 0, 1.0, x)


i0: Callable[..., Tensor] = unary(
    "i0", blockwise("i0_vml_cpu")(_i0_block), lambda g, x: g * i1(x), doc="I₀(x), the modified Bessel function",
)  # fmt: skip
i0e: Callable[..., Tensor] = special(
    "i0e", blockwise("i0e_cpu")(_i0e_block), lambda g, x, out: g * (i1e(x) - np.sign(x) * out), doc="exp(-|x|) I₀(x)",
)  # fmt: skip
i1: Callable[..., Tensor] = special(
    "i1", blockwise("i1_cpu")(_i1_block), lambda g, x, out: g * np.where(x == 0, 0.5, i0(x) - _ratio(x, out)),
    doc="I₁(x), the modified Bessel function of order one",
)  # fmt: skip
i1e: Callable[..., Tensor] = special(
    "i1e", blockwise("i1e_cpu")(_i1e_block),
    lambda g, x, out: g * np.where(x == 0, 0.5, i0e(x) - np.sign(x) * out - _ratio(x, out)), doc="exp(-|x|) I₁(x)",
)  # fmt: skip


# ---- K ---------------------------------------------------------------------------------------------------------------
def _k_block(near: Callable[..., Any], far: Chebyshev, scaled: bool) -> Callable[..., Any]:
    """The kernel of K: `near` is K for x < 2, NaN for negative numbers, and `far` the series for the others."""

    def kernel(x: Any, eps: float) -> Any:
        out = near(np.minimum(x, 2), eps)
        if scaled:
            out = out * np.exp(x)
        patch(out, x > 2, lambda x: far(1 / x, eps) / np.sqrt(x) * (1 if scaled else np.exp(-x)), x)
        return out

    return kernel


def _k0_near(x: Any, eps: float) -> Any:
    return _K0_NEAR(x * x, eps) - np.log(x / 2) * _i0_block(x, eps)


def _k1_near(x: Any, eps: float) -> Any:
    return np.where(x == 0, np.inf, _K1_NEAR(x * x, eps) / x + np.log(x / 2) * _i1_block(x, eps))


modified_bessel_i0 = without_gradient("modified_bessel_i0", _i0_block, "I₀(x)")
modified_bessel_i1 = without_gradient("modified_bessel_i1", _i1_block, "I₁(x)")
modified_bessel_k0 = without_gradient("modified_bessel_k0", _k_block(_k0_near, _K0_FAR, False), "K₀(x), x > 0")
modified_bessel_k1 = without_gradient("modified_bessel_k1", _k_block(_k1_near, _K1_FAR, False), "K₁(x), x > 0")
scaled_modified_bessel_k0 = of_x(
    without_gradient("scaled_modified_bessel_k0", _k_block(_k0_near, _K0_FAR, True), "exp(x) K₀(x), x > 0")
)
scaled_modified_bessel_k1 = of_x(
    without_gradient("scaled_modified_bessel_k1", _k_block(_k1_near, _K1_FAR, True), "exp(x) K₁(x), x > 0")
)
