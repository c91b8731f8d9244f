"""Distributions that are made of a generator's uniform, normal and exponential numbers. Arrays in, arrays out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..memory import order_of
from ..rounding import Array, libm_in
from .generator import Generator, by_memory, in_pieces

__all__ = ["binomial", "cauchy", "geometric", "log_normal", "multinomial", "poisson"]


def geometric(generator: Generator, shape: tuple[int, ...], p: float, kind: np.dtype[Any]) -> Array:
    """How many trials of success probability `p` it takes to the first success: ⌈ln u / ln(1 - p)⌉."""
    failure = math.log(1 - p)

    def piece(size: int) -> Array:
        u = generator.uniform(size, dtype=np.float64)
        return libm_in(kind, "log", u, lambda y: np.ceil(y / failure))

    return in_pieces(piece, math.prod(shape), kind).reshape(shape)


def cauchy(generator: Generator, shape: tuple[int, ...], median: float, sigma: float, kind: np.dtype[Any]) -> Array:
    """median + sigma · tan(π(u - ½))."""
    margin = np.finfo(np.float64).eps

    def piece(size: int) -> Array:
        u = np.clip(generator.uniform(size, dtype=np.float64), margin, 1 - margin)
        return libm_in(kind, "tan", math.pi * (u - 0.5), lambda y: median + sigma * y)

    return in_pieces(piece, math.prod(shape), kind).reshape(shape)


def log_normal(generator: Generator, shape: tuple[int, ...], mean: float, std: float, kind: np.dtype[Any]) -> Array:
    """exp of a normal number."""
    z = generator.normal_singly(math.prod(shape), mean, std)
    return libm_in(kind, "exp", z, lambda y: y).reshape(shape)


def multinomial(generator: Generator, weights: Array, count: int, replacement: bool) -> Array:
    """Indices (…, count) into the last axis of `weights` (…, n), with probabilities proportional to the weights.

    Without replacement it is a race: index i arrives after an exponential time of rate weights[i], and the first
    `count` to arrive are taken. With replacement the running sum of the weights is searched for a uniform number.
    """
    if not replacement or count == 1:
        times = np.empty_like(weights, order=order_of(weights))
        by_memory(times)[...] = generator.exponential(by_memory(times).shape, dtype=weights.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = weights / times
        if count == 1:
            return speed.argmax(-1)[..., None]
        return np.argsort(-speed, axis=-1, kind="stable")[..., :count]
    sums = np.cumsum(weights, axis=-1, dtype=np.result_type(weights, np.float32))
    sums = (sums / sums[..., -1:]).reshape(-1, weights.shape[-1])
    sums[:, -1] = 1
    drawn = [row.searchsorted(generator.uniform(count, dtype=np.float64)) for row in sums]
    return np.array(drawn, np.int64).reshape(*weights.shape[:-1], count)


_AHEAD = 512


@contextmanager
def uniforms_singly(generator: Generator) -> Iterator[Callable[[], float]]:
    """A function that gives the next float64 uniform; drawn ahead, as one at a time takes a hundred times as long.

    At the end the generator goes back to behind the last one that was taken.
    """
    before, taken = generator.place(), 0

    def stream() -> Iterator[float]:
        nonlocal before, taken
        while True:
            before = generator.place()
            for taken, u in enumerate(generator.uniform(_AHEAD, dtype=np.float64).tolist(), 1):  # noqa: B007
                yield u

    yield stream().__next__
    generator.go_to(before)
    generator.wide_draws(taken)


def poisson(generator: Generator, rates: Array) -> Array:
    """A count for each rate, in the rates' type."""
    with uniforms_singly(generator) as uniform:
        drawn = [_poisson_count(rate, uniform) for rate in rates.ravel().tolist()]
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


def binomial(generator: Generator, counts: Array, chances: Array) -> Array:
    """How many of `counts` trials succeed, each with its probability of `chances` (of the same type and shape)."""
    rare = np.where(chances > 0.5, 1 - chances, chances)  # of success and failure the rarer one is counted
    mean = counts * rare
    with np.errstate(divide="ignore"):
        columns = (counts, chances, rare, mean, mean * (1 - rare), rare / (1 - rare))  # rounded to the type
    with uniforms_singly(generator) as uniform:
        drawn = [_successes(uniform, *each) for each in zip(*(column.ravel().tolist() for column in columns))]
    return np.array(drawn, counts.dtype).reshape(counts.shape)


def _successes(uniform: Callable[[], float], n: float, chance: float, p: float, *moments: float) -> float:
    if n <= 0 or chance <= 0:
        return 0.0
    if chance >= 1:
        return n
    if chance != chance:
        return math.nan
    rare = _by_rejection(uniform, n, p, *moments) if moments[0] >= 10 else _by_jumps(uniform, n, p)
    return n - rare if chance > 0.5 else rare


def _by_jumps(uniform: Callable[[], float], n: float, p: float) -> float:
    """From one success to the next: how many of them lie within n trials."""
    trial, successes, log_failure = 0.0, 0, math.log1p(-p)
    while True:
        trial += math.ceil(math.log(uniform()) / log_failure)
        if trial > n:
            return successes
        successes += 1


def _by_rejection(
    uniform: Callable[[], float], n: float, p: float, mean: float, variance: float, r: float
) -> float:  # fmt: skip
    """Hörmann, "The generation of binomial random variates", Journal of Statistical Computation and Simulation 46
    (1993), algorithm BTRS; the names are the paper's."""
    spq = math.sqrt(variance)
    b = 1.15 + 2.53 * spq
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = mean + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spq
    m = math.floor((n + 1) * p)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c)
        if k < 0 or k > n:
            continue
        if us >= 0.07 and v <= v_r:
            return k
        density = (
            (m + 0.5) * math.log((m + 1) / (r * (n - m + 1))) + (n + 1) * math.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * math.log(r * (n - k + 1) / (k + 1))
            + _stirling_rest(m) + _stirling_rest(n - m) - _stirling_rest(k) - _stirling_rest(n - k)
        )  # fmt: skip
        if math.log(v * alpha / (a / (us * us) + b)) <= density:
            return k


def _stirling_rest(k: float) -> float:
    """ln k! less Stirling's formula for it, (k + ½) ln(k + 1) - (k + 1) + ½ ln 2π."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
