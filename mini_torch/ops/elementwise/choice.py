"""One of two: the larger, the smaller, what a condition picks, what lies within bounds."""

from __future__ import annotations

import builtins
import functools
import math
from typing import Any

import numpy as np

from ...dtype import finfo, from_numpy_dtype
from ...op import as_operand, binary, common_type, implements, number_as, operands, public, refused, row, shape_mismatch
from ...tensor import Tensor, method, wrap
from ..conversion import clone
from ..mask import chosen, masked

__all__ = [
    "clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "maximum", "minimum", "nan_to_num", "where",
]  # fmt: skip


# ---- of two ----------------------------------------------------------------------------------------------------------
def _if_larger(g: Any, x: Any, y: Any) -> Any:
    """The gradient of what may be the larger. A tie shares it, and with a NaN both get it, as in PyTorch."""
    return masked(g, ~(x < y)) - masked(0.5 * g, x == y)


def _if_smaller(g: Any, x: Any, y: Any) -> Any:
    return masked(g, ~(x > y)) - masked(0.5 * g, x == y)


maximum = binary(
    "maximum", np.maximum, x=_if_larger, y=lambda g, x, y: _if_larger(g, y, x), refuses="c", kernel="maximum",
    numbers="", doc="The larger of two; NaN if one is",
)  # fmt: skip
minimum = binary(
    "minimum", np.minimum, x=_if_smaller, y=lambda g, x, y: _if_smaller(g, y, x), refuses="c", kernel="minimum",
    numbers="", doc="The smaller of two; NaN if one is",
)  # fmt: skip
fmax = binary(
    "fmax", np.fmax, x=lambda g, x, y: masked(g, (x >= y) | np.isnan(y)),
    y=lambda g, x, y: masked(g, ~((x >= y) | np.isnan(y))), refuses="c", kernel="fmax",
    numbers="", doc="The larger of two, a number before NaN",
)  # fmt: skip
fmin = binary(
    "fmin", np.fmin, x=lambda g, x, y: masked(g, (x <= y) | np.isnan(y)),
    y=lambda g, x, y: masked(g, ~((x <= y) | np.isnan(y))), refuses="c", kernel="fmin",
    numbers="", doc="The smaller of two, a number before NaN",
)  # fmt: skip


# ---- within bounds ---------------------------------------------------------------------------------------------------
def _clamp_forward(x: Any, low: Any, high: Any) -> Any:
    # with an infinite bound in place of none: NumPy's clip is many times faster than its maximum with a number
    if x.dtype.kind != "f":
        x = x if low is None else np.maximum(x, low)
        return x if high is None else np.minimum(x, high)
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


def _inside(x: Any, low: Any, high: Any) -> Any:
    inside = (x >= low) if low is not None else (x <= high)
    return inside & (x <= high) if low is not None and high is not None else inside


_clamp = row("clamp", _clamp_forward, x=lambda g, x, low, high: masked(g, _inside(x, low, high)))
_clamp_between = row(
    "clamp_between", lambda x, low, high: np.minimum(np.maximum(x, low), high), grad_name="ClampBackward1",
    broadcasts=True,
    x=lambda g, x, low, high: masked(g, (x >= low) & (x <= high)),
    low=lambda g, x, low, high: masked(g, (x < low) & (low < high)),
    high=lambda g, x, low, high: masked(g, (x > high) | (low > high)),
)  # fmt: skip


@public(aliases=("clip",), inplace=True)
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """input kept within [min, max], numbers or tensors; where min > max the result is max.

    The gradient passes where input lies within the bounds, edges included. Errors: RuntimeError if both bounds are
    None, NotImplementedError for complex numbers and bools. Source: PyTorch's `torch.clamp`.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not isinstance(input, Tensor):
        raise TypeError(f"clamp(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    if input._array.dtype.kind == "f" and type(min) in _PLAIN and type(max) in _PLAIN:
        return _clamp(input, _bound(min, input._array.dtype), _bound(max, input._array.dtype))
    bounds = [bound for bound in (min, max) if bound is not None]
    kind = common_type(input, *bounds)
    if kind.kind == "c":
        raise NotImplementedError(f"clamp is not supported for complex types, got {input.dtype}")
    if kind.kind == "b" and (len(bounds) == 2 or not isinstance(bounds[0], Tensor)):
        raise refused("clamp_cpu", kind)
    if any(isinstance(bound, Tensor) for bound in bounds):
        return _clamp_tensors(input, min, max, kind)
    return _clamp(as_operand(input, kind), _bound(min, kind), _bound(max, kind))


_PLAIN = (float, int, type(None))


@functools.lru_cache(maxsize=1000, typed=True)
def _bound(number: Any, kind: np.dtype[Any]) -> Any:
    """A bound in the tensor's type; kept for the next time."""
    return None if number is None else number_as(number, kind)


