"""Elman's network in one direction, with tanh or relu. Source: Elman 1990."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import fused
from ...tensor import Tensor
from ..linalg.products import rows_product
from .steps import Sizes, looped, steps_of, turned

__all__ = ["elman_sweep"]


def _elman_forward(
    keep: bool, x: Any, w: Any, h0: Any, relu: bool, sizes: Sizes, reverse: bool, last: dict[str, Any]
) -> tuple[Any, Any]:
    hs, prev = np.empty(x.shape, x.dtype), np.empty((len(x) if keep else 0, h0.shape[1]), x.dtype)
    h, upright = h0.copy(), turned(w, sizes)
    for step, n in steps_of(sizes, reverse):
        if keep:
            prev[step] = h[:n]
        a = np.matmul(h[:n], upright, out=hs[step])
        a += x[step]
        h[:n] = np.maximum(a, 0, out=a) if relu else np.tanh(a, out=a)
    last.update(h=h)
    if not keep:
        return hs, None
    # Now, as hs is the caller's, who may change it in place.
    return hs, ((hs > 0).astype(hs.dtype) if relu else 1 - hs * hs, prev)


def _elman_pull(
    gs: Any, kept: Any, wanted: Any, x: Any, w: Any, h0: Any, relu: bool, sizes: Sizes, reverse: bool
) -> tuple[Any, ...]:
    """The gradients of x, w and h0."""
    (g_hs, g_h), (slopes, prev) = gs, kept
    dx, dh = np.empty_like(slopes), np.zeros_like(h0) if g_h is None else g_h.copy()
    for step, n in reversed(steps_of(sizes, reverse)):
        d = dh[:n]
        if g_hs is not None:
            d += g_hs[step]
        np.multiply(slopes[step], d, out=dx[step])
        np.matmul(dx[step], w, out=d)
    return dx, rows_product(dx, prev), dh


def _elman_plain(x: Any, w: Any, h0: Any, /, relu: bool, sizes: Sizes, reverse: bool) -> list[Tensor]:
    def step(x: Any, w: Any, h: Any) -> tuple[Any]:
        a = x + h @ w.T
        return (a.relu() if relu else a.tanh(),)

    return looped(step, x, [w], [h0], sizes, reverse)


elman_sweep = fused("rnn", _elman_forward, _elman_pull, _elman_plain, further=("h",))
