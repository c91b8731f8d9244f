"""Attention: each query's mean of the values, weighed by how well their keys answer it.

Source: Vaswani et al. 2017, "Attention is all you need". How it is computed is in `attention_blocks.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph import mode
from ..op import fused, need_float32, takes_out, type_name
from ..tensor import Tensor, wrap
from .attention_blocks import Blocks, causal_bias, few_queries, gradient_of
from .dropout import dropout
from .linalg.products import matmul
from .softmax import softmax_row

__all__ = ["scaled_dot_product_attention"]

def _attention_forward(
    keep: bool, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool
) -> tuple[Any, Any]:
    if not keep and bias is None and not causal:
        out = few_queries(q, k, v, scale)
        if out is not None:
            return out, None
    x = Blocks(q, k, v, bias, scale, causal)
    # In memory as the queries are: heads that lie beside each other do so again.
    out = np.empty_like(x.q, shape=(*x.scores_shape[:-1], v.shape[-1]))
    kept = x.forward(out, keep)
    return out.astype(q.dtype, copy=False).reshape(x.given + out.shape[-2:]), kept


def _attention_pull(
    g: Any, kept: Any, wanted: Any, q: Any, k: Any, v: Any, bias: Any, scale: float, causal: bool
) -> tuple[Any, ...]:
    x = Blocks(q, k, v, bias, scale, causal)
    grads = np.empty_like(x.q), np.empty_like(x.k), np.empty_like(x.v)
    d_bias = np.zeros((1,) * (x.q.ndim - bias.ndim) + bias.shape, x.q.dtype) if wanted[3] else None
    g = g.reshape(*x.scores_shape[:-1], v.shape[-1]).astype(x.q.dtype, copy=False)
    x.backward(g, kept, grads, d_bias)
    return tuple([None if d is None else gradient_of(d, given) for d, given in zip((*grads, d_bias), (q, k, v, bias))])


def _attention_plain(q: Any, k: Any, v: Any, bias: Any, /, scale: float, causal: bool) -> Tensor:
    return matmul(_whole_weights(q, k, bias, scale, causal), v)


_attention = fused("scaled_dot_product_attention", _attention_forward, _attention_pull, _attention_plain)


# ---- of heads side by side ------------------------------------------------------------------------------------------
def _heads_of(x: Any, heads: int, batch_first: bool, parts: int) -> list[Any]:
    """Views of x (N, L, parts · heads · E), or (L, N, ·), as `parts` arrays (N, heads, L, E)."""
    first, second, size = x.shape
    each = x.reshape(first, second, parts, heads, size // (parts * heads))
    return [np.transpose(each[:, :, i], (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)) for i in range(parts)]


def _heads_blocks(x: Any, bias: Any, heads: int, batch_first: bool, causal: bool) -> Blocks:
    q, k, v = _heads_of(x, heads, batch_first, 3)
    return Blocks(q, k, v, bias, 1 / math.sqrt(q.shape[-1]), causal)


def _heads_forward(
    keep: bool, x: Any, bias: Any, heads: int, batch_first: bool, causal: bool
) -> tuple[Any, Any]:
    blocks = _heads_blocks(x, bias, heads, batch_first, causal)
    out = np.empty((*x.shape[:2], x.shape[2] // 3), blocks.q.dtype)
    kept = blocks.forward(_heads_of(out, heads, batch_first, 1)[0], keep)
    return out.astype(x.dtype, copy=False), kept


def _heads_pull(
    g: Any, kept: Any, wanted: Any, x: Any, bias: Any, heads: int, batch_first: bool, causal: bool
) -> tuple[Any, Any]:
    """The gradients of queries, keys and values, written into one array."""
    blocks = _heads_blocks(x, bias, heads, batch_first, causal)
    dx = np.empty(x.shape, blocks.q.dtype)
    d_bias = np.zeros(bias.shape, dx.dtype) if wanted[1] else None
    (g,) = _heads_of(g.astype(dx.dtype, copy=False), heads, batch_first, 1)
    blocks.backward(g, kept, tuple(_heads_of(dx, heads, batch_first, 3)), d_bias)
    return dx, d_bias


def _heads_plain(x: Any, bias: Any, /, heads: int, batch_first: bool, causal: bool) -> Tensor:
    first, second, size = x._array.shape
    order = (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4)
    q, k, v = x.reshape(first, second, 3, heads, size // (3 * heads)).permute(order)
    out = _attention_plain(q, k, v, bias, 1 / math.sqrt(q._array.shape[-1]), causal)
    return out.permute((0, 2, 1, 3) if batch_first else (2, 0, 1, 3)).reshape(first, second, size // 3)


# (queries, keys and values side by side (N, L, 3 E) or (L, N, 3 E), bias (N or 1, heads or 1, L, S) or None, heads,
# whether N comes first, causal) → (N, L, E) or (L, N, E)
attention_of_heads = fused("attention_of_heads", _heads_forward, _heads_pull, _heads_plain)


# ---- weights and masks ----------------------------------------------------------------------------------------------
def _whole_weights(q: Any, k: Any, bias: Any, scale: float, causal: bool) -> Any:
    """The weights of all queries as recorded operations."""
    scores = np.matmul(q * scale, np.swapaxes(k, -1, -2))
    if causal:
        length, count = scores._array.shape[-2:]
        scores = scores + causal_bias(0, length, count, scores._array.dtype)
    elif bias is not None:
        scores = scores + bias
    blind = np.isneginf(np.maximum.reduce(scores._array, axis=-1, keepdims=True)) if scores._array.size else False
    if mode.recorder is None and not np.any(blind):
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
    if not 0.0 <= dropout_p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if scale is None:
        scale = 1 / math.sqrt(query._array.shape[-1]) if query._array.shape[-1] else 1.0
    if enable_gqa and attn_mask is None and not is_causal and _groups_ask_once(query, key, value):
        # Heads that share keys and values are their queries: a token that is being generated may have thousands of
        # keys, and none is copied.
        grouped = query.reshape(*query._array.shape[:-3], key._array.shape[-3], -1, query._array.shape[-1])
        out = _attended(grouped, key, value, None, dropout_p, False, scale)
        return out.reshape(*query._array.shape[:-1], value._array.shape[-1])
    if enable_gqa:
        key, value = shared_heads(query, key), shared_heads(query, value)
    return _attended(query, key, value, attn_mask, dropout_p, is_causal, scale)


def _groups_ask_once(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Whether groups of heads that have a single query each share heads of keys and values."""
    heads, length = query._array.shape[-3:-1]
    groups = key._array.shape[-3]
    return length == 1 and groups == value._array.shape[-3] and 0 < groups < heads and not heads % groups


