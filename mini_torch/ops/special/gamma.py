"""The gamma function's family: lgamma, digamma, polygamma, zeta, mvlgamma.

All from Chebyshev series of our own (see `series.py`) near the origin, asymptotic series further out, and the
reflection formulas for negative numbers. Source of the formulas: DLMF, chapters 5 (gamma) and 25 (zeta).
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import floating, inplace, no_formula, public, row, unary
from ...tensor import Tensor, method
from .blocks import blockwise, patch
from .declare import special_of_two
from .series import Chebyshev

__all__ = ["digamma", "lgamma", "mvlgamma", "polygamma", "zeta"]

_LAST = 2.09375  # ln 8.115: from there on, the asymptotic series
_LGAMMA = Chebyshev(-0.71875, 2.09375, (  # ln Γ(x) / ((x - 1)(x - 2)) in ln x
    0.4549892406865678, -0.2841442646456785, 0.031024286950610526, -0.0005207599465262744, -4.8818291226265e-5,
    -1.1048962120742e-5, -2.200660006989e-6, 8.497671936647e-7, 2.7251646648e-8, -3.2630307518e-8, 2.200555514e-9,
    9.059112593e-10, -1.81760046e-10, -1.3780129e-11, 8.9324609e-12, -4.343853e-13, -3.39148e-13, 5.49578e-14,
    9.6951e-15, -3.435e-15, -1.26e-16, 1.69e-16, -8.58e-18, -7.13e-18,
))  # fmt: skip
_STIRLING = Chebyshev(0.0, 0.015625, (  # x (ln Γ(x) - Stirling's formula) in 1/x², x > 8
    0.08331170390906488, -2.1605550805446e-5, 2.38051303067e-8, -6.79698274e-11, 3.598299e-13, -3.0066e-15, 3.6e-17,
))  # fmt: skip
_DIGAMMA = Chebyshev(0.0, 2.09375, (  # ψ(x) / (x - its zero) in ln x, x > 1
    0.6979778967373179, -0.4622033487922464, 0.07844746851287471, -0.010189961648579365, 0.001358551101442074,
    -0.000182125825103338, 1.9528106650873e-5, -1.269919387429e-6, -4.716065435e-9, 8.9224893597e-9, 1.6145777e-10,
    -3.00901946e-10, 3.9648095e-11, 2.260401e-12, -1.314294e-12, 1.03598e-13, 2.3088e-14, -5.605e-15, 8.29e-18,
    1.56e-16, -1.73e-17,
))  # fmt: skip
_PSI_TAIL = Chebyshev(0.0, 0.015625, (  # x² (ln x - 1/(2x) - ψ(x)) in 1/x², x > 8
    0.08326858762300525, -6.46270213138203e-5, 1.18215711598e-7, -4.700907984e-10, 3.1791844e-12, -3.22247e-14,
    4.523e-16, -8.32e-18,
))  # fmt: skip
_SIN_PI = Chebyshev(0.0, 0.25, (  # sin(πx) / x in x², |x| < 1/2
    2.552557924804532, -0.570523138362072, 0.0182360320133036, -0.00027317502708393, 2.36992371532e-6,
    -1.340558321e-8, 5.3345572e-11, -1.5746e-13, 3.58e-16,
))  # fmt: skip
_COT_PI = Chebyshev(0.0, 0.25, (  # (1 - πx cot(πx)) / x² in x², |x| < 1/2
    3.6207050429300622, 0.3533431601740321, 0.02410558732949859, 0.00171391460154327, 0.00012280064924278,
    8.812718819455e-6, 6.3266138703e-7, 4.542202658e-8, 3.2611384e-9, 2.3413894e-10, 1.681042e-11, 1.20693e-12,
    8.6654e-14, 6.22e-15, 4.47e-16,
))  # fmt: skip
_TRIGAMMA = Chebyshev(0.0, 2.09375, (  # x ψ'(x) in ln x, x > 1
    1.2723214452724696, -0.2733382726610692, 0.0794493997395743, -0.01672431334778629, 0.002739280430045088,
    -0.000337349183492851, 2.4820348946201e-5, 4.95078412788e-7, -3.32229664412e-7, 1.04561422e-9, 1.234897416e-8,
    -2.03291503e-9, -8.1571733e-11, 7.5745185e-11, -7.852264e-12, -1.38544e-12, 4.33462e-13, -9.667e-15, -1.282e-14,
    1.81e-15, 2.06e-16, -8.05e-17,
))  # fmt: skip
_TRIGAMMA_TAIL = Chebyshev(0.0, 0.015625, (  # x³ (ψ'(x) - 1/x - 1/(2x²)) in 1/x², x > 8
    0.16640839127080098, -0.000257567950418997, 7.037034130884e-7, -3.7104933049e-9, 3.1157976e-11, -3.760696e-13,
    6.1046e-15, -1.27e-16, 3.27e-18,
))  # fmt: skip
_ZERO, _ZERO_REST = 1.4616321449683622, 9.549995429965697e-17  # of ψ, in two parts


# ---- lgamma ----------------------------------------------------------------------------------------------------------
def lgamma_block(x: Any, eps: float) -> Any:
    below = x < 0.5
    w = np.where(below, np.abs(x) + 1, x)
    log_w = np.log(w)
    out = (w - 1) * (w - 2)  # with its zeros at 1 and 2, ln Γ is exact there, too
    out *= _LGAMMA(np.minimum(log_w, _LAST), eps)
    patch(out, w > 8, lambda w, log_w: _stirling(w, log_w, eps), w, log_w)
    patch(out, x < 0, lambda x, of_w: _reflected(x, of_w, eps), x, out)
    patch(out, below & (x >= 0), lambda x, of_w: of_w - np.log(x), x, out)
    out += 0.0  # -0 becomes 0
    return out


def _stirling(w: Any, log_w: Any, eps: float) -> Any:
    """ln Γ(w), w > 8. Source: DLMF 5.11.1."""
    return (w - 0.5) * (log_w - 1) + (math.log(2 * math.pi) - 1) / 2 + stirling_rest(w, eps)


def stirling_rest(w: Any, eps: float) -> Any:
    """ln Γ(w) less Stirling's formula, 1/(12 w) - …, w > 8."""
    return _STIRLING(1 / (w * w), eps) / w