def _clamp_tensors(input: Tensor, min: Any, max: Any, kind: np.dtype[Any]) -> Tensor:
    """`clamp` between tensors. A bound that is not given is the type's own."""
    least: float = -math.inf
    most: float = math.inf
    if kind.kind not in "fV":
        least, most = (False, True) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
    low, high = (least if min is None else min), (most if max is None else max)
    x, low, high = (as_operand(each, kind) for each in (input, low, high))
    try:
        return _clamp_between(x, low, high)
    except ValueError as error:
        raise _first_mismatch(x, low, high) from error


clip = clamp


@public(inplace=True)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """input, at least min. Source: PyTorch's `torch.clamp_min`."""
    return clamp(input, min=min)


@public(inplace=True)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """input, at most max. Source: PyTorch's `torch.clamp_max`."""
    return clamp(input, max=max)


# ---- by a condition --------------------------------------------------------------------------------------------------
_where = row(
    "where", chosen, mask=None, broadcasts=True,
    x=lambda g, mask: masked(g, mask), y=lambda g, mask: masked(g, ~mask),
)  # fmt: skip


@public(method=False)
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; with the condition alone, the indices where it holds.

    Shapes broadcast. Errors: RuntimeError for a condition that is not of bools. Source: PyTorch's `torch.where`.

    >>> from mini_torch import tensor, where
    >>> x = tensor([1., -2.])
    >>> where(x > 0, x, 0.)
    tensor([1., 0.])
    """
    if input is None and other is None:
        return tuple(wrap(i.astype(np.int64)) for i in np.nonzero(np.atleast_1d(condition._array)))
    mask = condition
    if not isinstance(mask, Tensor):
        mask = wrap(mask if isinstance(mask, np.ndarray) else np.asarray(mask))
    kind = mask._array.dtype
    if kind.kind != "b":
        if kind != np.uint8:
            raise RuntimeError(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{from_numpy_dtype(kind)}"
            )
        mask = wrap(mask._array.astype(bool))
    pair = operands(input, other)
    if pair is None:
        raise TypeError("where(): input and other must be tensors or numbers")
    try:
        return _where(mask, *pair)
    except ValueError as error:
        raise _first_mismatch(mask, *pair) from error


def _first_mismatch(*tensors: Tensor) -> RuntimeError:
    """The error for the first two of the tensors whose shapes do not broadcast."""
    shapes = [x._array.shape for x in tensors]
    pairs = [(a, b) for i, a in enumerate(shapes) for b in shapes[i + 1 :]]
    return shape_mismatch(*next(pair for pair in pairs if not _fit(*pair)))


def _fit(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return builtins.all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))


@implements(np.where)
def _numpy_where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """As NumPy's, but a Python number takes the tensor's type (formulas are full of `np.where(c, g, 0.0)`)."""
    return where(condition, x, y)


method("where", lambda self, condition, other: where(condition, self, other))

# ---- numbers for what is none ----------------------------------------------------------------------------------------
def _numbers(x: Any, nan: float, posinf: float, neginf: float) -> Any:
    if np.isfinite(x).all():
        return x.copy()
    if x.dtype.kind == "V":  # NumPy does not take it for a floating type
        return _numbers(x.astype(np.float32), nan, posinf, neginf).astype(x.dtype)
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


_nan_to_num = row(
    "nan_to_num", _numbers,
    x=lambda g, x: np.where(np.isfinite(x), g, 0.0),
)  # fmt: skip


@public(inplace=True)
def nan_to_num(
    input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """input with NaN and the infinities replaced by numbers: 0 and the type's limits unless given.

    Source: PyTorch's `torch.nan_to_num`.
    """
    kind = input._array.dtype
    if kind.kind in "biu":
        return clone(input)
    limits = finfo(from_numpy_dtype(kind))
    high, low = (limits.max if posinf is None else posinf), (limits.min if neginf is None else neginf)
    return _nan_to_num(input, 0.0 if nan is None else nan, float(high), float(low))
