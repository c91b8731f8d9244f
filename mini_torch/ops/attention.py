"""Attention: each query's mean of the values, weighed by how well their keys answer it.

Source: Vaswani et al. 2017, "Attention is all you need". What is computed between the scores and the result, for every
query and key, is never held as a whole: it is made block by block, small enough to stay in the cache, and made again
in backward. Source of that: Dao et al. 2022, "FlashAttention".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..op import row, takes_out, type_name
from ..tensor import Tensor, wrap
from .dropout import dropout
from .linalg.products import matmul
from .softmax import softmax_row

__all__ = ["scaled_dot_product_attention"]

_BLOCK = 1 << 19  # bytes of weights at a time


def _as_batch(x: Any, batch: tuple[int, ...]) -> Any:
    """x (…, m, n) as (B, m, n), the dimensions before the last two broadcast to `batch`."""
    return np.broadcast_to(x, batch + x.shape[-2:]).reshape(math.prod(batch), *x.shape[-2:])


def _blocks(batch: int, length: int, row_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Slices of the batch and of the queries: many small matrices at once, a large one in parts."""
    if not row_bytes or not batch * length:
        return
    rows = max(_BLOCK // row_bytes, 1)
    if rows >= length:
        step = max(rows // length, 1)
        for b in range(0, batch, step):
            yield slice(b, b + step), slice(None)
    else:
        for b in range(batch):
            for i in range(0, length, rows):
                yield slice(b, b + 1), slice(i, i + rows)


def _bias_of(bias: Any, b: slice, i: slice) -> Any:
    """The part of the bias (B or 1, L or 1, S or 1) that belongs to a block."""
    return bias[b if len(bias) > 1 else slice(None), i if bias.shape[1] > 1 else slice(None)]


def _weights(q: Any, k: Any, bias: Any, scale: Any) -> Any:
    """softmax(scale q kᵀ + bias); all 0 for a query that may look at nothing."""
    w = np.matmul(q * scale, np.swapaxes(k, -1, -2))
    if bias is not None:
        w += bias
    peak = np.maximum.reduce(w, axis=-1, keepdims=True)
    w -= np.where(np.isneginf(peak), 0, peak)
    np.exp(w, out=w)
    total = np.add.reduce(w, axis=-1, keepdims=True)
    w /= np.where(total == 0, 1, total)
    return w


def _causal_bias(start: int, stop: int, count: int, kind: Any) -> Any:
    """For queries start … stop - 1: -inf at the keys that come after them."""
    return np.where(np.tri(stop - start, count, start, dtype=bool), 0, -np.inf).astype(kind)


class _Batch:
    """The inputs as stacks of matrices: q (B, L, E), k (B, S, E), v (B, S, Eᵥ), bias (B or 1, …) or None."""

    def __init__(self, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool) -> None:
        self.shape = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2], bias.shape[:-2])
        self.kind = q.dtype
        wide = q.dtype if q.dtype.itemsize > 2 else np.dtype(np.float32)
        self.q, self.k, self.v = (_as_batch(x, self.shape).astype(wide, copy=False) for x in (q, k, v))
        self.bias, self.scale, self.causal = None, wide.type(scale), causal
        if bias.ndim:
            shared = math.prod(bias.shape[:-2]) == 1
            self.bias = bias.reshape(1, *bias.shape[-2:]) if shared else _as_batch(bias, self.shape)
            self.bias = self.bias.astype(wide, copy=False)

    def parts(self) -> Iterator[tuple[slice, slice, slice, Any]]:
        """Each block of the batch, of queries, and of the keys that they may look at, with its weights."""
        batch, length, count = len(self.q), self.q.shape[1], self.k.shape[1]
        for b, i in _blocks(batch, length, count * self.q.itemsize):
            start, stop, _ = i.indices(length)
            seen = slice(0, min(stop, count) if self.causal else count)
            if self.causal:
                bias = _causal_bias(start, stop, seen.stop, self.q.dtype)
            else:
                bias = None if self.bias is None else _bias_of(self.bias, b, i)
            yield b, i, seen, _weights(self.q[b, i], self.k[b, seen], bias, self.scale)

    def whole(self, x: Any) -> Any:
        """A stack in the shape and type that go out."""
        return x.reshape(self.shape + x.shape[1:]).astype(self.kind, copy=False)


