"""Orthogonal polynomials of order n: Chebyshev's four kinds, plain and shifted, Hermite's two, Laguerre's, Legendre's.

By their three-term recurrences, Chebyshev's of higher order by their angle. An order is cut to a whole number; one
below 0 gives 0, as in PyTorch. None has a gradient there. Source of the formulas: DLMF 18.5 and 18.9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor
from .blocks import Kernel, blockwise, patch
from .declare import special_of_two

__all__ = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]  # fmt: skip


def _whole(n: Any) -> Any:
    """The orders as whole numbers; what is none (inf, NaN) is below 0."""
    return np.where(np.isfinite(n), np.trunc(n), -1.0)


def _recurrence(x: Any, n: Any, first: Any, step: Callable[[int, Any, Any, Any], Any]) -> Any:
    """The polynomials of order n from the first two, 1 and `first`, by `step(k, x, before, last)` for order k + 1."""
    before, last = np.ones_like(x), first
    out = np.where(n < 0, 0.0, np.where(n == 0, 1.0, first))
    for k in range(1, int(n.max(initial=0))):
        before, last = last, step(k, x, before, last)
        np.copyto(out, last, where=n > k)
        if np.isnan(last).all():  # beyond all numbers, and no further order changes that
            break
    return out


def _polynomial(name: str, kernel: Kernel, doc: str) -> Callable[..., Tensor]:
    """The public function of a tensor or number x and an order n of either kind."""
    run = blockwise(f"{name}_cpu", half=False)(lambda x, n, eps: kernel(x, _whole(n), eps))
    of_two = special_of_two(name, run, doc=doc)

    def polynomial(x: Any, n: Any, *, out: Tensor | None = None) -> Tensor:
        return of_two(x, n, out=out)

    polynomial.__name__, polynomial.__qualname__, polynomial.__doc__ = of_two.__name__, of_two.__name__, of_two.__doc__
    return polynomial


# ---- Chebyshev -------------------------------------------------------------------------------------------------------
def _step(k: int, x: Any, before: Any, last: Any) -> Any:
    return 2 * x * last - before


_FIRST: dict[str, Kernel] = {"t": lambda x: x, "u": lambda x: 2 * x, "v": lambda x: 2 * x - 1, "w": lambda x: 2 * x + 1}
_MIRROR = {"t": "t", "u": "u", "v": "w", "w": "v"}  # P(-x) = (-1)ⁿ times this kind's P(x)
_BY_ANGLE: dict[str, Kernel] = {  # x = cos θ
    "t": lambda n, angle: np.cos(n * angle),
    "u": lambda n, angle: _quotient(n + 1, angle),
    "v": lambda n, angle: np.cos((n + 0.5) * angle) / np.cos(angle / 2),
    "w": lambda n, angle: _quotient(2 * n + 1, angle / 2),
}


def _quotient(n: Any, angle: Any) -> Any:
    """sin(n · angle) / sin(angle)."""
    return np.where(angle == 0, n, np.sin(n * angle) / np.sin(angle))


def _chebyshev(kind: str) -> Kernel:
    """The kernel for T, U, V or W. Angles are taken between 0 and π/2, where their sines and cosines are exact."""

    def by_angle(x: Any, n: Any) -> Any:
        angle = np.arccos(np.abs(x))
        mirrored = np.where(n % 2 == 0, 1.0, -1.0) * _BY_ANGLE[_MIRROR[kind]](n, angle)
        return np.where(x < 0, mirrored, _BY_ANGLE[kind](n, angle))

    def kernel(x: Any, n: Any, eps: float) -> Any:
        out = np.empty_like(x)
        high = (n > 8) & (np.abs(x) <= 1)
        patch(out, ~high, lambda x, n: _recurrence(x, n, _FIRST[kind](x), _step), x, n)
        patch(out, high, by_angle, x, n)
        return out

    return kernel


def _shifted(kernel: Kernel) -> Kernel:
    return lambda x, n, eps: kernel(2 * x - 1, n, eps)


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", _chebyshev("t"), "Chebyshev's Tₙ(x)")
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", _chebyshev("u"), "Chebyshev's Uₙ(x)")
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", _chebyshev("v"), "Chebyshev's Vₙ(x)")
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", _chebyshev("w"), "Chebyshev's Wₙ(x)")
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", _shifted(_chebyshev("t")), "Chebyshev's Tₙ(2x - 1)"
)
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", _shifted(_chebyshev("u")), "Chebyshev's Uₙ(2x - 1)"
)
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", _shifted(_chebyshev("v")), "Chebyshev's Vₙ(2x - 1)"
)
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", _shifted(_chebyshev("w")), "Chebyshev's Wₙ(2x - 1)"
)


# ---- Hermite, Laguerre, Legendre -------------------------------------------------------------------------------------
def _hermite(scale: int) -> Kernel:
    """Hₙ with a scale of 2, Heₙ with 1. PyTorch's are NaN beyond orders of 128 in float32 and 512 in float64."""

    def kernel(x: Any, n: Any, eps: float) -> Any:
        limit = 128 if eps > 1e-10 else 512
        out = _recurrence(
            x, np.minimum(n, limit), scale * x, lambda k, x, before, last: scale * (x * last - k * before)
        )
        return np.where(n > limit, np.nan, out)

    return kernel


def _laguerre(x: Any, n: Any, eps: float) -> Any:
    return _recurrence(x, n, 1 - x, lambda k, x, before, last: ((2 * k + 1 - x) * last - k * before) / (k + 1))


def _legendre(x: Any, n: Any, eps: float) -> Any:
    return _recurrence(x, n, x, lambda k, x, before, last: ((2 * k + 1) * x * last - k * before) / (k + 1))


hermite_polynomial_h = _polynomial("hermite_polynomial_h", _hermite(2), "Hermite's Hₙ(x), for exp(-x²)")
hermite_polynomial_he = _polynomial("hermite_polynomial_he", _hermite(1), "Hermite's Heₙ(x), for exp(-x²/2)")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", _laguerre, "Laguerre's Lₙ(x)")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", _legendre, "Legendre's Pₙ(x)")
