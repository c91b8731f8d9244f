"""Interpolation: ONNX' Resize where it picks and weighs the same elements, else what it does, written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops.interpolation import cubic, linear, nearest, nearest_exact
from ..ops.resampling import Taps
from .graph import Builder, Wire
from .table import row

__all__: list[str] = []

# Resize's attributes, and what it then takes an output of m elements of n to be made of. Each is tried in turn.
_WAYS: list[tuple[dict[str, Any], Any]] = [
    ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
     lambda n, m, kind: nearest(n, m, False, None, kind)),
    ({"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"},
     lambda n, m, kind: nearest_exact(n, m, False, None, kind)),
    ({"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
     lambda n, m, kind: linear(n, m, False, None, kind)),
    ({"mode": "linear", "coordinate_transformation_mode": "align_corners"},
     lambda n, m, kind: linear(n, m, True, None, kind)),
    ({"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75},
     lambda n, m, kind: cubic(n, m, False, None, kind)),
    ({"mode": "cubic", "coordinate_transformation_mode": "align_corners", "cubic_coeff_a": -0.75},
     lambda n, m, kind: cubic(n, m, True, None, kind)),
]  # fmt: skip


@row("resample")
def _resample(b: Builder, x: Wire, taps: Sequence[Any], node: str) -> Wire:
    known = {axis: _numbers(each) for axis, each in zip(range(x.rank - len(taps), x.rank), taps) if each is not None}
    if not known:
        return x
    counts = [len(each.index) for each in known.values()]
    for attributes, made_of in _WAYS if x.dtype.itemsize > 2 else []:
        if all(_equal(each, made_of(each.size, n, x.dtype.type)) for each, n in zip(known.values(), counts)):
            return b.op("Resize", x, None, None, b.ints(b.outs[0][0]), **attributes)
    for axis, each in known.items():
        x = _along(b, x, axis, each)
    return x


def _numbers(taps: Any) -> Taps:
    """Taps with numbers in the places of constants."""
    index, weights, size = [v.array if isinstance(v, Wire) else v for v in taps]
    return Taps(index, weights, size)


def _equal(a: Taps, b: Taps) -> bool:
    """Whether they are the same elements with the same weights; which of two is first does not matter where one has
    no weight."""
    if (a.weights is None) != (b.weights is None):
        return False
    if a.weights is None:
        return bool(np.array_equal(a.index, b.index))
    return a.index.shape == b.index.shape and bool(np.allclose(_matrix(a), _matrix(b), atol=1e-5))


def _matrix(taps: Taps) -> Any:
    """The weights as a matrix (size, out)."""
    matrix = np.zeros((taps.size, len(taps.index)))
    np.add.at(matrix, (taps.index, np.arange(len(taps.index))[:, None]), taps.weights)
    return matrix


def _along(b: Builder, x: Wire, axis: int, taps: Taps) -> Wire:
    """Along one dimension: a Gather where elements are picked, else a product with the matrix of all weights."""
    shape = (*x.dims[:axis], len(taps.index), *x.dims[axis + 1 :])
    if taps.weights is None:
        x = b.op("Gather", x, b.constant(taps.index[:, 0], np.int64), axis=axis)
        x.shape = shape
        return x
    x = b.swap(x, axis, x.rank - 1)
    dims = x.dims
    x = b.op("MatMul", x, b.constant(_matrix(taps), x.dtype))
    x.shape = (*dims[:-1], len(taps.index))
    return b.swap(x, axis, x.rank - 1)