def lgamma_of_one_plus(x: Any, eps: float) -> Any:
    """ln Γ(1 + x), -1/2 < x < 7, exact also for x so small that 1 + x would round it."""
    return x * (x - 1) * _LGAMMA(np.log1p(x), eps)


def _reflected(x: Any, of_w: Any, eps: float) -> Any:
    """ln |Γ(x)| from ln Γ(1 - x), x < 0. Source: DLMF 5.5.3."""
    out = math.log(math.pi) - np.log(np.abs(_sin_pi(x, eps))) - of_w
    return np.where(x == -np.inf, np.inf, out)


def _sin_pi(x: Any, eps: float) -> Any:
    """sin(πx) up to its sign."""
    x = x - np.rint(x)
    return x * _SIN_PI(x * x, eps)


lgamma = unary(
    "lgamma", blockwise("lgamma_vml_cpu")(lgamma_block), lambda g, x: g * digamma(x),
    doc="ln |Γ(x)|, exact also next to its zeros at 1 and 2",
)  # fmt: skip


# ---- digamma and its derivatives -------------------------------------------------------------------------------------
@blockwise("digamma")
def _digamma(x: Any, eps: float) -> Any:
    below = x < 1
    w = np.where(below, np.abs(x) + 1, x)
    log_w = np.log(w)
    out = (w - _ZERO) - _ZERO_REST
    out *= _DIGAMMA(np.minimum(log_w, _LAST), eps)
    patch(out, w > 8, lambda w, log_w: log_w - (0.5 + _PSI_TAIL(1 / (w * w), eps) / w) / w, w, log_w)
    patch(out, x < 0, lambda x, of_w: of_w - _pi_cot(x, eps), x, out)
    patch(out, below & (x >= 0), lambda x, of_w: of_w - 1 / x, x, out)
    return out


def _pi_cot(x: Any, eps: float) -> Any:
    """π cot(πx); NaN at its poles, because ψ is there what PyTorch says it is."""
    x = x - np.rint(x)
    x = np.where(x == 0, np.nan, x)
    return (1 - x * x * _COT_PI(x * x, eps)) / x


digamma: Callable[..., Tensor] = unary(
    "digamma", _digamma, lambda g, x: g * _polygamma(x, 1), doc="ψ(x), the derivative of ln Γ",
)  # fmt: skip


def _trigamma(x: Any, eps: float) -> Any:
    """ψ′(x), as ψ(x). Source: DLMF 5.15."""
    below = x < 1
    w = np.where(below, np.abs(x) + 1, x)
    out = _TRIGAMMA(np.minimum(np.log(w), _LAST), eps)
    out /= w
    patch(out, w > 8, lambda w: (1 + (0.5 + _TRIGAMMA_TAIL(1 / (w * w), eps) / w) / w) / w, w)
    patch(out, x < 0, lambda x, of_w: (math.pi / _sin_pi(x, eps)) ** 2 - of_w, x, out)
    patch(out, below & (x >= 0), lambda x, of_w: of_w + 1 / (x * x), x, out)
    return out


def _sum_to(s: Any, q: Any) -> Any:
    """Σ (q + k)⁻ˢ over all k ≥ 0, q > 0: ten terms, and Euler's and Maclaurin's formula for the rest (DLMF 25.11.5)."""
    out = _inverse_power(q, s)
    for k in range(1, 10):
        out += _inverse_power(q + k, s)
    a = q + 10
    term = _inverse_power(a, s - 1)  # a¹⁻ˢ, which is there to see when a⁻ˢ is too small for a number
    out += term / (s - 1)
    term = term / a
    out += term / 2
    inverse = 1 / (a * a)
    rising = s * term / a
    for k, bernoulli in enumerate(_BERNOULLI):
        out += bernoulli * rising
        rising = rising * (inverse * ((s + 2 * k + 1) * (s + 2 * k + 2)))
    return out


