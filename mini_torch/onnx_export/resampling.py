"""Interpolation, and borders that mirror or repeat: ONNX' Resize or Pad where it picks and weighs the same elements,
else what is done, written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops.interpolation import cubic, linear, nearest, nearest_exact
from ..ops.resampling import Taps
from .graph import Builder, Wire
from .table import row

__all__: list[str] = []

# Resize's attributes, what makes the taps that it then has, and whether corners stay. Each is tried in turn.
_WAYS: list[tuple[dict[str, Any], Any, bool]] = [
    ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, nearest, False),
    ({"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"},
     nearest_exact, False),
    ({"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, linear, False),
    ({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, linear, True),
    ({"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75}, cubic, False),
    ({"mode": "cubic", "coordinate_transformation_mode": "align_corners", "cubic_coeff_a": -0.75}, cubic, True),
]  # fmt: skip


@row("resample")
def _resample(b: Builder, x: Wire, taps: Sequence[Any], node: str) -> Wire:
    known = {axis: _numbers(each) for axis, each in zip(range(x.rank - len(taps), x.rank), taps) if each is not None}
    if not known:
        return x
    for attributes, made_of, align in _WAYS if x.dtype.itemsize > 2 else []:
        if all(_equal(each, made_of(each.size, len(each.index), align, each.factor, x.dtype.type))
               for each in known.values()):  # fmt: skip
            return b.op("Resize", x, None, *_aim(b, known, x.rank), **attributes)
    border = _border(x, known)
    if border is not None and b.opset >= border[1]:
        mode, _, before, after = border
        return b.op("Pad", x, b.ints([*before, *after]), mode=mode)
    for axis, each in known.items():
        x = _along(b, x, axis, each)
    return x


def _aim(b: Builder, known: dict[int, Taps], rank: int) -> tuple[Wire | None, Wire | None]:
    """Resize's factors, or its sizes."""
    factors = [known[axis].factor if axis in known else 1.0 for axis in range(rank)]
    return (None, b.ints(b.outs[0][0])) if None in factors else (b.constant(factors, np.float32), None)


def _numbers(taps: Any) -> Taps:
    """Taps with numbers in the places of constants."""
    return Taps(*[v.array if isinstance(v, Wire) else v for v in taps])


def _equal(a: Taps, b: Taps) -> bool:
    """Whether they are the same elements with the same weights; which of two is first does not matter where one has
    no weight."""
    if (a.weights is None) != (b.weights is None):
        return False
    if a.weights is None:
        return bool(np.array_equal(a.index, b.index))
    return a.index.shape == b.index.shape and bool(np.allclose(_matrix(a), _matrix(b), atol=1e-5))


def _border(x: Wire, known: dict[int, Taps]) -> tuple[str, int, list[int], list[int]] | None:
    """A border that goes on as the image does: Pad's mode, the opset that has it, the elements before and behind."""
    if any(each.weights is not None or not len(each.index) for each in known.values()):
        return None
    for mode, opset, ahead in (("reflect", 18, lambda i, n: i[0]), ("edge", 18, lambda i, n: np.sum(i == 0) - 1),
                               ("wrap", 19, lambda i, n: -i[0] % n)):  # fmt: skip
        before, after = [0] * x.rank, [0] * x.rank
        for axis, each in known.items():
            before[axis] = int(ahead(each.index[:, 0], each.size))
            after[axis] = len(each.index) - each.size - before[axis]
        if min(*before, *after) >= 0 and all(
            np.array_equal(np.pad(np.arange(each.size), (before[axis], after[axis]), mode), each.index[:, 0])
            for axis, each in known.items()
        ):  # fmt: skip
            return mode, opset, before, after
    return None


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
