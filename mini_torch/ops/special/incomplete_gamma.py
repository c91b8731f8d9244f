"""The regularised incomplete gamma functions P(a, x) = γ(a, x) / Γ(a) and Q = 1 - P: igamma and igammac.

Where they are computed from what follows Gautschi 1979 and DLMF 8.7, 8.9, 8.11 and 8.12: a power series for x < a, a
continued fraction for x > a, and for large a ≈ x Temme's expansion, whose slowly changing part is a table of our own.
Always the smaller of P and Q is computed, as far as that keeps digits, and the other one is 1 less it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import binary, no_formula, public
from ...tensor import Tensor
from .blocks import blockwise, patch
from .error import scaled_erfc
from .gamma import lgamma, lgamma_block, lgamma_of_one_plus, stirling_rest
from .series import Chebyshev, horner

__all__ = ["igamma", "igammac"]

# √(2πa) exp(aφ) (Q - erfc(η √(a/2)) / 2) in powers of 20/a, a > 20: each row one power's factor, in η
_TEMME = (
    Chebyshev(-0.34375, 0.28125, (
        -0.3366792018832919, 0.026357158722831047, -0.000726739103466053, 8.306908688099e-6, 4.61350218542e-7,
        -3.4722591422e-8, 1.14098303e-9, -6.81011e-12, -1.51931e-12, 9.8323e-14, -3.03e-15,
    )),
    Chebyshev(-0.34375, 0.28125, (
        -8.0311750057194e-5, -5.8044984833861e-5, 6.736906013447e-6, -3.87364854835e-7, 1.207718015e-8,
        4.2153758e-11, -2.9286395e-11, 1.82823e-12, -5.5703e-14, -3.23e-16, 1.4e-16,
    )),
    Chebyshev(-0.34375, 0.28125, (
        1.063840035614e-5, -2.131277465673e-6, 9.2693821694e-8, 4.33007992e-10, -3.50657326e-10, 2.5724639e-11,
        -9.03774e-13, -5.451e-15, 2.824e-15, -1.9e-16,
    )),
    Chebyshev(-0.34375, 0.28125, (
        7.717171297e-8, 1.093252501e-8, -3.063867077e-9, 2.63968216e-10, -1.096394e-11, -8.0689e-14, 4.5962e-14,
        -3.419e-15, 1.2e-16,
    )),
    Chebyshev(-0.34375, 0.28125, (
        -5.631139628e-9, 1.56584534e-9, -8.8904554e-11, -7.27411e-13, 5.54357e-13, -4.856e-14, 1.99e-15,
    )),
    Chebyshev(-0.34375, 0.28125, (
        -1.0005086e-10, -9.990387e-12, 4.618141e-12, -4.94628e-13, 2.4441e-14, 2.47e-16, -1.4e-16,
    )),
    Chebyshev(-0.34375, 0.28125, (
        8.989774e-12, -3.032164e-12, 2.02864e-13, 2.514e-15, -1.8e-15, 1.8e-16,
    )),
    Chebyshev(-0.34375, 0.28125, (
        1.3631e-13, 6.3411e-14, -1.663e-14, 1.61e-15, -5.7e-17,
    )),
)  # fmt: skip
_ATANH = [1 / (2 * k + 3) for k in range(17)]  # (artanh(r) - r) / r³ in powers of r²


# ---- x^a exp(-x) / Γ(a + 1), which all of them share -----------------------------------------------------------------
def _excess(mu: Any) -> Any:
    """φ = μ - ln(1 + μ), which for μ near 0 is μ² / 2 and must not be a difference there."""
    r = mu / (2 + mu)
    near = r * mu - 2 * r * r * r * horner(_ATANH, r * r)
    return np.where(np.abs(mu) < 0.5, near, mu - np.log1p(mu))


def _factor(a: Any, x: Any, eps: float) -> Any:
    """x^a exp(-x) / Γ(a + 1)."""
    x_small = np.minimum(x, 1e3)  # where a < 20, nothing is left of it beyond
    out = np.power(x_small, a) * np.exp(-x_small - lgamma_block(a + 1, eps))

    def of_large(a: Any, x: Any) -> Any:
        return np.exp(-a * _excess((x - a) / a) - stirling_rest(a, eps)) / np.sqrt(2 * math.pi * a)

    patch(out, a > 20, of_large, a, x)
    return out


# ---- the four ways ---------------------------------------------------------------------------------------------------
def _lower_series(a: Any, x: Any, eps: float) -> Any:
    """P by its power series, x < a or small. Source: DLMF 8.11.4."""
    term, total, n = np.ones_like(x), np.ones_like(x), 0
    while np.any(term > eps / 8 * total) and n < 2000:
        n += 1
        term *= x / (a + n)
        total += term
    return _factor(a, x, eps) * total


def _upper_series(a: Any, x: Any, eps: float) -> Any:
    """Q for small x and a, where it is a small difference of 1 and P. Source: DLMF 8.7.3."""
    power = a * np.log(x) - lgamma_of_one_plus(a, eps)  # of x^a / Γ(1 + a)
    term, total, n = np.ones_like(x), np.zeros_like(x), 0
    while np.any(np.abs(term) > eps / 8 * np.abs(total)) and n < 100:
        n += 1
        term = term * (-x / n)
        total = total + term / (a + n)
    return -np.expm1(power) - np.exp(power) * a * total


def _upper_fraction(a: Any, x: Any, eps: float) -> Any:
    """Q by its continued fraction, x > a, evaluated by Lentz's method. Source: DLMF 8.9.2."""
    b = x + 1 - a
    c, d = np.full_like(x, 1e300), 1 / b
    out, change, n = d, 2 * np.ones_like(x), 0
    while np.any(np.abs(change - 1) > eps) and n < 2000:
        n += 1
        numerator = n * (a - n)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        change = c * d
        out = out * change
    return _factor(a, x, eps) * a * out


