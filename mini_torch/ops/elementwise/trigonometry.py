"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...op import binary, implements, quiet, unary
from .blocks import in_blocks, in_steps

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan",
    "atan2", "atanh", "cos", "cosh", "deg2rad", "hypot", "rad2deg", "sin", "sinc", "sinh", "tan", "tanh",
]  # fmt: skip


def _tanh_steps(place: Any, g: Any, out: Any) -> None:
    np.multiply(out, out, place)
    np.subtract(1, place, place)
    np.multiply(g, place, place)


@in_steps(_tanh_steps)
def _tanh_rule(g: Any, out: Any) -> Any:
    return g * (1 - out * out)


sin = unary("sin", np.sin, lambda g, x: g * np.cos(x), doc="sin x, x in radians")
cos = unary("cos", np.cos, lambda g, x: -g * np.sin(x), doc="cos x, x in radians")
tan = unary("tan", np.tan, lambda g, out: g * (1 + out * out), doc="tan x, x in radians")
asin = unary("asin", np.arcsin, lambda g, x: g / np.sqrt(1 - x * x), aliases=("arcsin",), doc="arcsin x")
acos = unary("acos", np.arccos, lambda g, x: -g / np.sqrt(1 - x * x), aliases=("arccos",), doc="arccos x")
atan = unary("atan", np.arctan, lambda g, x: g / (1 + x * x), aliases=("arctan",), doc="arctan x")
arcsin, arccos, arctan = asin, acos, atan
sinh = unary("sinh", np.sinh, lambda g, x: g * np.cosh(x), doc="sinh x")
cosh = unary("cosh", np.cosh, lambda g, x: g * np.sinh(x), doc="cosh x")
tanh = unary("tanh", np.tanh, _tanh_rule, doc="tanh x")
asinh = arcsinh = unary("asinh", np.arcsinh, lambda g, x: g / np.sqrt(x * x + 1), aliases=("arcsinh",), doc="arsinh x")
acosh = arccosh = unary("acosh", np.arccosh, lambda g, x: g / np.sqrt(x * x - 1), aliases=("arccosh",), doc="arcosh x")
atanh = arctanh = unary("atanh", np.arctanh, lambda g, x: g / (1 - x * x), aliases=("arctanh",), doc="artanh x")


def _over_square(g: Any, x: Any, y: Any) -> Any:
    """g / (x² + y²), and 0 at the origin, where the angle has no gradient."""
    square = x * x + y * y
    return np.where(square == 0, 0.0, g / np.where(square == 0, 1.0, square))


atan2 = binary(
    "atan2", np.arctan2, x=lambda g, x, y: _over_square(g * y, x, y), y=lambda g, x, y: _over_square(-g * x, x, y),
    floats=True, aliases=("arctan2",), refuses="c", numbers="", doc="The angle of the point (y, x)",
)  # fmt: skip
arctan2 = atan2


@in_blocks
def _hypot(x: Any, y: Any) -> Any:
    """By its definition, where no square is too large or too small; else as the C library does, ten times as slowly."""
    if x.size < 128:
        return np.hypot(x, y)
    size = np.sqrt(x * x + y * y)
    low, high = _SAFE.get(x.dtype.itemsize, (1.0, 0.0))
    return size if ((size > low) & (size < high)).all() else np.hypot(x, y)


_SAFE = {4: (1e-15, 1e18), 8: (1e-140, 1e150)}  # results of which both squares were far from the type's limits

hypot = binary(
    "hypot", quiet(_hypot), x=lambda g, x, out: g * x / out, y=lambda g, y, out: g * y / out, refuses="biuc",
    numbers="", doc="√(x² + y²)",
)  # fmt: skip
implements(np.hypot)(hypot)
deg2rad = unary("deg2rad", np.deg2rad, lambda g: g * (math.pi / 180), refuses="c", doc="Degrees to radians")
rad2deg = unary("rad2deg", np.rad2deg, lambda g: g * (180 / math.pi), refuses="c", doc="Radians to degrees")


def _sinc(x: Any) -> Any:
    turn = math.pi * (x.astype(np.float32) if x.dtype == np.float16 else x)
    return np.where(x == 0, 1, np.sin(turn) / turn).astype(x.dtype)


sinc = unary(
    "sinc", quiet(_sinc), doc="sin(πx) / (πx)",
    rule=lambda g, x, out: g * np.where(x == 0, 0.0, (np.cos(math.pi * x) - out) / np.where(x == 0, 1.0, x)),
)  # fmt: skip
