"""Elman's network in one direction, with tanh or relu. Source: Elman 1990."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph import unit
from ...op import quiet, several
from ...tensor import Tensor
from ..linalg.products import rows_product
from .steps import Sizes, replayed, shared, steps_of, turned

__all__ = ["elman_sweep"]


@quiet
def _elman_forward(
    x: Any, w: Any, h0: Any, relu: bool, sizes: Sizes, reverse: bool, keep: bool, once: dict[int, Any]
) -> tuple[Any, ...]:
    hs, prev = np.empty(x.shape, x.dtype), np.empty((len(x) if keep else 0, h0.shape[1]), x.dtype)
    h, upright = h0.copy(), turned(w, sizes)
    for step, n in steps_of(sizes, reverse):
        if keep:
            prev[step] = h[:n]
        a = np.matmul(h[:n], upright, out=hs[step])
        a += x[step]
        h[:n] = np.maximum(a, 0, out=a) if relu else np.tanh(a, out=a)
    if not keep:
        return hs, h, prev, prev
    # Now, as hs is the caller's, who may change it in place.
    return hs, h, (hs > 0).astype(hs.dtype) if relu else 1 - hs * hs, prev


@unit
@quiet
def _elman_pull(
    grads: tuple[Any, Any], w: Any, kept: tuple[Any, Any], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of x, w and h0."""
    slopes, prev = kept
    dx, dh = np.empty_like(slopes), grads[1].copy()
    for step, n in reversed(steps_of(sizes, reverse)):
        d = dh[:n]
        d += grads[0][step]
        np.multiply(slopes[step], d, out=dx[step])
        np.matmul(dx[step], w, out=d)
    return dx, rows_product(dx, prev), dh


def _elman_step(x: Any, w: Any, relu: bool, h: Any) -> tuple[Any]:
    a = x + h @ w.T
    return (a.relu() if relu else a.tanh(),)


def _elman_formula(index: int) -> Callable[..., Any]:
    def formula(
        g_hs: Any, g_h: Any, x: Any, w: Any, h0: Any, slopes: Any, prev: Any, relu: bool, sizes: Sizes, reverse: bool,
        once: dict[int, Any],
    ) -> Any:  # fmt: skip
        def pull() -> Sequence[Any]:
            if not isinstance(w, Tensor):
                return _elman_pull((g_hs, g_h), w, (slopes, prev), sizes, reverse)
            step = lambda x, w, h: _elman_step(x, w, relu, h)  # noqa: E731
            return replayed(step, (x, w, h0), 1, (g_hs, g_h), sizes, reverse)

        return shared(once, index, pull)

    return formula


elman_sweep = several(
    "rnn", _elman_forward, ("hs", "h"), kept=("slopes", "prev"),
    x=_elman_formula(0), w=_elman_formula(1), h0=_elman_formula(2),
)  # fmt: skip
