"""LSTM in one direction. Source: Hochreiter and Schmidhuber 1997; Sak, Senior, Beaufays 2014 (projections)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph import unit
from ...op import quiet, several
from ...tensor import Tensor
from ..linalg.products import rows_product
from ..split import chunk
from .steps import Sizes, replayed, shared, steps_of, turned

__all__ = ["lstm_sweep"]


# x (R, 4H): the inputs' part of the gates i, f, g, o; w (4H, P), v (P, H) or empty: no projection, P = H.
@quiet
def _lstm_forward(
    x: Any, w: Any, h0: Any, c0: Any, v: Any, sizes: Sizes, reverse: bool, keep: bool, once: dict[int, Any]
) -> tuple[Any, ...]:
    size, rows = c0.shape[1], len(x) if keep else max(sizes)
    gates, before, tanhs = (np.empty((rows, n), x.dtype) for n in (4 * size, size, size))
    prev = np.empty((rows, w.shape[1]), x.dtype)
    hs = np.empty((len(x), w.shape[1]), x.dtype)
    # σ as a tanh, so that one call serves all gates, see `_halve`. For every row: twice as fast as one row for all.
    scales = np.full((max(sizes), 4 * size), 0.5, x.dtype)
    scales[:, 2 * size : 3 * size] = 1
    shifts = 1 - scales
    h, c, upright = h0.copy(), c0.copy(), turned(w, sizes)
    for step, n in steps_of(sizes, reverse):
        at = step if keep else slice(n)
        prev[at], before[at] = h[:n], c[:n]
        scale, shift = scales[:n], shifts[:n]
        a = np.matmul(h[:n], upright, out=gates[at])
        a += x[step]
        a *= scale
        np.tanh(a, out=a)
        a *= scale
        a += shift
        cell = c[:n]
        cell *= a[:, size : 2 * size]
        cell += a[:, :size] * a[:, 2 * size : 3 * size]
        out = np.tanh(cell, out=tanhs[at]) * a[:, 3 * size :]
        hs[step] = h[:n] = np.matmul(out, v.T) if v.size else out
    return hs, h, c, gates, before, tanhs, prev


@unit
@quiet
def _lstm_pull(
    grads: tuple[Any, Any, Any], w: Any, v: Any, kept: tuple[Any, Any, Any, Any], sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of x, w, h0, c0 and v."""
    gates, before, tanhs, prev = kept
    rows, size = before.shape
    i, f, g, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
    slopes = gates * (1 - gates)
    slopes[:, 2 * size : 3 * size] = 1 - g * g
    slopes *= np.concatenate([g, before, i, tanhs], axis=1)  # by what each gate is multiplied
    slopes = slopes.reshape(rows, 4, size)
    inner = o * (1 - tanhs * tanhs)
    d_gates, d_hs = np.empty((rows, 4, size), gates.dtype), np.empty(prev.shape if v.size else 0, gates.dtype)
    flat, dh, dc = d_gates.reshape(rows, 4 * size), grads[1].copy(), grads[2].copy()
    for step, n in reversed(steps_of(sizes, reverse)):
        d, d_cell = dh[:n], dc[:n]
        d += grads[0][step]
        if v.size:
            d_hs[step] = d
        d_out = np.matmul(d, v) if v.size else d
        d_cell += d_out * inner[step]
        np.multiply(slopes[step, :3], d_cell[:, None], out=d_gates[step, :3])
        np.multiply(slopes[step, 3], d_out, out=d_gates[step, 3])
        d_cell *= f[step]
        np.matmul(flat[step], w, out=d)
    return flat, rows_product(flat, prev), dh, dc, np.matmul(d_hs.T, o * tanhs) if v.size else None


def _lstm_step(x: Any, w: Any, v: Any, h: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = chunk(x + h @ w.T, 4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h @ v.T if v._array.size else h), c


def _lstm_formula(index: int) -> Callable[..., Any]:
    def formula(
        g_hs: Any, g_h: Any, g_c: Any, x: Any, w: Any, h0: Any, c0: Any, v: Any, gates: Any, before: Any, tanhs: Any,
        prev: Any, sizes: Sizes, reverse: bool, once: dict[int, Any],
    ) -> Any:  # fmt: skip
        grads = g_hs, g_h, g_c

        def pull() -> Sequence[Any]:
            if not isinstance(w, Tensor):
                return _lstm_pull(grads, w, v, (gates, before, tanhs, prev), sizes, reverse)
            dx, dw, dv, dh, dc = replayed(_lstm_step, (x, w, v, h0, c0), 2, grads, sizes, reverse)
            return dx, dw, dh, dc, dv

        return shared(once, index, pull)

    return formula


lstm_sweep = several(
    "lstm", _lstm_forward, ("hs", "h", "c"), kept=("gates", "before", "tanhs", "prev"),
    x=_lstm_formula(0), w=_lstm_formula(1), h0=_lstm_formula(2), c0=_lstm_formula(3), v=_lstm_formula(4),
)  # fmt: skip
