"""Entropy's terms: entr and xlog1py."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blocks import blockwise
from .declare import special, special_of_two

__all__ = ["entr", "xlog1py"]


@blockwise("entr_cpu")
def _entr(x: Any, eps: float) -> Any:
    return np.where(x == 0, 0.0, np.where(x < 0, -np.inf, -x * np.log(x)))


@blockwise("xlog1py_cpu")
def _xlog1py(x: Any, y: Any, eps: float) -> Any:
    return np.where((x == 0) & ~np.isnan(y), 0.0, x * np.log1p(y))


entr = special("entr", _entr, lambda g, x: g * (-1 - np.log(x)), doc="-x ln x; 0 for 0, and -inf for negative numbers")
xlog1py = special_of_two(
    "xlog1py", _xlog1py, x=lambda g, x, y: g * np.where((x == 0) & (y <= -1), 0.0, np.log1p(y)),
    y=lambda g, x, y: g * x / (y + 1), doc="x ln(1 + y), exact also for small y, and 0 where x is 0",
)  # fmt: skip
