"""Attention block by block: what is between the scores and the result is never held as a whole.

For every query and key there is a weight, and all of them together would leave the cache, if not the memory. So they
are made for a few queries at a time, used, and made again in backward, from the logarithm of their sum that is kept
per query. Source: Dao et al. 2022, "FlashAttention". With s the scores, w = exp(s - log Σ exp s) the weights and o
their mean of the values v, backward is

    dv = wᵀ g        ds = w (g vᵀ - Σ g o)        dq = ds k        dk = dsᵀ q

where both differences are made by the matrix products, which take one column more: (q, -log Σ)·(k, 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..graph import sum_to_shape
from .reduction.sums import sums_of_rows
from .softmax import needs_no_shift

__all__ = ["Blocks", "causal_bias", "gradient_of"]

_BLOCK = 1 << 19  # bytes of weights at a time

Index = tuple[slice, ...]


def _parts(shape: tuple[int, ...], bytes_each: int) -> Iterator[Index]:
    """Indices of parts of (…, L): as many along the first axis as fit a block, or else parts of each along the next."""
    one = bytes_each * math.prod(shape[1:])
    step = _BLOCK // one if one else shape[0]
    if step or len(shape) == 1:
        for start in range(0, shape[0], max(step, 1)):
            yield (slice(start, start + max(step, 1)), *[slice(None)] * (len(shape) - 1))
        return
    for start in range(shape[0]):
        for rest in _parts(shape[1:], bytes_each):
            yield (slice(start, start + 1), *rest)


def causal_bias(start: int, stop: int, count: int, kind: Any) -> Any:
    """For queries start … stop - 1: -inf at the keys that come after them."""
    return np.where(np.tri(stop - start, count, start, dtype=bool), 0, -np.inf).astype(kind)


def _moderate(bias: Any) -> bool:
    """Whether the bias leaves every query a key at which it is small: exp needs no shift for its sake."""
    peaks = np.maximum.reduce(bias, axis=-1)
    return needs_no_shift(np.where(np.isneginf(peaks), 0, peaks))


def _with_column(x: Any, column: Any) -> Any:
    out = np.empty((*x.shape[:-1], x.shape[-1] + 1), x.dtype)
    out[..., :-1], out[..., -1:] = x, column
    return out


def _as_batch(x: Any, batch: tuple[int, ...]) -> Any:
    return x if x.shape[:-2] == batch else np.broadcast_to(x, batch + x.shape[-2:])


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


class Blocks:
    """q (…, L, E), k (…, S, E), v (…, S, Eᵥ) and a bias (…, L, S) or None; what comes first broadcasts.

    They may lie in memory in any way, as long as rows are whole: BLAS takes each head where it is.
    """

    def __init__(self, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool) -> None:
        given = [x for x in (q, k, v, bias) if x is not None]
        self.given = np.broadcast_shapes(*[x.shape[:-2] for x in given])  # without a batch, there is one of 1
        self.batch = self.given or (1,)
        kind = np.result_type(q.dtype, np.float32)  # float16 is computed in float32
        q, k, v = (_as_batch(x, self.batch).astype(kind, copy=False) for x in (q, k, v))
        self.q, self.k, self.v, self.scale, self.causal = q, k, v, kind.type(scale), causal
        self.scores_shape = (*self.batch, q.shape[-2], k.shape[-2])
        self.bias = None if bias is None else np.broadcast_to(bias, self.scores_shape).astype(kind, copy=False)
        self.moderate = bias is None or not bias.size or _moderate(bias)

    def parts(self) -> Iterator[tuple[Index, Index]]:
        """The index of each block's queries, and that of the keys that they may look at."""
        length, count = self.scores_shape[-2:]
        if not math.prod(self.scores_shape):
            return
        for at in _parts(self.scores_shape[:-1], count * self.q.itemsize):
            seen = min(at[-1].indices(length)[1], count) if self.causal else count
            yield at, (*at[:-1], slice(seen))

    def _add_bias(self, scores: Any, at: Index) -> None:
        if self.bias is not None:
            scores += self.bias[at]
        if self.causal:  # only the last keys are hidden from some of the block's queries
            start, stop, _ = at[-1].indices(self.scores_shape[-2])
            hidden = scores[..., start:]
            hidden += causal_bias(0, stop - start, hidden.shape[-1], scores.dtype)

    def forward(self, out: Any) -> Any:
        """Writes the result into `out` (…, L, Eᵥ); returns log Σ exp of each query's scores (…, L, 1)."""
        logs = np.full((*self.scores_shape[:-1], 1), np.inf, self.q.dtype)
        if not self.k.shape[-2]:
            out[...] = 0
        for at, seen in self.parts():
            w = np.matmul(self.q[at] * self.scale, _turned(self.k[seen]))
            near = self.moderate and needs_no_shift(w)
            self._add_bias(w, at)
            peak: Any = 0
            if not near:  # the usual way, which takes two more passes
                peak = np.maximum.reduce(w, axis=-1, keepdims=True)
                peak = np.where(np.isneginf(peak), 0, peak)
                w -= peak
            np.exp(w, out=w)
            total = sums_of_rows(w)[..., None]
            found = np.matmul(w, self.v[seen], out=out[at])
            blind = total == 0  # a query that may look at nothing finds 0
            found /= np.where(blind, 1, total)
            logs[at] = np.where(blind, np.inf, peak + np.log(total))
        return logs

    def backward(self, g: Any, out: Any, logs: Any, grads: tuple[Any, Any, Any], d_bias: Any) -> None:
        """Writes the gradients of q, k and v into `grads`, and adds that of the bias to `d_bias`, if it is given."""
        dq, dk, dv = grads
        queries = _with_column(self.q * self.scale, -logs)
        pulled = _with_column(g, -np.matmul(g[..., None, :], out[..., None])[..., 0])
        keys, values = (_turned(_with_column(x, 1)) for x in (self.k, self.v))
        whole = all(at[-1] == slice(None) for at, _ in self.parts())
        if not whole or self.causal or not math.prod(self.scores_shape):  # there is what is added up, or not reached
            for d in grads:
                d[...] = 0
        for at, seen in self.parts():
            columns = (*seen[:-1], slice(None), seen[-1])
            w = np.matmul(queries[at], keys[columns])
            self._add_bias(w, at)
            np.exp(w, out=w)
            ds = np.matmul(pulled[at], values[columns])
            ds *= w
            if d_bias is not None:
                _add_over(d_bias, ds, (*at, seen[-1]))
            np.matmul(ds, self.k[seen], out=dq[at])
            for d, left, right in ((dv, w, pulled), (dk, ds, queries)):
                if whole:
                    np.matmul(_turned(left), right[at][..., :-1], out=d[seen])
                else:
                    d[seen] += np.matmul(_turned(left), right[at][..., :-1])
        dq *= self.scale


def _add_over(total: Any, part: Any, at: Index) -> None:
    """Adds a part, summed over the axes along which `total` has one value for all, where it belongs."""
    shared = tuple([axis for axis, n in enumerate(total.shape) if n == 1])
    place = tuple([slice(None) if axis in shared else i for axis, i in enumerate(at)])
    total[place] += np.add.reduce(part, axis=shared, keepdims=True) if shared else part


def gradient_of(d: Any, x: Any) -> Any:
    """A gradient in the shape and type of what it is the gradient of."""
    return (d if d.shape == x.shape else sum_to_shape(d, x.shape)).astype(x.dtype, copy=False)
