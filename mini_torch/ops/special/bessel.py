"""Bessel functions of order 0 and 1: J, Y and the spherical j₀.

For |x| < 8 Chebyshev series of our own (see `series.py`), beyond Hankel's expansion with series for its two slowly
changing factors. The errors are relative to √(2 / πx), the size of the waves: next to a zero the function has fewer
correct digits. Source of the formulas: DLMF 10.8, 10.17 and 10.49.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .blocks import patch
from .declare import of_x, without_gradient
from .series import Chebyshev

__all__ = ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "spherical_bessel_j0"]

_J0 = Chebyshev(0.0, 64.0, (  # J₀(x) in x², |x| < 8
    0.15772797147489012, -0.008723442352852221, 0.2651786132033368, -0.37009499387264977, 0.15806710233209725,
    -0.034893769411408884, 0.004819180069467605, -0.000460626166206275, 3.24603288210051e-5, -1.761946907762e-6,
    7.60816359242e-8, -2.6792535306e-9, 7.84869631e-11, -1.9438347e-12, 4.12532e-14, -7.589e-16, 1.22e-17,
))  # fmt: skip
_P0 = Chebyshev(0.0, 1.0, (  # Hankel's factors in (8/x)²: J₀ = √(2 / πx) (P cos(x - π/4) - Q/x sin(x - π/4))
    0.9994603493475187, -0.000536522046813212, 3.075184787519e-6, -5.1705945376e-8, 1.63064646e-9, -7.8640914e-11,
    5.168262e-12, -4.30458e-13, 4.3266e-14, -5.069e-15, 6.75e-16, -1.0e-16,
))  # fmt: skip
_Q0 = Chebyshev(0.0, 1.0, (
    -0.12444683684269607, 0.000547081595408932, -5.9315987288485e-6, 1.43779657984e-7, -5.8175327495e-9,
    3.376097524e-10, -2.56539794e-11, 2.404916e-12, -2.669063e-13, 3.40418e-14, -4.8799e-15, 7.73e-16, -1.33e-16,
    2.49e-17, -4.95e-18,
))  # fmt: skip
_Y0 = Chebyshev(0.0, 64.0, (  # Y₀(x) - 2/π ln(x) J₀(x) in x², 0 < x < 8
    -0.03314611320328494, -0.2744743055297453, 0.17903431407718265, 0.26156734625504663, -0.17730201278114358,
    0.04719668959576339, -0.007287962479552079, 0.0007531135932577742, -5.63207914105699e-5, 3.2065325376548e-6,
    -1.440723327402e-7, 5.2487947873e-9, -1.583755254e-10, 4.0263308e-12, -8.747341e-14, 1.6435e-15, -2.7e-17,
))  # fmt: skip
_J1 = Chebyshev(0.0, 64.0, (  # J₁(x) / x in x², |x| < 8
    0.08104484632565812, -0.1489751450676521, 0.1609992623572097, -0.08268049176681791, 0.022213639654966037,
    -0.003646940600769276, 0.0004050337728354822, -3.255554866857259e-5, 1.98587740499152e-6, -9.52198475675e-8,
    3.6871337591e-9, -1.178026623e-10, 3.16015458e-12, -7.221755e-14, 1.42321e-15, -2.444e-17, 3.69e-19,
))  # fmt: skip
_P1 = Chebyshev(0.0, 1.0, (  # as for J₀, with cos(x - 3π/4)
    1.0009030408600137, 0.000898989833085941, -3.987284300489e-6, 6.1776339606e-8, -1.87189075e-9, 8.8168987e-11,
    -5.704864e-12, 4.6992e-13, -4.6842e-14, 5.453e-15, -7.22e-16, 1.07e-16, -1.73e-17,
))  # fmt: skip
_Q1 = Chebyshev(0.0, 1.0, (
    0.3742222965562826, -0.0007702178839325663, 7.310892206364e-6, -1.67678251073e-7, 6.583354662e-9,
    -3.74909095e-10, 2.812175e-11, -2.611453e-12, 2.87742e-13, -3.649e-14, 5.207e-15, -8.215e-16, 1.41e-16,
    -2.63e-17,
))  # fmt: skip
_Y1 = Chebyshev(0.0, 64.0, (  # (Y₁(x) - 2/π (ln(x) J₁(x) - 1/x)) / x in x², 0 < x < 8
    0.0025380132357417816, -0.01608717304766875, -0.09591204536083074, 0.08445197259652346, -0.028328123944594365,
    0.005289897544167113, -0.0006414551451326356, 5.505982873338744e-5, -3.53808001868935e-6, 1.7707804556154e-7,
    -7.1105500499e-9, 2.3443379059e-10, -6.46515184e-12, 1.5142915e-13, -3.05119e-15, 5.347e-17, -8.22e-19,
))  # fmt: skip


def _waves(x: Any, order: int, eps: float) -> tuple[Any, Any]:
    """J and Y of order 0 or 1, x > 8."""
    p, q = (_P0, _Q0) if order == 0 else (_P1, _Q1)
    s = (8 / x) ** 2
    cos, sin = np.cos(x), np.sin(x)
    cos, sin = (cos + sin, sin - cos) if order == 0 else (sin - cos, -sin - cos)  # of x - π/4 or x - 3π/4, times √2
    size = 1 / np.sqrt(math.pi * x)
    p, q = size * p(s, eps), size * q(s, eps) / x
    return p * cos - q * sin, p * sin + q * cos


def _j0_block(x: Any, eps: float) -> Any:
    size = np.abs(x)
    out = _J0(np.minimum(x * x, 64), eps)
    patch(out, size > 8, lambda x: _waves(x, 0, eps)[0], size)
    return out


def _j1_block(x: Any, eps: float) -> Any:
    size = np.abs(x)
    out = x * _J1(np.minimum(x * x, 64), eps)
    patch(out, size > 8, lambda x, size: np.sign(x) * _waves(size, 1, eps)[0], x, size)
    return out


def _y0_block(x: Any, eps: float) -> Any:
    near = np.minimum(x, 8)
    out = 2 / math.pi * np.log(near) * _j0_block(near, eps) + _Y0(near * near, eps)
    patch(out, x > 8, lambda x: _waves(x, 0, eps)[1], x)
    return out


def _y1_block(x: Any, eps: float) -> Any:
    near = np.minimum(x, 8)
    out = 2 / math.pi * (np.log(near) * _j1_block(near, eps) - 1 / near) + near * _Y1(near * near, eps)
    out[x == 0] = -np.inf
    patch(out, x > 8, lambda x: _waves(x, 1, eps)[1], x)
    return out


def _spherical_block(x: Any, eps: float) -> Any:
    out = np.sin(x) / x
    patch(out, (x == 0) | np.isinf(x), lambda x: np.where(x == 0, 1.0, 0.0), x)
    return out


bessel_j0 = without_gradient("bessel_j0", _j0_block, "J₀(x)")
bessel_j1 = without_gradient("bessel_j1", _j1_block, "J₁(x)")
bessel_y0 = without_gradient("bessel_y0", _y0_block, "Y₀(x), x > 0")
bessel_y1 = without_gradient("bessel_y1", _y1_block, "Y₁(x), x > 0")
spherical_bessel_j0 = of_x(without_gradient("spherical_bessel_j0", _spherical_block, "sin(x) / x"))
