"""Gamma numbers, one at a time from a generator's uniform and normal ones, with PyTorch's bits.

Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical Software
26 (2000); the names are the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..rounding import Array
from .distributions import uniforms_singly
from .generator import Generator

__all__ = ["dirichlet", "standard_gamma"]


def standard_gamma(generator: Generator, shapes: Array) -> Array:
    """A gamma number of rate 1 for each shape parameter, in their type; none is 0."""
    smallest = float(np.finfo(shapes.dtype).tiny)
    with uniforms_singly(generator) as uniform:
        normal = _normals_singly(generator, uniform)
        one = shapes.dtype.type(1)
        drawn = [max(smallest, _gamma(alpha, one, uniform, normal)) for alpha in shapes.ravel()]
    return np.array(drawn, shapes.dtype).reshape(shapes.shape)


def dirichlet(generator: Generator, concentrations: Array) -> Array:
    """Gamma numbers over their sum along the last axis: drawn in float64, rounded, kept inside (0, 1)."""
    drawn = standard_gamma(generator, concentrations.astype(np.float64))
    kind: Any = concentrations.dtype.type
    inside = np.finfo(kind).tiny, np.nextafter(kind(1), kind(0))
    return np.clip((drawn / np.sum(drawn, axis=-1, keepdims=True)).astype(kind), *inside)


def _normals_singly(generator: Generator, uniform: Callable[[], float]) -> Callable[[], float]:
    """A function that gives the next normal number; of a pair the second waits in the generator."""

    def normal() -> float:
        waiting, generator._spare = generator._spare, None
        if waiting is not None:
            return waiting
        angle, radius = 2.0 * math.pi * uniform(), math.sqrt(-2.0 * math.log1p(-uniform()))
        generator._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    return normal


def _gamma(alpha: Any, one: Any, uniform: Callable[[], float], normal: Callable[[], float]) -> float:
    """`alpha` and `one` are of the type that is drawn in; what is computed of them alone is rounded to it."""
    scale = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        scale = math.pow(1 - uniform(), float(one / alpha))
        alpha = alpha + one
    d = float(alpha - alpha.dtype.type(np.float32(1) / np.float32(3)))
    c = 1 / math.sqrt(9 * d)
    while True:
        x = normal()
        y = 1 + c * x
        if y <= 0:
            continue
        v, u, xx = y * y * y, 1 - uniform(), x * x
        if u < 1 - _SQUEEZE * xx * xx or math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
            return scale * d * v


_SQUEEZE = float(np.float32(0.0331))
