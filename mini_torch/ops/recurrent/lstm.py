"""LSTM in one direction. Source: Hochreiter and Schmidhuber 1997; Sak, Senior, Beaufays 2014 (projections).

All gates' σ and tanh are one call of tanh at each step, since σ(a) = (1 + tanh(a/2)) / 2: the weights that lead to
σ-gates are halved ahead, which loses nothing, as it is a power of two. Each gate lies by itself, (4, rows, H), and has
a product of matrices of its own: BLAS is quickest for four small ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import fused
from ...tensor import Tensor
from ..linalg.products import linear
from ..reduction.sums import ones_of
from ..split import chunk
from .steps import Sizes, looped, steps_of, stretches

__all__ = ["lstm_sweep"]

_STRETCH = 1 << 18  # bytes of gates that stay in the cache while the steps go over them


# x (R, k), w_ih (4H, k), w_hh (4H, P), b (4H) or None, v (P, H) or None: no projection, P = H; gates i, f, g, o.
def _lstm_forward(
    keep: bool, x: Any, w_ih: Any, w_hh: Any, b: Any, h0: Any, c0: Any, v: Any, sizes: Sizes, reverse: bool,
    last: dict[str, Any],
) -> tuple[Any, Any]:  # fmt: skip
    size, rows, most = c0.shape[1], len(x), max(sizes)
    halves = np.array([0.5, 0.5, 1, 0.5], x.dtype).reshape(4, 1, 1)
    shifts = 1 - halves
    upright = _upright(w_hh, halves, sizes)
    gates = np.matmul(x, _upright(w_ih, halves, sizes))
    if b is not None:
        gates += b.reshape(4, 1, size) * halves
    hs, h, c = np.empty((rows, w_hh.shape[1]), x.dtype), h0.copy(), c0.copy()
    prev, before, tanhs = (np.empty((rows if keep else most, n), x.dtype) for n in (w_hh.shape[1], size, size))
    of_h, added = np.empty((4, most, size), x.dtype), np.empty((most, size), x.dtype)
    for step, n in steps_of(sizes, reverse):
        at, state, cell = step if keep else slice(n), h[:n], c[:n]
        prev[at], before[at] = state, cell
        a = np.matmul(state, upright, out=of_h[:, :n])
        a += gates[:, step]
        np.tanh(a, out=a)
        a *= halves
        i, f, g, o = np.add(a, shifts, out=gates[:, step])
        cell *= f
        cell += np.multiply(i, g, out=added[:n])
        out = np.multiply(o, np.tanh(cell, out=tanhs[at]), out=added[:n])
        hs[step] = state[...] = out if v is None else np.matmul(out, v.T)
    last.update(h=h, c=c)
    return hs, (gates, before, tanhs, prev)


def _upright(w: Any, halves: Any, sizes: Sizes) -> Any:
    """w (4H, k) as (4, k, H), halved where σ wants it; upright in memory, too, where there are steps enough."""
    turned = w.reshape(4, -1, w.shape[1]).swapaxes(1, 2)
    return np.multiply(turned, halves, order="C" if len(sizes) > 2 else "K")


def _lstm_pull(
    gs: Any, kept: Any, wanted: Any, x: Any, w_ih: Any, w_hh: Any, b: Any, h0: Any, c0: Any, v: Any, sizes: Sizes,
    reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """The gradients of x, w_ih, w_hh, b, h0, c0 and v."""
    (g_hs, g_h, g_c), (gates, before, tanhs, prev) = gs, kept
    size = c0.shape[1]
    dh, dc = (np.zeros_like(x) if g is None else g.copy() for g, x in ((g_h, h0), (g_c, c0)))
    d_gates, d_hs, by_cell = np.empty_like(gates), np.zeros_like(prev), np.empty_like(tanhs)
    across, of_h, added = w_hh.reshape(4, size, -1), np.empty((4, *h0.shape), x.dtype), np.empty_like(c0)
    for rows, steps in stretches(steps_of(sizes, reverse)[::-1], _STRETCH // (4 * size * x.itemsize)):
        _slopes(gates[:, rows], before[rows], tanhs[rows], d_gates[:, rows], by_cell[rows])
        for step, n in steps:
            d, d_cell = dh[:n], dc[:n]
            if g_hs is not None:
                d += g_hs[step]
            if v is not None:
                d_hs[step] = d
            d_out = d if v is None else np.matmul(d, v)
            d_cell += np.multiply(d_out, by_cell[step], out=added[:n])
            d_gate = d_gates[:, step]
            d_gate[:3] *= d_cell
            d_gate[3] *= d_out
            d_cell *= gates[1, step]
            np.add.reduce(np.matmul(d_gate, across, out=of_h[:, :n]), axis=0, out=d)
    d_weights = [_pulled_weight(d_gates, rows) if want else None for rows, want in zip((x, prev), wanted[1:])]
    return (
        _pulled_input(d_gates, w_ih) if wanted[0] else None, *d_weights, _pulled_bias(d_gates) if wanted[3] else None,
        dh, dc, np.matmul(d_hs.T, gates[3] * tanhs) if v is not None else None,
    )  # fmt: skip


def _slopes(gates: Any, before: Any, tanhs: Any, d_gates: Any, by_cell: Any) -> None:
    """Into d_gates: by what the gradient of c (for o: of h) is to be multiplied to be that of what each gate is made
    of. Into by_cell: the same from h to c, o (1 - tanh²(c))."""
    i, _, g, o = gates
    np.multiply(gates, gates, out=d_gates)
    for k in (0, 1, 3):
        np.subtract(gates[k], d_gates[k], out=d_gates[k])
    np.subtract(1, d_gates[2], out=d_gates[2])
    for slope, factor in zip(d_gates, (g, before, i, tanhs)):  # what each gate is multiplied with
        slope *= factor
    np.multiply(tanhs, tanhs, out=by_cell)
    np.subtract(1, by_cell, out=by_cell)
    by_cell *= o


def _pulled_weight(d_gates: Any, rows: Any) -> Any:
    """Σ over the rows of d_gates (4, R, H) · rows (R, k): (4H, k)."""
    out = np.empty((4 * d_gates.shape[2], rows.shape[1]), rows.dtype)
    if len(rows) == 1:
        return np.multiply(d_gates.reshape(-1, 1), rows, out=out)  # `matmul` keeps it from BLAS, and takes longer
    np.matmul(d_gates.swapaxes(1, 2), rows, out=out.reshape(4, -1, rows.shape[1]))
    return out


def _pulled_input(d_gates: Any, w_ih: Any) -> Any:
    return np.add.reduce(np.matmul(d_gates, w_ih.reshape(4, -1, w_ih.shape[1])), axis=0)


def _pulled_bias(d_gates: Any) -> Any:
    rows = d_gates.shape[1]
    return np.matmul((ones_of if rows <= 4096 else np.ones)(rows, d_gates.dtype), d_gates).reshape(-1)


def _lstm_plain(
    x: Any, w_ih: Any, w_hh: Any, b: Any, h0: Any, c0: Any, v: Any, /, sizes: Sizes, reverse: bool
) -> list[Tensor]:
    return looped(_lstm_step, linear(x, w_ih, b), [w_hh, v], [h0, c0], sizes, reverse)


def _lstm_step(x: Any, w: Any, v: Any, h: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = chunk(x + h @ w.T, 4, 1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if v is None else h @ v.T), c


lstm_sweep = fused("lstm", _lstm_forward, _lstm_pull, _lstm_plain, further=("h", "c"))
