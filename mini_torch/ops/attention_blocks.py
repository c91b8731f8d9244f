"""Attention block by block: what is between the scores and the result is never held as a whole.

For every query and key there is a weight, and all of them together would leave the cache, if not the memory. So they
are made for a few queries at a time, used, and made again in backward, from the logarithm of their sum that is kept
per query (unless they are no more than queries, keys and values: then they are kept themselves). Source: Dao et al.
2022, "FlashAttention". With s the scores, w = exp(s - log Σ exp s) the weights of the values v, backward is

    dv = wᵀ g        ds = w (g vᵀ - Σ w g vᵀ)        dq = ds k        dk = dsᵀ q

Of the products of two small matrices, BLAS takes twice as long for x yᵀ as for the others. So keys and values are
turned once, before there are blocks, and multiplied with the scale on the way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..broadcasting import sum_to_shape
from .reduction.sums import dots_of_rows, sums_of_rows
from .softmax import FAR, needs_no_shift

__all__ = ["Blocks", "causal_bias", "few_queries", "gradient_of"]

_BLOCK = 1 << 19  # bytes of weights at a time
_FEW_ROWS = 32  # of fewer, products take longer than those with keys in vain
_LEAST = math.exp(-FAR)

Index = tuple[slice, ...]


def _parts(shape: tuple[int, ...], bytes_each: int) -> Iterator[Index]:
    """Indices of parts of an array: as many along the first axis as fit a block, or parts of each along the next."""
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


@functools.lru_cache(8)
def _triangle(rows: int, columns: int, kind: Any) -> Any:
    return causal_bias(0, rows, columns, kind)


def _moderate(bias: Any) -> bool:
    """Whether the bias leaves every query a key at which it is small: exp needs no shift for its sake."""
    peaks = np.maximum.reduce(bias, axis=-1)
    return needs_no_shift(np.where(np.isneginf(peaks), 0, peaks))


def _as_batch(x: Any, batch: tuple[int, ...]) -> Any:
    return x if x.shape[:-2] == batch else np.broadcast_to(x, batch + x.shape[-2:])


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _columns(rows: Index) -> Index:
    return (*rows[:-1], slice(None), rows[-1])


def _usual(total: Any) -> bool:
    """Whether no sum of exponentials says that some were too large, or all too small."""
    return bool(np.minimum.reduce(total, axis=None) > _LEAST and np.maximum.reduce(total, axis=None) < 1 / _LEAST)


class Blocks:
    """q (…, L, E), k (…, S, E), v (…, S, Eᵥ) and a bias (…, L, S) or None; what comes first broadcasts.

    They may lie in memory in any way, as long as rows are whole: BLAS takes each head where it is.
    """

    def __init__(self, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool) -> None:
        given = [x for x in (q, k, v, bias) if x is not None]
        self.given = np.broadcast_shapes(*[x.shape[:-2] for x in given])  # without a batch, there is one of 1
        self.batch = self.given or (1,)
        kind = np.result_type(q.dtype, np.float32)  # float16 is computed in float32
        q, k, v = (x.astype(kind, copy=False) for x in (q, k, v))
        self.scale, self.causal = kind.type(scale), causal
        self.scores_shape = (*self.batch, q.shape[-2], k.shape[-2])
        self.own_keys, self.own_values = k, v
        self.q, self.k, self.v = (_as_batch(x, self.batch) for x in (q, k, v))
        self.few = math.prod(self.scores_shape) <= self.q.size + self.k.size + self.v.size
        self.bias = None if bias is None else np.broadcast_to(bias, self.scores_shape).astype(kind, copy=False)
        self.moderate = bias is None or not bias.size or _moderate(bias)

    def _pair(self, x: Any, y: Any, scale: Any) -> tuple[Any, Any]:
        """What to multiply for scale · x yᵀ, x having the queries' rows: to turn y pays for more than a few of them."""
        many = self.scores_shape[-2] > 8
        x, y = (x, np.multiply(_turned(y), scale, order="C")) if many else (x * scale, _turned(y))
        return _as_batch(x, self.batch), _as_batch(y, self.batch)

    @functools.cached_property
    def _scaled(self) -> tuple[Any, Any]:
        return self._pair(self.q, self.own_keys, self.scale)

    def parts(self) -> Iterator[tuple[Index, Index]]:
        """The index of each block's queries, and that of the keys that they may look at. The last queries come first,
        all batches of them: these look at every key that is looked at."""
        length, count = self.scores_shape[-2:]
        if not math.prod(self.scores_shape):
            return
        rows = max(_BLOCK // (count * self.q.itemsize), 1)
        if self.causal:  # the fewer at a time, the fewer keys are looked at in vain
            rows = min(rows, max(_FEW_ROWS, -(-length // 4)))
        for stop in range(length, 0, -rows):
            start = max(stop - rows, 0)
            seen = min(stop, count) if self.causal else count
            for batch in _parts(self.batch, (stop - start) * seen * self.q.itemsize):
                yield (*batch, slice(start, stop)), (*batch, slice(seen))

    def _add_bias(self, scores: Any, at: Index) -> None:
        if self.bias is not None:
            scores += self.bias[at]
        if self.causal:  # only the last keys are hidden from some of the block's queries
            start, stop, _ = at[-1].indices(self.scores_shape[-2])
            hidden = scores[..., start:]
            hidden += _triangle(stop - start, hidden.shape[-1], scores.dtype)

    def _scores(self, at: Index, seen: Index) -> Any:
        queries, keys = self._scaled
        w = np.matmul(queries[at], keys[_columns(seen)])
        self._add_bias(w, at)
        return w

    def _exponentials(self, at: Index, seen: Index, shift: bool) -> tuple[Any, Any, Any]:
        """exp(scores - peak), the sum of each query's, and the peak of its scores, or 0 without `shift`."""
        peak: Any = 0
        w = self._scores(at, seen)
        if shift:
            peak = np.maximum.reduce(w, axis=-1, keepdims=True)
            peak = np.where(np.isneginf(peak), 0, peak)
            w -= peak
        np.exp(w, out=w)
        return w, sums_of_rows(w)[..., None], peak

    def forward(self, out: Any, keep: bool) -> list[Any]:
        """Writes the result into `out` (…, L, Eᵥ). Returns what backward wants of each part: the weights where they
        take no more memory than q, k and v do, else log Σ exp of each query's scores."""
        kept = []
        if not self.k.shape[-2]:
            out[...] = 0
        shift = not self.moderate
        for at, seen in self.parts():
            w, total, peak = self._exponentials(at, seen, shift)
            if not (shift or _usual(total)):  # a shift takes two more passes; the sums show whether it was wanted
                shift = True
                w, total, peak = self._exponentials(at, seen, shift)
            blind = total == 0  # a query that may look at nothing finds 0
            share = 1 / np.where(blind, 1, total)
            if keep and self.few:
                w *= share
                np.matmul(w, self.v[seen], out=out[at])
                kept.append(w)
            else:
                np.multiply(np.matmul(w, self.v[seen]), share, out=out[at])
                kept.append(np.where(blind, np.inf, peak + np.log(total)))
        return kept

    def _weights(self, at: Index, seen: Index, kept: Any) -> Any:
        if self.few:
            return kept
        w = self._scores(at, seen)
        w -= kept
        return np.exp(w, out=w)

    def backward(self, g: Any, kept: list[Any], grads: tuple[Any, Any, Any], d_bias: Any) -> None:
        """Writes the gradients of q, k and v into `grads`, and adds that of the bias to `d_bias`, if it is given."""
        dq, dk, dv = grads
        scale = self.scale if d_bias is None else self.q.dtype.type(1)  # which the bias's gradient goes without
        pulled, values = self._pair(g, self.own_values, scale)
        length, count = self.scores_shape[-2:]
        if not kept or (self.causal and length < count):  # there are keys that no query looks at
            for d in grads:
                d[...] = 0
        for (at, seen), weights in zip(self.parts(), kept):
            w = self._weights(at, seen, weights)
            ds = np.matmul(pulled[at], values[_columns(seen)])
            ds -= dots_of_rows(w, ds)[..., None]
            ds *= w
            if d_bias is not None:
                _add_over(d_bias, ds, (*at, seen[-1]))
                ds *= self.scale
            np.matmul(ds, self.k[seen], out=dq[at])
            for d, left, right in ((dv, w, g), (dk, ds, self.q)):
                if at[-1].stop == length:  # the first to look at these keys
                    np.matmul(_turned(left), right[at], out=d[seen])
                else:
                    d[seen] += np.matmul(_turned(left), right[at])


def few_queries(q: Any, k: Any, v: Any, scale: float) -> Any:
    """The result for so few queries, without a bias, that there is one block, in the least number of steps: a token
    that is being generated is a query. None where there are more, or where the sums want what `Blocks` does for them.
    """
    kind, rows = q.dtype, q.shape[-2]
    if rows > 8 or kind.itemsize < 4 or not 0 < math.prod(q.shape[:-1]) * k.shape[-2] * kind.itemsize <= _BLOCK:
        return None
    w = np.matmul(q * kind.type(scale), _turned(k))
    np.exp(w, out=w)
    total = sums_of_rows(w)[..., None]
    if not _usual(total):
        return None
    out = np.matmul(w, v)
    out *= 1 / total
    return out


def _add_over(total: Any, part: Any, at: Index) -> None:
    """Adds a part, summed over the axes along which `total` has one value for all, where it belongs."""
    shared = tuple([axis for axis, n in enumerate(total.shape) if n == 1])
    place = tuple([slice(None) if axis in shared else i for axis, i in enumerate(at)])
    total[place] += np.add.reduce(part, axis=shared, keepdims=True) if shared else part


def gradient_of(d: Any, x: Any) -> Any:
    """A gradient in the shape and type of what it is the gradient of."""
    return (d if d.shape == x.shape else sum_to_shape(d, x.shape)).astype(x.dtype, copy=False)
