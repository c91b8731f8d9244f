"""The one door through which every operation goes, written out for a number of inputs.

`Row.apply(inputs, options)` runs the row's forward on the inputs' arrays and, where a gradient is wanted, records a
node. These are the hottest lines of the library, and a loop over two or three inputs takes longer than NumPy does for a
few numbers. So they are generated, once per number of inputs, as `plan.Plan` does with what comes after them.
"""

from __future__ import annotations

import functools
from textwrap import indent
from typing import Any

import numpy as np

from ..graph import Node, mode, watches
from ..saved import pack
from ..tensor import Tensor, make
from ..view import View

__all__ = ["door", "where_called"]

APPLY = """\
def opened(row, forward, has_rules, is_view, plans):
    def apply(inputs, options=()):
        {names} = inputs
        try:
            array = forward({arrays}, *options) if options else forward({arrays})
        except Exception:
            array = row.again(inputs, options)
        if type(array) is not ndarray:
            array = as_array(array, x0._array.dtype)
        out = new(Tensor)  # `make`, written out
        out._array = array
        out._cell = [0, 0]
        out._requires_grad = False
        out._node = out._grad = out._view = None
        if mode.enabled:
{recording}
        elif mode.inference:
            out._cell = make(Tensor, array)._cell
        if is_view:
            make_view(row, x0, options, out)
        return out

    def record(inputs, options, out):
        {names} = inputs
{record}

    return apply, record
"""

# A plan's key has bit i set where input i wants a gradient, and the bit above where the inputs are spread to one shape.
RECORD = """\
if {any_view}: refresh(inputs)
key = 0
{each_wanted}
if key and has_rules:
    {spread}
    (plans.get(key) or row.plan(key)).keep(inputs, options, out)
    if watches[0]: watch(out._node)
"""


def door(row: Any, count: int) -> tuple[Any, Any]:
    """`apply(inputs, options)` for a row of `count` inputs, and its last part `record(inputs, options, out)`: it
    puts a node behind `out` if one of the inputs wants a gradient."""
    return _door(count, row.broadcasts)(row, row.forward, bool(row.rules), row.view, row.plans)


@functools.cache
def _door(count: int, broadcasts: bool) -> Any:
    names = [f"x{i}" for i in range(count)]
    shapes = " == ".join(f"{x}._array.shape" for x in (names if count > 1 else ["x0", "out"]))
    record = RECORD.format(
        any_view=" or ".join(f"{x}._view is not None" for x in names),
        each_wanted="\n".join(f"if {x}._requires_grad: key += {1 << i}" for i, x in enumerate(names)),
        spread=f"if not ({shapes}): key += {1 << count}" if broadcasts else "",
    )
    source = APPLY.format(
        names="".join(f"{x}, " for x in names), arrays=", ".join(f"{x}._array" for x in names),
        record=indent(record, " " * 8), recording=indent(record, " " * 12),
    )  # fmt: skip
    scope = {
        "ndarray": np.ndarray, "new": object.__new__, "Tensor": Tensor, "make": make, "mode": mode, "refresh": _refresh,
        "as_array": _as_array, "make_view": _make_view, "watch": _watch,
        "watches": watches,
    }  # fmt: skip
    exec(compile(source, f"<the door for {count}>", "exec"), scope)
    return scope["opened"]


def _as_array(scalar: Any, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """NumPy's scalar, which is what it makes of 0-d arrays, as an array; a float stays as wide as the input was
    (NumPy 1 makes a float64 of a 0-d float32 and a Python number)."""
    if mode.recorder is not None and mode.recorder.holds(scalar):
        return scalar.astype(kind, copy=False) if scalar.scalar and kind.kind == "f" == scalar.dtype.kind else scalar
    return np.asarray(scalar, kind if kind.kind == "f" == scalar.dtype.kind else None)


def _refresh(inputs: tuple[Tensor, ...]) -> None:
    """Gives views of what was written to since the history that their base has now."""
    for x in inputs:
        if x._view is not None and x._view.generation != x._cell[1]:
            x._view.refresh(x)


def _make_view(row: Any, x: Tensor, options: tuple[Any, ...], out: Tensor) -> None:
    step = (row.function, options)
    if x._view is not None:
        base, steps = x._view.base, (*x._view.steps, step)
    else:
        base, steps = x, (step,)
    out._cell = x._cell
    out._view = View(base, steps)


def _watch(node: Node) -> None:
    if mode.hooks:
        pack(node)
    if mode.anomaly:
        node.notes = {"traceback": where_called()}


def where_called() -> str:
    """The calls that led to an operation."""
    import traceback  # here: a millisecond of every program's start, for those few that look for a NaN

    return "".join(traceback.format_list(traceback.extract_stack()[:-4]))
