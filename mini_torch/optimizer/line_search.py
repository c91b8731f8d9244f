"""A step length along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Point", "strong_wolfe"]

Array = np.ndarray[Any, Any]

DECREASE, CURVATURE = 1e-4, 0.9  # c₁ and c₂ of the conditions
SMALLEST = 1e-9  # a change of the parameters that is not worth a trial


class Point(NamedTuple):
    """What is known at step length `t`: the loss, its gradient, and its slope along the direction."""

    t: Any
    loss: float
    gradient: Array
    slope: Any


def strong_wolfe(at: Callable[[Any], Point], start: Point, t: Any, largest: Any, most: int) -> tuple[Point, int]:
    """The point that was found from the first trial `t` and up to `most` others on, and how many trials it took.

    At a step length t the loss has fallen by at least c₁ t |slope at 0|, and the slope is at most c₂ of that at 0. `at`
    evaluates; `largest` is the largest change of a parameter for t = 1. Nocedal and Wright, "Numerical Optimization",
    2006, algorithms 3.5 and 3.6, with PyTorch's choices of trials.
    """
    point, before, trials = at(t), start, 0
    while trials < most:
        if _too_high(point, start) or (trials > 1 and point.loss >= before.loss) or _flat(point, start):
            break
        if point.slope >= 0:
            break
        t = _minimum_of_cubic(before, point, (point.t + 0.01 * (point.t - before.t), point.t * 10))
        before, point, trials = point, at(t), trials + 1
    if trials >= most:
        return (start if start.loss <= point.loss else point), trials + 1
    rises = _too_high(point, start) or (trials > 1 and point.loss >= before.loss)
    if not rises and _flat(point, start):
        return point, trials + 1
    return _zoom(at, start, [before, point], trials, largest, most)


def _too_high(point: Point, start: Point) -> bool:
    return bool(point.loss > start.loss + DECREASE * point.t * start.slope)


def _flat(point: Point, start: Point) -> bool:
    return bool(abs(point.slope) <= -CURVATURE * start.slope)


def _zoom(
    at: Callable[[Any], Point], start: Point, bracket: list[Point], trials: int, largest: Any, most: int
) -> tuple[Point, int]:
    """Narrows a bracket, which holds a point that satisfies the conditions, until a trial does."""
    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    stalled = False
    while trials < most and not abs(bracket[1].t - bracket[0].t) * largest < SMALLEST:
        t, stalled = _inside(_minimum_of_cubic(bracket[0], bracket[1]), bracket, stalled)
        point, trials = at(t), trials + 1
        if _too_high(point, start) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        if _flat(point, start):
            return point, trials + 1
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], trials + 1


def _inside(t: Any, bracket: list[Point], stalled: bool) -> tuple[Any, bool]:
    """`t`, kept a tenth of the bracket away from its ends if it lies outside or comes near them a second time."""
    first, last = sorted((bracket[0].t, bracket[1].t))
    margin = 0.1 * (last - first)
    if not min(last - t, t - first) < margin:
        return t, False
    if not (stalled or t >= last or t <= first):
        return t, True
    return (last - margin if abs(t - last) < abs(t - first) else first + margin), False


def _minimum_of_cubic(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two losses and slopes is least, within the bounds (by default between the two)."""
    if a.t > b.t:
        a, b = b, a
    low, high = bounds or (a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = np.sqrt(square)
    least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(least, low), high)
