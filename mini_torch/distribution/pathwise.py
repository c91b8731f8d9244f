"""Derivatives of gamma and beta numbers by their shape parameters, at a fixed place u = F(x; a) in the distribution.

From F(x; a) = const follows dx/da = -(∂F/∂a) / f, where f is the density. ∂F/∂a comes from F's power series term by
term. Source: Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018; the series are DLMF 8.7.1 and
8.17.8.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.special.gamma import digamma
from ..tensor import wrap

__all__ = ["beta_slope", "gamma_slope"]

Array = np.ndarray[Any, Any]

_TERMS = 100_000


def _psi(x: Array) -> Array:
    return digamma(wrap(x))._array


def gamma_slope(x: Array, a: Array) -> Array:
    """dx/da of gamma numbers x of shape a: -x Σₙ xⁿ / (a … (a + n)) · (ln x - ψ(a + n + 1))."""
    x, a, kind = x.astype(np.float64), a.astype(np.float64), x.dtype
    term, log_x, psi = 1 / a, np.log(x), _psi(a + 1)
    total = term * (log_x - psi)
    for n in range(1, _TERMS):
        psi = psi + 1 / (a + n)
        term = term * x / (a + n)
        more = term * (log_x - psi)
        total = total + more
        if np.all(np.abs(more) <= 1e-16 * np.abs(total)):
            break
    return (-x * total).astype(kind)


def beta_slope(x: Array, a: Array, b: Array) -> Array:
    """dx/da / (1 - x) of beta numbers x of shapes a and b.

    With the series in x where x is below the mean, else with that of 1 - x: I(x; a, b) = 1 - I(1 - x; b, a).
    """
    kind = x.dtype
    x, a, b = (value.astype(np.float64) for value in (x, a, b))
    low = x < a / (a + b)
    y = np.where(low, x, 1 - x)
    first, second = np.where(low, a, b), np.where(low, b, a)
    # F is Σₙ of the terms below · y^first (1 - y)^second / first / B; over the density, which has that factor too,
    # y (1 - y) / first is left
    term = y * (1 - y) / first
    slope = np.log(x) + _psi(a + b) - _psi(np.where(low, a + 1, a))
    total = term * slope
    for n in range(1, _TERMS):
        term = term * y * (first + second + n - 1) / (first + n)
        slope = slope + 1 / (a + b + n - 1) - np.where(low, 1 / (a + n), 0)
        more = term * slope
        total = total + more
        if np.all(np.abs(more) <= 1e-16 * np.abs(total)):
            break
    return (np.where(low, -total, total) / (1 - x)).astype(kind)