def _attention_forward(
    q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool, once: dict[str, Any]
) -> Any:
    x = _Batch(q, k, v, bias, scale, causal)
    out = np.zeros((*x.q.shape[:2], x.v.shape[2]), x.q.dtype)
    for b, i, seen, w in x.parts():
        np.matmul(w, x.v[b, seen], out=out[b, i])
    return x.whole(out)


def _pull_blocks(g: Any, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool) -> tuple[Any, ...]:
    """The gradients of q, k, v and bias, the weights made anew block by block."""
    x = _Batch(q, k, v, bias, scale, causal)
    g = _as_batch(g, x.shape).astype(x.q.dtype, copy=False)
    dq, dk, dv = np.zeros_like(x.q), np.zeros_like(x.k), np.zeros_like(x.v)
    d_bias = None if x.bias is None else np.zeros((len(x.bias), x.q.shape[1], x.k.shape[1]), x.q.dtype)
    for b, i, seen, w in x.parts():
        dv[b, seen] += np.matmul(np.swapaxes(w, -1, -2), g[b, i])
        ds = np.matmul(g[b, i], np.swapaxes(x.v[b, seen], -1, -2))
        ds -= np.add.reduce(ds * w, axis=-1, keepdims=True)
        ds *= w
        if d_bias is not None:
            _bias_of(d_bias, b, i)[...] += ds if len(d_bias) > 1 else np.add.reduce(ds, axis=0, keepdims=True)
        ds *= x.scale
        dq[b, i] = np.matmul(ds, x.k[b, seen])
        dk[b, seen] += np.matmul(np.swapaxes(ds, -1, -2), x.q[b, i])
    if d_bias is not None:
        shared = (1,) * len(x.shape) + d_bias.shape[1:]
        d_bias = d_bias.reshape(shared).astype(x.kind, copy=False) if len(d_bias) == 1 else x.whole(d_bias)
    return x.whole(dq), x.whole(dk), x.whole(dv), d_bias


def _pull_tensors(g: Any, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool) -> tuple[Any, ...]:
    """The same as recorded operations on the whole matrices."""
    w = _whole_weights(q, k, bias, scale, causal)
    dw = np.matmul(g, np.swapaxes(v, -1, -2))
    ds = w * (dw - np.sum(dw * w, axis=-1, keepdims=True))
    dq, dk = np.matmul(ds, k) * scale, np.matmul(np.swapaxes(ds, -1, -2), q) * scale
    return dq, dk, np.matmul(np.swapaxes(w, -1, -2), g), ds


def _pulled(index: int) -> Callable[..., Any]:
    """The formula of one input. The first that is asked for makes the gradients of all: they share their parts."""

    def formula(
        g: Any, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool, once: dict[str, Any]
    ) -> Any:
        if not isinstance(g, np.ndarray):
            return _pull_tensors(g, q, k, v, bias, scale, causal)[index]
        if once.get("g") is not g:
            once["g"], once["grads"] = g, _pull_blocks(g, q, k, v, bias, scale, causal)
        return once["grads"][index]

    return formula


_attention = row(
    "scaled_dot_product_attention", _attention_forward, broadcasts=True, q=_pulled(0), k=_pulled(1), v=_pulled(2),
    bias=_pulled(3),
)  # fmt: skip


def _whole_weights(q: Any, k: Any, bias: Any, scale: float, causal: bool) -> Any:
    """The weights of all queries as recorded operations."""
    scores = np.matmul(q * scale, np.swapaxes(k, -1, -2))
    if causal:
        length, count = scores._array.shape[-2:]
        scores = scores + _causal_bias(0, length, count, scores._array.dtype)
    elif bias._array.ndim:
        scores = scores + bias
    blind = np.isneginf(np.maximum.reduce(scores._array, axis=-1, keepdims=True)) if scores._array.size else False
    if not np.any(blind):
        return softmax_row(scores, scores._array.ndim - 1)
    return np.where(blind, 0.0, softmax_row(np.where(blind, 0.0, scores), scores._array.ndim - 1))


