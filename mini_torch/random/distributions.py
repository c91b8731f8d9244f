"""Distributions that are made of a generator's uniform, normal and exponential numbers. Arrays in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .generator import Generator, Shape, by_memory
from .rounding import Array, libm

__all__ = ["cauchy", "geometric", "log_normal", "multinomial", "poisson"]


def geometric(generator: Generator, shape: Shape, p: float) -> Array:
    """How many trials of success probability `p` it takes to the first success: ⌈ln u / ln(1 - p)⌉, in float64."""
    return np.ceil(libm("log")(generator.uniform(shape, dtype=np.float64)) / math.log(1 - p))


def cauchy(generator: Generator, shape: Shape, median: float, sigma: float) -> Array:
    """median + sigma · tan(π(u - ½)), in float64."""
    margin = np.finfo(np.float64).eps
    u = np.clip(generator.uniform(shape, dtype=np.float64), margin, 1 - margin)
    return median + sigma * libm("tan")(math.pi * (u - 0.5))


def log_normal(generator: Generator, shape: tuple[int, ...], mean: float, std: float) -> Array:
    """exp of a normal number, in float64."""
    return libm("exp")(generator.normal_singly(math.prod(shape), mean, std)).reshape(shape)


def multinomial(generator: Generator, weights: Array, count: int, replacement: bool) -> Array:
    """Indices (…, count) into the last axis of `weights` (…, n), with probabilities proportional to the weights.

    Without replacement it is a race: index i arrives after an exponential time of rate weights[i], and the first
    `count` to arrive are taken. With replacement the running sum of the weights is searched for a uniform number.
    """
    if not replacement or count == 1:
        times = np.empty_like(weights)
        by_memory(times)[...] = generator.exponential(by_memory(times).shape, dtype=weights.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = weights / times
        if count == 1:
            return speed.argmax(-1)[..., None]
        return np.argsort(-speed, axis=-1, kind="stable")[..., :count]
    sums = np.cumsum(weights, axis=-1, dtype=weights.dtype)
    sums = (sums / sums[..., -1:]).reshape(-1, weights.shape[-1])
    sums[:, -1] = 1
    drawn = [row.searchsorted(generator.uniform(count, dtype=np.float64)) for row in sums]
    return np.array(drawn, np.int64).reshape(*weights.shape[:-1], count)


def poisson(generator: Generator, rates: Array) -> Array:
    """A count for each rate, in the rates' type."""
    drawn = [_poisson_count(float(rate), lambda: float(generator.uniform((), dtype=np.float64))) for rate in rates.flat]
    return np.array(drawn, rates.dtype).reshape(rates.shape)


def _poisson_count(rate: float, uniform: Callable[[], float]) -> int:
    if rate == 0:
        return 0
    return _count_by_product(rate, uniform) if rate < 10 else _count_by_rejection(rate, uniform)


def _count_by_product(rate: float, uniform: Callable[[], float]) -> int:
    """Knuth's method: how many uniforms can be multiplied before the product falls to exp(-rate)."""
    count, end, product = 0, math.exp(-rate), uniform()
    while product > end:
        count, product = count + 1, product * uniform()
    return count


def _count_by_rejection(rate: float, uniform: Callable[[], float]) -> int:
    """Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics
    and Economics 12 (1993), algorithm PTRS; the names are the paper's."""
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        density = -rate + k * math.log(rate) - math.lgamma(k + 1)
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= density:
            return k


