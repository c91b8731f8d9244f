"""Airy's function Ai.

Between -5 and 2.25 two Chebyshev series of our own (see `series.py`); beyond, exp(-ζ) or waves of ζ = 2/3 |x|^(3/2)
times series in 1/ζ. The errors of the waves are relative to their size, |x|^(-1/4) / √π. Source of the formulas:
DLMF 9.7.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .blocks import patch
from .declare import of_x, without_gradient
from .series import Chebyshev

__all__ = ["airy_ai"]

_LEFT = Chebyshev(-5.0, -1.5, (  # Ai(x)
    0.12381577912011124, 0.008262034868638255, 0.39996796221549796, 0.0371811484585461, -0.1291477175306179,
    0.01449012763823128, 0.013309452006589702, -0.0034393777676584, -0.000422038459867647, 0.0002625848249701125,
    -1.6326225087256e-5, -8.804572444866e-6, 1.73937314605e-6, 6.60638566674e-8, -5.79062219839e-8, 5.0390913217e-9,
    7.882433707e-10, -1.93830765e-10, 5.0764447e-12, 2.9874624e-12, -3.845399e-13, -9.1558e-15, 6.4829e-15,
    -4.764e-16, -4.02e-17, 9.33e-18,
))  # fmt: skip
_RIGHT = Chebyshev(-1.5, 2.25, (
    0.27329998523345567, -0.27950856289332937, -0.0096966222158279, 0.058558193888561635, -0.02101517632166089,
    0.001054569704667809, 0.0013434492351591127, -0.0004185511918997525, 2.77159059489797e-5, 1.31417386043694e-5,
    -3.8059467535962e-6, 2.686970118989e-7, 7.091240706669e-8, -1.97856521835e-8, 1.4165617742e-9, 2.418795685e-10,
    -6.656006349e-11, 4.75080514e-12, 5.6745553e-13, -1.567534e-13, 1.10805e-14, 9.6959e-16, -2.729e-16, 1.91e-17,
    1.26e-18,
))  # fmt: skip
_DECAY = Chebyshev(0.0, 0.4453125, (  # 2 √π x^(1/4) exp(ζ) Ai(x) in 1/ζ
    0.9866107349704225, -0.01278785834019386, 0.000555511121620036, -4.1199209939187e-5, 4.11203346559e-6,
    -5.00426012104e-7, 7.0434558829e-8, -1.10998983e-8, 1.9166215e-9, -3.57084277e-10, 7.0971235e-11, -1.491713e-11,
    3.293048e-12, -7.59314e-13, 1.8205e-13, -4.5213e-14, 1.159e-14, -3.062e-15, 8.31e-16, -2.31e-16, 6.58e-17,
    -1.91e-17,
))  # fmt: skip
_P = Chebyshev(0.0, 1.0, (  # √π |x|^(1/4) Ai(x) = P cos(ζ - π/4) + Q/ζ sin(ζ - π/4), in (7.4375 / ζ)²
    0.9996709516253041, -0.000326920830429726, 2.086707347438e-6, -3.9371629238e-8, 1.38540739e-9, -7.3989151e-11,
    5.345747e-12, -4.86308e-13, 5.3085e-14, -6.721e-15, 9.63e-16, -1.53e-16, 2.66e-17,
))  # fmt: skip
_Q = Chebyshev(0.0, 1.0, (
    0.06911390788081166, -0.000326445689594596, 3.9775313784017e-6, -1.0812956591e-7, 4.8716190418e-9,
    -3.123950916e-10, 2.604489e-11, -2.6621336e-12, 3.203949e-13, -4.41044e-14, 6.7957e-15, -1.153e-15, 2.125e-16,
    -4.21e-17, 8.91e-18, -2.0e-18,
))  # fmt: skip


def _product(a: Any, b: Any) -> tuple[Any, Any]:
    """a · b and what rounding took from it. Source: Dekker 1971."""
    p = a * b
    a_high, b_high = (c - (c - x) for x in (a, b) for c in (x * 134217729.0,))
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def _zeta(x: Any) -> tuple[Any, Any]:
    """2/3 x^(3/2) as a sum of two numbers: exp and cos feel an error of the exponent or phase times its size."""
    root = np.sqrt(x)
    square, rest = _product(root, root)
    root_rest = ((x - square) - rest) / (2 * root)
    cube, rest = _product(x, root)
    rest = rest + x * root_rest
    high = cube * (2 / 3)
    thrice, of_high = _product(high, 3.0)
    return high, (((2 * cube - thrice) - of_high) + 2 * rest) / 3


def _decaying(x: Any, eps: float) -> Any:
    zeta, rest = _zeta(np.minimum(x, 1e3))
    return 0.5 / math.sqrt(math.pi) * np.exp(-zeta) * (1 - rest) * _DECAY(1 / zeta, eps) / np.sqrt(np.sqrt(x))


def _waving(x: Any, eps: float) -> Any:
    zeta, rest = _zeta(-x)
    cos, sin = np.cos(zeta), np.sin(zeta)
    cos, sin = cos - rest * sin, sin + rest * cos
    s = (7.4375 / zeta) ** 2
    return (_P(s, eps) * (cos + sin) + _Q(s, eps) / zeta * (sin - cos)) / np.sqrt(2 * math.pi * np.sqrt(-x))


def _airy_block(x: Any, eps: float) -> Any:
    out = _RIGHT(np.clip(x, -1.5, 2.25), eps)
    patch(out, x < -1.5, lambda x: _LEFT(np.maximum(x, -5), eps), x)
    patch(out, x > 2.25, lambda x: _decaying(x, eps), x)
    patch(out, x < -5, lambda x: _waving(x, eps), x)
    return out


airy_ai = of_x(without_gradient("airy_ai", _airy_block, "Ai(x), the solution of y'' = x y that decays"))