def _uniform(a: Any, x: Any, eps: float, sign: int) -> Any:
    """Q (sign 1) or P (sign -1) for a > 20 and |x - a| < 0.3 a. Source: Temme 1979; DLMF 8.12.3 and 8.12.4."""
    mu = (x - a) / a
    phi = _excess(mu)
    eta = np.copysign(np.sqrt(2 * phi), mu)
    rest = np.zeros_like(x)
    for series in reversed(_TEMME):
        rest = rest * (20 / a) + series(eta, eps)
    z = sign * eta * np.sqrt(a / 2)
    main = 0.5 * scaled_erfc(np.abs(z), eps)
    rest = sign * rest / np.sqrt(2 * math.pi * a)
    decay = np.exp(-a * phi)
    return np.where(z < 0, 1 - decay * (main - rest), decay * (main + rest))


# ---- P and Q ---------------------------------------------------------------------------------------------------------
def _igamma_block(a: Any, x: Any, eps: float) -> Any:
    return _regularised(a, x, eps, upper=False)


def _igammac_block(a: Any, x: Any, eps: float) -> Any:
    return _regularised(a, x, eps, upper=True)


def _regularised(a: Any, x: Any, eps: float, upper: bool) -> Any:
    """Q with `upper`, else P."""
    out = _at_the_edge(a, x, upper)
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    uniform = inside & (a > 20) & (np.abs(x - a) < 0.3 * a)
    rest = inside & ~uniform
    fraction = rest & (x > 1.1) & (x > a)
    if upper:
        small = rest & (x <= 1.1) & (np.where(x <= 0.5, -0.4 / np.log(np.minimum(x, 0.5)), 1.1 * x) >= a)
    else:
        small = rest & (x <= 1.1) & (x > 1) & (x > a)

    def one_less(of_lower: bool, way: Callable[..., Any]) -> Callable[..., Any]:
        return lambda a, x: 1 - way(a, x, eps) if of_lower == upper else way(a, x, eps)

    patch(out, uniform, lambda a, x: _uniform(a, x, eps, 1 if upper else -1), a, x)
    patch(out, fraction, one_less(False, _upper_fraction), a, x)
    patch(out, small, one_less(False, _upper_series), a, x)
    patch(out, rest & ~fraction & ~small, one_less(True, _lower_series), a, x)
    return out


def _at_the_edge(a: Any, x: Any, upper: bool) -> Any:
    """The limits where a or x is 0 or infinite; NaN where there is none, or one is negative."""
    low = ((x == 0) & (a > 0)) | (np.isposinf(a) & (x >= 0) & np.isfinite(x))  # P = 0
    high = ((a == 0) & (x > 0)) | (np.isposinf(x) & (a >= 0) & np.isfinite(a))  # P = 1
    return np.where(low, float(upper), np.where(high, float(not upper), np.nan))


def _density(a: Any, x: Any) -> Any:
    """∂P/∂x = x^(a - 1) exp(-x) / Γ(a)."""
    return np.exp((a - 1) * np.log(x) - x - lgamma(a))


_igamma = binary(
    "igamma", blockwise("igamma_cpu")(_igamma_block), x=no_formula("igamma: input"),
    y=lambda g, x, y: g * _density(x, y), export=False, refuses="biuc",
)  # fmt: skip
_igammac = binary(
    "igammac", blockwise("igammac_cpu")(_igammac_block), x=no_formula("igammac: input"),
    y=lambda g, x, y: -g * _density(x, y), export=False, refuses="biuc",
)  # fmt: skip


@public(inplace=True)
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """P(a, x), the regularised lower incomplete gamma function of `input` a ≥ 0 and `other` x ≥ 0, else NaN.

    Both are tensors of floats that broadcast. There is a gradient for `other` only. Source: PyTorch's `torch.igamma`.

    >>> from mini_torch import igamma, tensor
    >>> igamma(tensor([1.0, 2.0]), tensor([1.0, 1.0]))
    tensor([0.6321, 0.2642])
    """
    _need_tensor("igamma", other)
    return _igamma(input, other)


@public(inplace=True)
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """Q(a, x) = 1 - P(a, x), exact also where it is tiny; see `igamma`. Source: PyTorch's `torch.igammac`."""
    _need_tensor("igammac", other)
    return _igammac(input, other)


def _need_tensor(name: str, other: Any) -> None:
    if not isinstance(other, Tensor):
        raise TypeError(f"{name}(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
