"""Chebyshev series, from which the special functions are evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Chebyshev"]


class Chebyshev:
    """A function on [low, high] by its Chebyshev series: c₀ + c₁ T₁(t) + c₂ T₂(t) + …, t from -1 to 1.

    The coefficients that a lower precision needs are the first ones of those that a higher one does, so one table
    serves float32 and float64. All were computed for this package with 45 digits, by interpolation of the function, as
    mpmath gives it, at 70 of Chebyshev's points. Evaluated by Horner's rule after a change of basis: two passes over
    memory per coefficient where Clenshaw's rule takes three, and as exact while the coefficients fall off fast.

    Source: Trefethen, Approximation Theory and Approximation Practice, chapters 3 and 8.
    """

    __slots__ = ("center", "coefficients", "half", "powers")

    def __init__(self, low: float, high: float, coefficients: Sequence[float]) -> None:
        self.center, self.half = (high + low) / 2, (high - low) / 2
        self.coefficients = coefficients
        self.powers: dict[float, list[float]] = {}  # by precision: the coefficients of 1, t, t² …

    def __call__(self, x: Any, eps: float) -> Any:
        """The function of an array, to the relative precision `eps`."""
        powers = self.powers.get(eps)
        if powers is None:
            powers = self.powers[eps] = _in_powers(self._needed(eps))
        if self.center or self.half != 1:
            x = x - self.center
            x *= 1 / self.half
        return horner(powers, x)

    def _needed(self, eps: float) -> Sequence[float]:
        """The first coefficients; what the others could add is less than `eps`/16."""
        count, rest = len(self.coefficients), 0.0
        while count > 1 and rest + abs(self.coefficients[count - 1]) < abs(self.coefficients[0]) * eps / 16:
            count -= 1
            rest += abs(self.coefficients[count])
        return self.coefficients[:count]


def horner(powers: Sequence[Any], t: Any) -> Any:
    """a₀ + a₁ t + a₂ t² + …, in an array of its own."""
    out = t * powers[-1]
    for a in powers[-2:0:-1]:
        out += a
        out *= t
    out += powers[0]
    return out


def _in_powers(coefficients: Sequence[float]) -> list[float]:
    """Σ cₙ Tₙ(t) as Σ aₙ tⁿ, by Tₙ₊₁ = 2t Tₙ − Tₙ₋₁."""
    count = len(coefficients)
    out = [0.0] * max(count, 2)
    last, this = [0.0] * count, [1.0] + [0.0] * count
    for n, c in enumerate(coefficients):
        out = [a + c * b for a, b in zip(out, this)]
        doubled = [0.0, *((2 if n else 1) * b for b in this)]
        last, this = this, [a - b for a, b in zip(doubled, last)] if n else doubled
    return out
