"""Numbers in even steps: arange, range, linspace, logspace. For a whole-number type the ends and the step are cut."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from .creation import finish
from .dtype import default_numpy_dtype, get_default_dtype, to_numpy_dtype
from .op import functions, number_as, refused, takes_out, type_name
from .ramp import counted, spread
from .tensor import Tensor

__all__ = ["arange", "linspace", "logspace", "range"]

Kind = np.dtype[Any]
_whole_steps = builtins.range  # the name is PyTorch's here
_VECTOR_KINDS = (np.float16, np.float32, np.float64)


def _plain(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor | np.generic) else x


# ---- by the step -----------------------------------------------------------------------------------------------------
def _check_range(first: Any, last: Any, step: Any) -> None:
    for x in (first, last, step):
        if not isinstance(x, int | float):
            raise TypeError(f"arange(): arguments must be real numbers, not {type(x).__name__}")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise RuntimeError(f"unsupported range: {first} -> {last}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (last - first) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _steps(first: Any, step: Any, count: int, kind: Kind) -> Any:
    """first + i · step; of floats in float64, then rounded."""
    with np.errstate(all="ignore"):
        if kind == np.int64:
            return np.arange(first, first + step * count, step, dtype=np.int64)
        if kind.kind in "iu":
            start, by = np.array(int(first)).astype(kind), np.array(int(step)).astype(kind)
            return start + by * np.arange(count).astype(kind)
        return (first + step * np.arange(count)).astype(kind)


@takes_out
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, … below end. int64 if all three are ints, else the default floating type.

    Errors: RuntimeError where the step is 0 or leads away. Source: PyTorch's `torch.arange`.

    >>> arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if start is None and end is None:
        raise TypeError("arange(): argument 'end' (position 1) is missing")
    ends = (0, start) if end is None else (0 if start is None else start, end)
    first, last, step = (_plain(x) for x in (*ends, step))
    whole = all(isinstance(x, int) for x in (first, last, step))
    kind = to_numpy_dtype(dtype) if dtype is not None else np.dtype(np.int64) if whole else default_numpy_dtype()
    if kind.kind in "bc":
        raise refused("arange_cpu", kind)
    _check_range(first, last, step)
    if kind == np.int64:
        first, last, step = int(first), int(last), int(step)
        if not step:
            raise ValueError("step must be nonzero")
        count = len(_whole_steps(first, last, step))
    else:
        count = max(math.ceil((last - first) / step), 0)
    steps = counted if kind in _VECTOR_KINDS else _steps
    return finish(steps(first, step, count, kind), device, requires_grad)


@takes_out
def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, … up to and with end, in the default floating type. Source: PyTorch's `torch.range`.

    Deprecated there: `arange` is consistent with Python's `range`.
    """
    first, last, step = (_plain(x) for x in ((0, start, step) if end is None else (start, end, step)))
    kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if kind.kind in "bc":
        raise refused("range_cpu", kind)
    _check_range(first, last, step)
    return finish(_steps(first, step, int((last - first) / step) + 1, kind), device, requires_grad)


# ---- by the number of steps ------------------------------------------------------------------------------------------
def _ends(name: str, start: Any, end: Any, steps: Any, dtype: Any) -> tuple[Any, Any, Kind]:
    """Both ends, as numbers that the type holds, and the type."""
    if not isinstance(steps, int) or isinstance(steps, bool):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")
    for end_name, x in (("start", start), ("end", end)):
        if isinstance(x, Tensor) and x._array.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {end_name} with {x.ndim} "
                "dimension(s)"
            )
    start, end = _plain(start), _plain(end)
    kind = _kind_of(name, start, end, dtype)
    return number_as(start, kind).item(), number_as(end, kind).item(), kind


def _even(first: Any, last: Any, steps: int) -> Any:
    """`steps` even numbers: from the front in the first half, from the back in the second, as PyTorch does."""
    with np.errstate(all="ignore"):
        step = np.true_divide(last - first, steps - 1) if steps > 1 else 0.0
        k = np.arange(steps)
        return np.where(k < steps // 2 if steps > 1 else k == 0, first + step * k, last - step * (steps - 1 - k))


def _kind_of(name: str, start: Any, end: Any, dtype: Any) -> Kind:
    is_complex = isinstance(start, complex) or isinstance(end, complex)
    if dtype is None:
        return get_default_dtype().to_complex().numpy if is_complex else default_numpy_dtype()
    kind = to_numpy_dtype(dtype)
    if is_complex and kind.kind != "c":
        raise RuntimeError(
            f"torch.{name}(): inferred dtype {get_default_dtype().to_complex()} can't be safely cast to passed dtype "
            f"{type_name(kind)}"
        )
    if kind.kind == "b":
        raise refused(f"{name}_cpu", kind)
    return kind


def _rounded(values: Any, kind: Kind) -> Any:
    with np.errstate(all="ignore"):
        return values.astype(np.int64).astype(kind) if kind.kind in "iu" else values.astype(kind)


@takes_out
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers evenly from start to end, both included. Source: PyTorch's `torch.linspace`."""
    first, last, kind = _ends("linspace", start, end, steps, dtype)
    return finish(spread(first, last, steps, kind), device, requires_grad)


@takes_out
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """base to the powers of `linspace(start, end, steps)`. Source: PyTorch's `torch.logspace`."""
    first, last, kind = _ends("logspace", start, end, steps, dtype)
    values = _even(first, last, steps)
    with np.errstate(all="ignore"):
        return finish(_rounded(np.power(complex(base) if kind.kind == "c" else float(base), values), kind), device,
                      requires_grad)  # fmt: skip


functions.update({name: globals()[name] for name in __all__})
