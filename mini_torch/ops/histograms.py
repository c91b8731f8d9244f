"""How often values occur: bincount, histc, histogram, histogramdd."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..graph import as_unit, verify
from ..op import public, refused, type_name
from ..tensor import Tensor, wrap

__all__ = ["bincount", "histc", "histogram", "histogramdd"]

Array = np.ndarray[Any, Any]


class Histogram(NamedTuple):
    """What `histogram` returns: counts, and the edges between bins."""

    hist: Tensor
    bin_edges: Any

    def __repr__(self) -> str:
        name = type(self).__name__.lower()
        return f"torch.return_types.{name}(\nhist={self.hist!r},\nbin_edges={self.bin_edges!r})"


class HistogramDD(Histogram):
    """What `histogramdd` returns: counts, and a tuple of edges, one for each dimension."""

    __slots__ = ()


@public
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2 … occurs, or the sum of its weights. Source: PyTorch's `torch.bincount`."""
    x = input._array
    if x.dtype.kind not in "iu":
        raise refused("bincount_cpu", x.dtype)
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if x.ndim == 1 and not x.size:
        return wrap(np.zeros(minlength, np.int64))
    if x.ndim != 1:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    verify(_check_counted, x)
    if weights is None:
        return wrap(np.bincount(x, None, minlength))
    if weights._array.shape != x.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input: {list(weights.shape)} for {list(input.shape)}"
        )
    counts = np.bincount(x, weights._array, minlength)
    return wrap(counts.astype(np.float32) if weights._array.dtype == np.float32 else counts)


# ---- even bins -------------------------------------------------------------------------------------------------------
def _limits(name: str, x: Array, low: float, high: float, margin: float) -> tuple[Any, Any]:
    """The range of the bins: as given, or where that is empty from the smallest to the largest element."""
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, got min {low} and max {high}")
    least, most = x.dtype.type(low), x.dtype.type(high)
    if least == most and x.size:
        least, most = x.min(), x.max()
    if not (np.isfinite(least) and np.isfinite(most)):
        raise RuntimeError(f"{name}: range of [{least}, {most}] is not finite")
    return (least - margin, most + margin) if least == most else (least, most)


def _floats_only(kernel: str, *tensors: Tensor) -> None:
    for x in tensors:
        if x._array.dtype not in (np.float32, np.float64):
            raise refused(kernel, x._array.dtype)


@public
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall in each of `bins` even bins from min to max (both 0: the elements' own range).

    What lies outside does not count; the last bin includes max. Source: PyTorch's `torch.histc`.
    """
    if input._array.dtype.kind != "f":
        raise refused("histogram_cpu", input._array.dtype)
    if bins <= 0:
        raise RuntimeError(f"bins must be > 0, but got {bins}")
    x = input._array.reshape(-1)
    return wrap(as_unit(_histc, x, bins, min, max))


def _histc(x: Array, bins: int, least: float, most: float) -> Array:
    low, high = _limits("torch.histc", x, least, most, 1)
    return _counts(x, bins, low, high, None).astype(x.dtype)


def _counts(x: Array, bins: int, low: Any, high: Any, weights: Array | None) -> Array:
    x, weights = (x, weights) if x.size == 0 else _within(x, low, high, weights)
    place = np.minimum((bins * ((x - low) / (high - low))).astype(np.int64), bins - 1)
    return np.bincount(place, weights, bins)


def _within(x: Array, low: Any, high: Any, weights: Array | None) -> tuple[Array, Array | None]:
    inside = (x >= low) & (x <= high)
    return x[inside], None if weights is None else weights[inside]


# ---- any bins, of any dimension --------------------------------------------------------------------------------------
def _check_counted(x: Array) -> None:
    if (x < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")


@public
def histogram(
    input: Tensor, bins: Any, *, range: tuple[float, float] | None = None, weight: Tensor | None = None,
    density: bool = False,
) -> Histogram:  # fmt: skip
    """(hist, bin_edges): how many elements, or how much weight, between each two edges, the last edge included.

    `bins` is their number, then over `range` or the elements' own, or a 1-d tensor of increasing edges. With `density`
    the integral is 1. Source: PyTorch's `torch.histogram`.
    """
    _floats_only("histogram", input)
    given = bins._array if isinstance(bins, Tensor) else bins
    edges = as_unit(_edges, "torch.histogram(): ", input._array.reshape(-1), given, range)
    shape = None if weight is None else weight._array.reshape(-1)
    counts = as_unit(_count_between, input._array.reshape(-1, 1), [edges], shape, density)
    return Histogram(wrap(counts), wrap(edges))


@public(method=False)
def histogramdd(
    input: Tensor, bins: Any, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> HistogramDD:
    """`histogram` of points: input (…, D), `bins` one for all or D numbers or tensors of edges.

    hist has the shape (bins₁, …, bins_D). `range` has 2 D numbers. Source: PyTorch's `torch.histogramdd`.
    """
    _floats_only("histogramdd", input)
    if input._array.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    points = input._array.reshape(math.prod(input._array.shape[:-1]), input._array.shape[-1])
    each = [bins] * points.shape[1] if isinstance(bins, int) else list(bins)
    if len(each) != points.shape[1]:
        raise RuntimeError(
            f"torch.histogramdd(): expected {points.shape[1]} sequences of bin edges for a "
            f"{points.shape[1]}-dimensional histogram but got {len(each)}"
        )
    spans = [None if range is None else (range[2 * i], range[2 * i + 1]) for i, _ in enumerate(each)]
    edges = [
        as_unit(_edges, "torch.histogramdd(): ", points[:, i], b._array if isinstance(b, Tensor) else b, span)
        for i, (b, span) in enumerate(zip(each, spans))
    ]
    weights = None if weight is None else weight._array.reshape(-1)
    given = [b if isinstance(b, Tensor) else wrap(e) for b, e in zip(each, edges)]
    return HistogramDD(wrap(as_unit(_count_between, points, edges, weights, density)), tuple(given))


def _edges(name: str, x: Array, bins: Any, span: tuple[float, float] | None) -> Array:
    if isinstance(bins, np.ndarray):
        if bins.dtype != x.dtype:
            raise RuntimeError(
                f"{name}input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{type_name(x.dtype)} and bins with dtype {type_name(bins.dtype)}"
            )
        return bins.copy()
    if bins <= 0:
        raise RuntimeError(f"{name}bins must be > 0, but got {bins}")
    if span is None and not x.size:
        span = (0.0, 1.0)
    least, most = span or (0.0, 0.0)
    low, high = _limits(name + "range", x, least, most, 0.5)
    return np.linspace(low, high, bins + 1).astype(x.dtype)


def _count_between(points: Array, edges: list[Array], weights: Array | None, density: bool) -> Array:
    """Counts of points (n, D) between D sequences of edges."""
    shape = tuple([len(e) - 1 for e in edges])
    inside = np.ones(len(points), bool)
    flat = np.zeros(len(points), np.int64)
    for column, e, n in zip(points.T, edges, shape):
        inside &= (column >= e[0]) & (column <= e[-1])
        flat = flat * n + np.clip(np.searchsorted(e, column, "right") - 1, 0, n - 1)
    total = int(np.prod(shape))
    counts = np.bincount(flat[inside], None if weights is None else weights[inside], total)
    counts = counts.reshape(shape).astype(points.dtype)
    if density:
        volume = np.ones((), points.dtype)
        for e in edges:
            volume = np.multiply.outer(volume, np.diff(e))
        with np.errstate(invalid="ignore"):
            counts = counts / (counts.sum() * volume)
    return counts.astype(points.dtype)
