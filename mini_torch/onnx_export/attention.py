"""Attention, as the products and the softmax that it is: runtimes know the pattern, and have a kernel for it."""

from __future__ import annotations

import math

import numpy as np

from .graph import Builder, Wire
from .table import kernel

__all__: list[str] = []


def _attend(b: Builder, q: Wire, k: Wire, v: Wire, bias: Wire | None, scale: float, causal: bool) -> Wire:
    """softmax(q kᵀ · scale + bias) v; a query that may look at nothing gets 0."""
    scores: Wire = b.op("MatMul", b.op("Mul", q, b.constant(scale, q.dtype)), b.swap(k, k.rank - 2, k.rank - 1))
    if causal:
        bias = _causal(b, q, k)
    if bias is not None:
        scores = b.op("Add", scores, bias)
    weights: Wire = b.op("Softmax", scores, axis=-1)
    if bias is not None and not causal:  # NaN where all scores are -inf
        blind = b.test("IsNaN", weights)
        weights = b.op("Where", blind, b.constant(0, q.dtype), weights)
    return b.op("MatMul", weights, v)


def _causal(b: Builder, q: Wire, k: Wire) -> Wire:
    """0 where a query may look, -inf behind it (L, S)."""
    shape = (q.dims[-2], k.dims[-2])
    whole = b.expand(b.constant(-np.inf, q.dtype), shape)
    return b.op("Trilu", whole, b.constant(1, np.int64), upper=1)


@kernel("scaled_dot_product_attention")
def _attention(
    b: Builder, keep: bool, q: Wire, k: Wire, v: Wire, bias: Wire | None, scale: float, causal: bool
) -> Wire:
    return _attend(b, q, k, v, bias, scale, causal)


@kernel("attention_of_heads")
def _attention_of_heads(
    b: Builder, keep: bool, x: Wire, bias: Wire | None, heads: int, batch_first: bool, causal: bool
) -> Wire:
    first, second, width = x.shape or ()
    size = width // (3 * heads)
    q, k, v = [_heads(b, part, first, second, heads, size, batch_first) for part in _thirds(b, x, width // 3)]
    out = _attend(b, q, k, v, bias, 1 / math.sqrt(size), causal)
    out.shape = q.shape
    back = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
    return b.reshape(b.transpose(out, back), (first, second, width // 3))


def _thirds(b: Builder, x: Wire, size: int) -> list[Wire]:
    parts: list[Wire] = b.op("Split", x, b.ints([size] * 3), count=3, axis=-1)
    for part in parts:
        part.shape = (*x.dims[:-1], size)
    return parts


def _heads(b: Builder, x: Wire, first: int, second: int, heads: int, size: int, batch_first: bool) -> Wire:
    """(N, L, heads · size), or (L, N, ·), as (N, heads, L, size)."""
    return b.transpose(b.reshape(x, (first, second, heads, size)), (0, 2, 1, 3) if batch_first else (1, 2, 0, 3))
