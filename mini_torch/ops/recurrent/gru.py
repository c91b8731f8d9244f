"""GRU in one direction. Source: Cho et al. 2014."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import fused
from ...tensor import Tensor
from ..linalg.products import linear, rows_product
from ..split import chunk
from .steps import Sizes, looped, steps_of, turned

__all__ = ["gru_sweep"]


def _halve(a: Any) -> None:
    """σ in place, as (1 + tanh(a/2)) / 2: NumPy's tanh has no branches, and nothing overflows."""
    a *= 0.5
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5


# x (R, 3H): the inputs' part of the gates r, z, n; w (3H, H), b (3H).
def _gru_forward(
    keep: bool, x: Any, w: Any, b: Any, h0: Any, sizes: Sizes, reverse: bool, last: dict[str, Any]
) -> tuple[Any, Any]:
    size, rows = h0.shape[1], len(x) if keep else max(sizes)
    gates = np.empty((rows, 3 * size), x.dtype)
    prev, inner = np.empty((rows, size), x.dtype), np.empty((rows, size), x.dtype)
    hs = np.empty((len(x), size), x.dtype)
    h, upright = h0.copy(), turned(w, sizes)
    for step, n in steps_of(sizes, reverse):
        at = step if keep else slice(n)
        prev[at] = h[:n]
        hidden = np.matmul(h[:n], upright)
        hidden += b
        inner[at] = hidden[:, 2 * size :]
        doors, new = gates[at, : 2 * size], gates[at, 2 * size :]
        np.add(x[step, : 2 * size], hidden[:, : 2 * size], out=doors)
        _halve(doors)
        np.multiply(doors[:, :size], inner[at], out=new)
        new += x[step, 2 * size :]
        np.tanh(new, out=new)
        out = h[:n]
        out -= new
        out *= doors[:, size:]
        out += new
        hs[step] = out
    last.update(h=h)
    return hs, (gates, inner, prev)


def _gru_pull(
    gs: Any, kept: Any, wanted: Any, x: Any, w: Any, b: Any, h0: Any, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of x, w, b and h0."""
    (g_hs, g_h), (gates, inner, prev) = gs, kept
    rows, size = prev.shape
    r, z, new = (gates[:, k * size : (k + 1) * size] for k in range(3))
    of_new = (1 - z) * (1 - new * new)
    slopes = np.stack([of_new * inner * r * (1 - r), (prev - new) * z * (1 - z), of_new * r], axis=1)
    d_hidden, d_hs = np.empty((rows, 3, size), gates.dtype), np.empty((rows, size), gates.dtype)
    flat, dh = d_hidden.reshape(rows, 3 * size), np.zeros_like(h0) if g_h is None else g_h.copy()
    for step, n in reversed(steps_of(sizes, reverse)):
        d, kept_d = dh[:n], d_hs[step]
        if g_hs is not None:
            d += g_hs[step]
        kept_d[...] = d
        np.multiply(slopes[step], d[:, None], out=d_hidden[step])
        np.matmul(flat[step], w, out=d)
        kept_z = kept_d * z[step]
        d += kept_z
    dx = flat.copy()
    np.multiply(of_new, d_hs, out=dx[:, 2 * size :])
    return dx, rows_product(flat, prev), np.add.reduce(flat, axis=0), dh


def _gru_step(x: Any, w: Any, b: Any, h: Any) -> tuple[Any]:
    (xr, xz, xn), (hr, hz, hn) = chunk(x, 3, 1), chunk(linear(h, w, b), 3, 1)
    new = (xn + (xr + hr).sigmoid() * hn).tanh()
    return ((h - new) * (xz + hz).sigmoid() + new,)


def _gru_plain(x: Any, w: Any, b: Any, h0: Any, /, sizes: Sizes, reverse: bool) -> list[Tensor]:
    return looped(_gru_step, x, [w, b], [h0], sizes, reverse)


gru_sweep = fused("gru", _gru_forward, _gru_pull, _gru_plain, further=("h",))
