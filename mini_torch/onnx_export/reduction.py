"""Reductions, running sums, the largest and where it stands, sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Builder, NoTranslation, Wire
from .table import kernel, numpy, numpy_calls, row, rows

__all__: list[str] = []


def _axes(x: Wire, axis: Any) -> list[int]:
    """An axis, several, or None for all, counted from the front."""
    given = range(x.rank) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    return [int(a) % max(x.rank, 1) for a in given]


def reduced(b: Builder, op: str, x: Wire, axis: Any, keepdims: bool) -> Wire:
    """A reduction over some axes."""
    axes = _axes(x, axis)
    if not axes:  # nothing is reduced (without axes, ONNX would reduce all)
        return x
    kind = x.dtype
    if kind.kind in "biu" and kind.itemsize < 4:
        x = b.cast(x, np.int32)
    out: Wire = b.op(op, x, None if len(axes) == x.rank else b.ints(axes), keepdims=int(keepdims))
    shape = x.shape or ()
    out.shape = tuple([1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes])
    return b.cast(out, kind)


def _reduction(op: str, own_type: bool) -> Any:
    def translation(b: Builder, x: Wire, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
                    initial: Any = None, where: Any = None) -> Wire:  # fmt: skip
        kind = b.outs[0][1] if own_type else x.dtype
        made = reduced(b, op, b.cast(x, kind), axis, keepdims)
        if initial is None:
            return made
        return b.op({"ReduceSum": "Add", "ReduceProd": "Mul", "ReduceMax": "Max", "ReduceMin": "Min"}[op], made,
                    b.constant(initial, kind))  # fmt: skip

    return translation


for _ufunc, _op in {"add": "ReduceSum", "multiply": "ReduceProd"}.items():
    numpy_calls[f"{_ufunc}.reduce"] = _reduction(_op, True)
for _ufunc, _op in {"maximum": "ReduceMax", "minimum": "ReduceMin"}.items():
    numpy_calls[f"{_ufunc}.reduce"] = _reduction(_op, False)
for _name, _op in {"sum": "ReduceSum", "prod": "ReduceProd", "mean": "ReduceMean"}.items():
    def _over_all(b: Builder, x: Wire, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False,
                  op: str = _op) -> Wire:  # fmt: skip
        return reduced(b, op, b.cast(x, b.outs[0][1]), axis, keepdims)

    numpy_calls[_name] = _over_all
for _name, _op in {"max": "ReduceMax", "amax": "ReduceMax", "min": "ReduceMin", "amin": "ReduceMin"}.items():
    def _extreme(b: Builder, x: Wire, axis: Any = None, out: Any = None, keepdims: bool = False,
                 op: str = _op) -> Wire:  # fmt: skip
        return reduced(b, op, x, axis, keepdims)

    numpy_calls[_name] = _extreme


def _row_reduction(op: str) -> Any:
    def translation(b: Builder, x: Wire, axes: Any = None, keepdim: bool = False) -> Wire:
        return reduced(b, op, b.cast(x, b.outs[0][1]), axes, keepdim)

    return translation


for _name, _op in {
    "sum": "ReduceSum", "mean": "ReduceMean", "amax": "ReduceMax", "amin": "ReduceMin", "max_all": "ReduceMax",
    "min_all": "ReduceMin", "logsumexp": "ReduceLogSumExp", "prod": "ReduceProd",
}.items():  # fmt: skip
    rows[_name] = _row_reduction(_op)


@row("norm")
def _norm(b: Builder, x: Wire, p: Any, axes: Any, keepdim: bool) -> Wire:
    if p not in (1, 2):
        raise NoTranslation(f"its order is {p}")
    return reduced(b, f"ReduceL{int(p)}", x, axes, keepdim)


@numpy("logical_or.reduce", "logical_and.reduce", "any", "all")
def _any_all(b: Builder, x: Wire, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Wire:
    op = "ReduceMax" if b.what in ("logical_or.reduce", "any") else "ReduceMin"
    return b.cast(reduced(b, op, b.cast(b.cast(x, bool), np.int32), axis, keepdims), bool)


# ---- running sums ----------------------------------------------------------------------------------------------------
@row("cumsum")
def _cumsum(b: Builder, x: Wire, axis: int) -> Wire:
    return b.op("CumSum", b.cast(x, b.outs[0][1]), b.constant(axis, np.int64))


@numpy("cumsum", "add.accumulate")
def _np_cumsum(b: Builder, x: Wire, axis: Any = None, dtype: Any = None, *_: Any) -> Wire:
    axis = 0 if axis is None and x.rank == 1 else axis
    if axis is None:
        axis = 0
        x = b.reshape(x, (x.size,))
    return _cumsum(b, x, axis)


# ---- where they stand ------------------------------------------------------------------------------------------------
def _nans_last(b: Builder, x: Wire) -> Wire:
    """Bools and small ints in a type that is searched everywhere."""
    return x if x.dtype.kind == "f" or x.dtype in (np.int32, np.int64) else b.cast(x, np.int32)


@kernel("_found")
def _found(b: Builder, find: Any, x: Wire, axis: Any = None) -> Wire:
    name = getattr(find, "__name__", "")
    if name not in ("argmax", "argmin"):
        raise NoTranslation("it looks for what ONNX does not (a median, a mode)")
    return _arg(b, name, x, axis, False)


def _arg(b: Builder, name: str, x: Wire, axis: Any, keepdims: bool) -> Wire:
    if axis is None:
        x, axis = b.reshape(x, (x.size,)), 0
    out: Wire = b.op("ArgMax" if name == "argmax" else "ArgMin", _nans_last(b, x), axis=axis, keepdims=int(keepdims))
    out.dtype = np.dtype(np.int64)
    return out


@numpy("argmax", "argmin")
def _np_arg(b: Builder, x: Wire, axis: Any = None, out: Any = None, keepdims: bool = False) -> Wire:
    return _arg(b, b.what, x, axis, keepdims)


def _top(b: Builder, x: Wire, k: int, axis: int, largest: bool) -> Wire:
    """Where the k largest stand, in order."""
    shape = x.shape or ()
    _, index = b.op("TopK", _nans_last(b, x), b.ints([k]), count=2, axis=axis, largest=int(largest))
    index.dtype, index.shape = np.dtype(np.int64), (*shape[:axis], k, *shape[axis + 1 :])
    out: Wire = index
    return out


@kernel("_largest")
def _topk(b: Builder, x: Wire, k: int, axis: int, largest: bool) -> Wire:
    return _top(b, x, k, axis, largest)


@numpy("argsort")
def _argsort(b: Builder, x: Wire, axis: int = -1, kind: Any = None, *_: Any) -> Wire:
    axis %= x.rank
    return _top(b, x, x.dims[axis], axis, False)


@numpy("sort")
def _sort(b: Builder, x: Wire, axis: int = -1, *_: Any, **__: Any) -> Wire:
    axis %= x.rank
    values, _index = b.op("TopK", x, b.ints([x.dims[axis]]), count=2, axis=axis, largest=0)
    out: Wire = values
    return out
