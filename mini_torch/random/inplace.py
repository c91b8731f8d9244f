"""Tensor's methods that fill a tensor with random numbers: `uniform_`, `normal_`, `random_` …

They fill in the order of memory, whatever the strides, and return the tensor. A tensor that was computed keeps no
history: what it held is gone. Source of each: PyTorch's `torch.Tensor` page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..dtype import finfo, from_numpy_dtype
from ..graph import mode, verify
from ..op import adopt, check_writable, shape_mismatch, type_name
from ..rounding import Array, narrowed
from ..tensor import Tensor, method, wrap
from .distributions import cauchy, geometric, log_normal
from .generator import Generator, by_memory, chosen, draw_by

__all__ = [
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_",
]  # fmt: skip

_LOWEST = -(1 << 63)


def uniform_(self: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fills with uniform numbers, from_ ≤ x < to; float, double and half, and both parts of complex numbers.

    Errors: RuntimeError for from_ > to, NotImplementedError for integers.
    """
    kind = _float_kind(self, "check_uniform_bounds")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    most = _limits(kind)[1]
    if to - from_ > most:
        raise RuntimeError(f"uniform_ expects to-from <= {most:g}, but found to={to:g} and from={from_:g}")
    source = chosen(generator)
    return _fill(self, lambda shape: source.uniform(shape, from_, to, kind))


def normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fills with normal numbers. Of complex numbers `std` is that of the whole, std/√2 of each part.

    Errors: RuntimeError for a negative std, NotImplementedError for integers.
    """
    kind = _float_kind(self, "normal_kernel_cpu")
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if self._array.dtype.kind == "c":
        std /= math.sqrt(2)
    source = chosen(generator)
    if self._array.flags.c_contiguous:
        return _fill(self, lambda shape: source.normal(shape, mean, std, kind))
    return _fill(self, lambda shape: narrowed(source.normal_singly(math.prod(shape), mean, std), kind).reshape(shape))


def random_(self: Tensor, *bounds: int | None, generator: Generator | None = None, to: int | None = None) -> Tensor:
    """Fills with integers: `random_(to)` 0 ≤ n < to, `random_(from, to)` from ≤ n < to.

    `random_()` takes all that the type holds exactly and that are not negative. Errors: RuntimeError for an empty range
    or one that the type does not hold.
    """
    kind, source = self._array.dtype, chosen(generator)
    if kind.kind == "c":
        raise RuntimeError(f"random_ handles only integral, floating-point and boolean types, not {type_name(kind)}")
    given = bounds if to is None else (*bounds, to)
    if not given:
        draw, count = source.wide_draws if kind.itemsize == 8 else source.draws, np.uint64(_count(kind))
        return _fill(self, lambda shape: (draw(math.prod(shape)) % count).reshape(shape))
    low, high = _bounds(given, kind)
    if high - low == 1 << 64:  # no range to reduce to
        return _fill(self, lambda shape: source.wide_draws(math.prod(shape)).view(np.int64).reshape(shape))
    return _fill(self, lambda shape: source.integers(shape, low, high))


def _bounds(given: tuple[int | None, ...], kind: np.dtype[Any]) -> tuple[int, int]:
    """The range low ≤ n < high that is meant by (to) or (from, to), checked."""
    if len(given) > 2 or any(b is not None and not hasattr(b, "__index__") for b in given):
        raise TypeError(f"random_() takes the ints (), (to) or (from, to), got {given}")
    low, high = (0, given[0]) if len(given) == 1 else given
    if low is None or high is None:
        return low or 0, _count(kind)
    low, high = int(low), int(high)
    if min(low, high) < _LOWEST or max(low, high) >= 1 << 63:
        raise ValueError(f"Overflow when unpacking long long: from={low}, to={high}")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    least, most = _limits(kind)
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise RuntimeError(f"{name} is out of bounds for {from_numpy_dtype(kind)}: {value}")
    return low, high


def _count(kind: np.dtype[Any]) -> int:
    """How many integers from 0 on a type holds without a gap."""
    if kind.kind in "fV":
        return round(2 / finfo(from_numpy_dtype(kind)).eps) + 1
    return 2 if kind.kind == "b" else int(np.iinfo(kind).max) + 1


@cache
def _limits(kind: np.dtype[Any]) -> tuple[float, float]:
    if kind.kind == "b":
        return 0, 1
    if kind.kind in "fV":
        limits = finfo(from_numpy_dtype(kind))
        return limits.min, limits.max
    return np.iinfo(kind).min, np.iinfo(kind).max


def _check_odds(p: Any) -> None:
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")


def bernoulli_(self: Tensor, p: float | Tensor = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 of probability `p`, else 0; `p` is a number or a tensor that broadcasts to this shape.

    Errors: RuntimeError for a p outside 0 … 1.
    """
    source = chosen(generator)
    if self._array.dtype.kind == "c":
        raise NotImplementedError(f"\"bernoulli_cpu_\" not implemented for '{type_name(self._array.dtype)}'")
    if not isinstance(p, Tensor):
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        return _fill(self, lambda shape: source.bernoulli(shape, p))
    _float_kind(p, "bernoulli_tensor_cpu_p_")
    verify(_check_odds, p._array)
    try:
        odds = np.empty_like(self._array, p._array.dtype)
        odds[...] = p._array
    except ValueError:
        raise shape_mismatch(self._array.shape, p._array.shape) from None
    kind = np.float64 if odds.dtype == np.float64 else np.float32
    return _fill(self, lambda shape: source.uniform(shape, dtype=kind) < by_memory(odds))


def exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fills with exponential numbers of rate `lambd`.

    Errors: RuntimeError for a rate that is not positive, and for integers.
    """
    kind = self._array.dtype
    if kind.kind not in "fV":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {type_name(kind)}"
        )
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    source = chosen(generator)
    return _fill(self, lambda shape: source.exponential(shape, lambd, kind))


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fills with the number of trials up to the first success, each of probability `p`.

    Errors: RuntimeError for a p outside (0, 1).
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if self._array.dtype.kind in "bc":
        raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{type_name(self._array.dtype)}'")
    source = chosen(generator)
    return _fill(self, lambda shape: draw_by(geometric, source, shape, p, self._array.dtype))


def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fills with Cauchy numbers.

    Errors: RuntimeError for a sigma that is not positive, and for integers.
    """
    if self._array.dtype.kind not in "fV":
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {type_name(self._array.dtype)}"
        )
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    source = chosen(generator)
    return _fill(self, lambda shape: draw_by(cauchy, source, shape, median, sigma, self._array.dtype))


def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Fills with exp of normal numbers of this mean and std.

    Errors: RuntimeError for a std that is not positive, NotImplementedError for integers.
    """
    kind = _float_kind(self, "log_normal_cpu")
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    source = chosen(generator)
    return _fill(self, lambda shape: draw_by(log_normal, source, shape, mean, std, kind))


# ---- what they share ---------------------------------------------------------------------------------------
def _float_kind(x: Tensor, kernel: str) -> np.dtype[Any]:
    """The tensor's floating type, a complex one's parts'; NotImplementedError if it has none."""
    kind = x._array.dtype
    if kind.kind not in "fcV":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{type_name(kind)}'")
    return kind if kind.kind != "c" else np.empty(0, kind).real.dtype


def _fill(x: Tensor, draw: Callable[[tuple[int, ...]], Array]) -> Tensor:
    """Writes `draw(shape)` into `x`; for complex numbers it is asked for pairs, in a last axis more."""
    check_writable(x)
    if not mode.fills:
        return x
    place = by_memory(x._array)
    if place.dtype.kind == "c":
        place[...] = draw((*place.shape, 2)).view(place.dtype)[..., 0]
    else:
        place[...] = narrowed(draw(place.shape), place.dtype)
    return adopt(x, wrap(x._array))


for _name in __all__:
    method(_name, globals()[_name])