_BERNOULLI = [  # B₂ₖ / (2k)!
    float(b) / math.factorial(2 * k)
    for k, b in enumerate(
        (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
         854513 / 138, -236364091 / 2730), 1,
    )
]  # fmt: skip


def _inverse_power(x: Any, s: Any) -> Any:
    """x⁻ˢ; for the small whole exponents of polygamma without the slow power."""
    if isinstance(s, int) and s <= 4:
        return 1 / math.prod([x] * s) if s else np.ones_like(x)
    return np.power(x, -s)


def _hurwitz(s: Any, q: Any) -> Any:
    """ζ(s, q) of arrays, s > 1."""
    out = _sum_to(s, q)
    if isinstance(s, int):
        patch(out, q <= 0, lambda q: _hurwitz_left(s, q), q)
    else:
        patch(out, q <= 0, _hurwitz_left, s, q)
    return out


def _hurwitz_left(s: Any, q: Any) -> Any:
    """ζ(s, q), q ≤ 0, s whole: the sum over all whole steps from q, to both sides, less the part left of q."""
    up, down = q - np.floor(q), np.ceil(q) - q
    sign = np.where(s % 2 == 0, 1.0, -1.0)
    out = _sum_to(s, up) + sign * (_sum_to(s, down) - _sum_to(s, 1 - q))
    return np.where(up == 0, np.inf, np.where(s == np.floor(s), out, np.nan))


def _polygamma_block(x: Any, eps: float, n: int) -> Any:
    """ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x), n > 1. Source: DLMF 25.11.12."""
    factorial = float(math.factorial(n)) if n <= 170 else math.inf
    return (factorial if n % 2 else -factorial) * _hurwitz(n + 1, x)


_first, _further = blockwise("trigamma")(_trigamma), blockwise("polygamma")(_polygamma_block)


def _derivative(x: Any, n: int) -> Any:
    """The n-th derivative of ψ, of an array."""
    return _digamma(x) if n == 0 else _first(x) if n == 1 else _further(x, n=n)


_polygamma: Any = row("polygamma", _derivative, x=lambda g, x, n: g * _polygamma(x, n + 1))


@public(method=False)
def polygamma(n: int, input: Tensor) -> Tensor:
    """ψ⁽ⁿ⁾(x), the n-th derivative of digamma, n ≥ 0. RuntimeError for a negative n.

    >>> from mini_torch import polygamma, tensor
    >>> polygamma(1, tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])

    Source: PyTorch's `torch.polygamma`.
    """
    if not isinstance(n, int) and not hasattr(n, "__index__"):
        raise TypeError(f"polygamma(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if (order := operator.index(n)) < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got n = {order}")
    return _polygamma(floating(input), order)


method("polygamma", lambda self, n: polygamma(n, self))
method("polygamma_", inplace(lambda self, n: polygamma(n, self)))


@blockwise("zeta_cpu", half=False)
def _zeta(s: Any, q: Any, eps: float) -> Any:
    return np.where(s == 1, np.inf, np.where(s < 1, np.nan, _hurwitz(s, q)))


def _zeta_of(s: Any, q: Any) -> Any:
    """ζ(s, q) of tensors or of arrays."""
    return zeta(s, q) if isinstance(s, Tensor) or isinstance(q, Tensor) else _zeta(s, q)


zeta: Callable[..., Tensor] = special_of_two(
    "zeta", _zeta, x=no_formula("zeta"), y=lambda g, x, y: g * -x * _zeta_of(x + 1, y),
    doc="Hurwitz's zeta function, Σ (q + k)⁻ˢ over k ≥ 0; of q < 0 for whole s only",
)  # fmt: skip


# ---- several dimensions ----------------------------------------------------------------------------------------------
def _mvlgamma_block(x: Any, eps: float, p: int) -> Any:
    out = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        out = out + lgamma_block(x - j / 2, eps)
    return out


_multivariate = blockwise("arange_cpu")(_mvlgamma_block)
_mvlgamma = row(
    "mvlgamma", lambda x, p: _multivariate(x, p=p),
    x=lambda g, x, p: g * functools.reduce(operator.add, [digamma(x - j / 2) for j in range(p)]),
)  # fmt: skip


@public(inplace=True)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function, p (p-1)/4 ln π + Σ ln Γ(x - j/2) over j = 0 … p - 1.

    RuntimeError for p < 1 and for bools. Source: PyTorch's `torch.mvlgamma`.
    """
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, got p = {p}")
    if input._array.dtype.kind == "b":
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    return _mvlgamma(floating(input), p)