@takes_out
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(query keyᵀ · scale + attn_mask) value; a query that may look at nothing gets 0.

    Shape: query (…, L, E), key (…, S, E), value (…, S, Eᵥ) → (…, L, Eᵥ). `attn_mask` broadcasts to (…, L, S): True
    where a query may look, or numbers to be added. `is_causal`: query i looks at keys 0 … i. `scale` is 1 / √E by
    default. With `enable_gqa` groups of query heads (dimension -3) share a head of key and value. `dropout_p` always
    applies. Errors: RuntimeError for types and sizes that do not fit, and for a mask beside `is_causal`.
    Source: PyTorch's `nn.functional.scaled_dot_product_attention`.

    >>> from mini_torch import tensor
    >>> x = tensor([[1., 0.], [0., 1.]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    if scale is None:
        scale = 1 / math.sqrt(query._array.shape[-1]) if query._array.shape[-1] else 1.0
    bias = _bias(query, attn_mask)
    if not 0.0 <= dropout_p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if dropout_p > 0.0:
        return matmul(dropout(_whole_weights(query, key, bias, scale, is_causal).contiguous(), dropout_p), value)
    return _attention(query, key, value, bias, scale, is_causal, {})


def _check(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, is_causal: bool) -> None:
    kinds = [x._array.dtype for x in (query, key, value)]
    dims = [x._array.ndim for x in (query, key, value)]
    if len(set(kinds)) > 1:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {query.dtype} key.dtype: "
            f"{key.dtype} and value.dtype: {value.dtype} instead."
        )
    if min(dims) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got Query dim: "
            f"{dims[0]}, Key dim: {dims[1]}, Value dim: {dims[2]} instead."
        )
    if kinds[0].kind == "c":
        raise NotImplementedError(f"\"softmax_lastdim_kernel_impl\" not implemented for '{type_name(kinds[0])}'")
    if kinds[0].kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {type_name(kinds[0])}")
    if query._array.shape[-1] != key._array.shape[-1] or key._array.shape[-2] != value._array.shape[-2]:
        raise RuntimeError(
            f"scaled_dot_product_attention: query {list(query.shape)}, key {list(key.shape)} and value "
            f"{list(value.shape)} do not fit: (…, L, E), (…, S, E) and (…, S, Ev) are expected"
        )
    if attn_mask is None:
        return
    size = (query._array.shape[-2], key._array.shape[-2])
    if any(m not in (1, n) for m, n in zip(attn_mask._array.shape[-2:][::-1], size[::-1])):
        raise RuntimeError(
            f"attn_mask {list(attn_mask.shape)} does not broadcast to the scores, [..., {size[0]}, {size[1]}]"
        )
    if attn_mask._array.dtype not in (np.bool_, np.float32, kinds[0]):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{attn_mask.dtype} and  query.dtype: {query.dtype} instead."
        )
    if is_causal:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )


def _shared_heads(query: Tensor, x: Tensor) -> Tensor:
    """x with each head as often as there are query heads for it."""
    heads, own = query._array.shape[-3], x._array.shape[-3]
    if not own or heads % own:
        raise RuntimeError(f"Number of heads in key and value must divide the number of heads in query: {own}, {heads}")
    if own == heads:
        return x
    *batch, _, length, size = x._array.shape
    return x.unsqueeze(-3).expand(*batch, own, heads // own, length, size).reshape(*batch, heads, length, size)


def _bias(query: Tensor, attn_mask: Tensor | None) -> Tensor:
    """The mask as numbers to add, in the query's type; a 0-d tensor for none."""
    kind = query._array.dtype
    if attn_mask is None:
        return wrap(np.zeros((), kind))
    if attn_mask._array.dtype == np.bool_:
        attn_mask = wrap(np.where(attn_mask._array, 0, -np.inf).astype(kind))
    return attn_mask.reshape(*(1,) * (2 - attn_mask._array.ndim), *attn_mask._array.shape)
