"""NumPy without its floating-point warnings: log(0) is -inf in PyTorch, 1e38 · 10 is inf, and neither is news.

NumPy's switch, `np.errstate`, takes longer than a small product. But from NumPy 2 on it is a context variable, so a
function can be run in a context of our own in which it has been off from the start: a tenth of the cost, and nobody
else's setting is touched. A context holds one caller at a time. Who finds it taken, by another thread or by a quiet
function further out, uses the switch.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["hushed", "in_quiet", "quiet"]


def _quiet_context() -> Callable[..., Any]:
    """`run(function, *args)` of a context in which NumPy is quiet.

    And in which it copies an operand that is broadcast, to have longer stretches to work on, only where rows are so
    short that this helps: its own 8192 elements cost rows of 500 to 8000 elements half of their speed.
    """
    context = contextvars.Context()
    context.run(np.seterr, all="ignore")
    context.run(np.setbufsize, 1024)
    return context.run


_own_switch = int(np.__version__.partition(".")[0]) >= 2  # before, the switch was the thread's
_run = _quiet_context() if _own_switch else None


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without warnings, for any function of arrays."""
    run = _run

    @functools.wraps(function)
    def silent(*args: Any) -> Any:
        if run is not None:
            try:
                return run(function, *args)
            except RuntimeError:  # the context is taken (or the function means it, and will say so again)
                pass
        with np.errstate(all="ignore"):
            return function(*args)

    silent.plain = function  # type: ignore[attr-defined]  # for `Row`, which hushes it
    return silent


def hushed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without warnings, at least cost. RuntimeError if the context is taken: then use `np.errstate`."""
    if _run is not None:
        return functools.partial(_run, function)
    if isinstance(function, np.ufunc):
        return functools.partial(function, extobj=[np.getbufsize(), 0, None])  # what NumPy 1 had for the purpose
    return quiet(function)


def in_quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, always run without warnings, in a context of its own: for one that runs once at a time."""
    if _own_switch:
        return functools.partial(_quiet_context(), function)

    def switched(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return switched