def _attended(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, dropout_p: float, causal: bool, scale: float
) -> Tensor:
    bias = _bias(query, attn_mask)
    if dropout_p > 0.0:
        return matmul(dropout(_whole_weights(query, key, bias, scale, causal).contiguous(), dropout_p), value)
    return _attention(query, key, value, bias, scale, causal)


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
        need_float32("scaled_dot_product_attention", query)
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


def shared_heads(query: Tensor, x: Tensor) -> Tensor:
    """x with each head as often as there are query heads for it."""
    heads, own = query._array.shape[-3], x._array.shape[-3]
    if not own or heads % own:
        raise RuntimeError(f"Number of heads in key and value must divide the number of heads in query: {own}, {heads}")
    if own == heads:
        return x
    *batch, _, length, size = x._array.shape
    return x.unsqueeze(-3).expand(*batch, own, heads // own, length, size).reshape(*batch, heads, length, size)


def _bias(query: Tensor, attn_mask: Tensor | None) -> Tensor | None:
    """The mask as numbers to add, in the query's type."""
    if attn_mask is None:
        return None
    if attn_mask._array.dtype == np.bool_:
        attn_mask = wrap(np.where(attn_mask._array, 0, -np.inf).astype(query._array.dtype))
    return attn_mask.reshape(*(1,) * (2 - attn_mask._array.ndim), *attn_mask._array.shape)
