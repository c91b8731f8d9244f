"""Multi-head attention: projections to several heads, attention in each, and a projection of what they found.

Source: Vaswani et al. 2017, "Attention is all you need".
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from ..op import cast, takes_out
from ..tensor import Tensor, wrap
from .attention import attention_of_heads, scaled_dot_product_attention
from .dropout import dropout
from .join import cat
from .linalg.added import baddbmm
from .linalg.products import bmm, linear
from .padding import pad
from .softmax import softmax
from .split import chunk, split

__all__ = ["multi_head_attention_forward"]


@takes_out
def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int, in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """The attended values, and the weights (averaged over the heads by default) or None.

    Shape: query (L, N, E), key (S, N, E), value (S, N, E), or all without N → (L, N, E) and (N, L, S) or
    (N, heads, L, S). `key_padding_mask` (N, S) and `attn_mask` (L, S) or (N · heads, L, S): True for what is left out,
    or numbers to be added. `bias_k`, `bias_v` (1, 1, E) are one more key and value; `add_zero_attn` adds one of zeros.
    Errors: AssertionError or RuntimeError for sizes that do not fit. Source: PyTorch's
    `nn.functional.multi_head_attention_forward`.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = _with_batch(query, key, value)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, size = query._array.shape
    _check_sizes(size, embed_dim_to_check, num_heads)
    mask, padding, is_causal = _masks(query, key, attn_mask, key_padding_mask, is_causal, need_weights, num_heads)
    if use_separate_proj_weight:
        q, k, v = _projected_apart(query, key, value, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias)
    else:
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v belong together: one is set and the other is None")
    k, v = _with_bias(k, bias_k, static_k), _with_bias(v, bias_v, static_v)
    heads, width = batch * num_heads, size // num_heads
    q = q.reshape(length, heads, width).transpose(0, 1)
    k = _heads(k, static_k, "static_k", heads, width, add_zero_attn)
    v = _heads(v, static_v, "static_v", heads, width, add_zero_attn)
    mask = _merged(mask, padding, (bias_k is not None) + add_zero_attn, k._array.shape[1], batch, num_heads)
    attend = _attended_with_weights if need_weights else _attended
    out, found = attend(q, k, v, mask, dropout_p if training else 0.0, is_causal, (batch, num_heads))
    out = linear(out.reshape(length, batch, size), out_proj_weight, out_proj_bias)
    if found is not None and average_attn_weights:
        found = found.mean(1)
    if batched:
        return out, found
    return out.squeeze(1), None if found is None else found.squeeze(0)


def _with_batch(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All three with a batch of one; what was the same tensor stays the same."""
    q = query.unsqueeze(1)
    k = q if key is query else key.unsqueeze(1)
    return q, k, k if value is key else value.unsqueeze(1)


# ---- checks ---------------------------------------------------------------------------------------------------------
def _is_batched(
    query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None, attn_mask: Tensor | None, heads: int
) -> bool:
    ndim = query._array.ndim
    if ndim not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor")
    kind = "batched (3-D)" if ndim == 3 else "unbatched (2-D)"
    if key._array.ndim != ndim or value._array.ndim != ndim:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {ndim}-D but found {key._array.ndim}-D and "
            f"{value._array.ndim}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask._array.ndim != ndim - 1:
        raise AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {ndim - 1}-D but found "
            f"{key_padding_mask._array.ndim}-D tensor instead"
        )
    if attn_mask is None:
        return ndim == 3
    if attn_mask._array.ndim not in (2, 3):
        raise AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask._array.ndim}-D "
            "tensor instead"
        )
    wanted = (heads, query._array.shape[0], key._array.shape[0])
    if ndim == 2 and attn_mask._array.ndim == 3 and attn_mask._array.shape != wanted:
        raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {attn_mask.shape}")
    return ndim == 3


def _check_sizes(size: int, expected: int, heads: int) -> None:
    if size != expected:
        raise AssertionError(f"was expecting embedding dimension of {expected}, but got {size}")
    if size % heads:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {heads}")


def _masks(
    query: Tensor, key: Tensor, attn_mask: Tensor | None, padding: Tensor | None, is_causal: bool, need_weights: bool,
    heads: int,
) -> tuple[Tensor | None, Tensor | None, bool]:  # fmt: skip
    """The masks as numbers to add, and whether it is enough to say "causal" instead of the first."""
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if attn_mask is not None and padding is not None and attn_mask.dtype != padding.dtype:
        warnings.warn(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.",
            stacklevel=4,
        )
    padding = _as_numbers(padding, "key_padding_mask", query)
    if is_causal and padding is None and not need_weights:
        return None, None, True
    size = (query._array.shape[0], key._array.shape[0])
    mask = _checked_mask(_as_numbers(attn_mask, "attn_mask", query), size, query._array.shape[1] * heads)
    return mask, padding, is_causal and mask is None


def _as_numbers(mask: Tensor | None, name: str, query: Tensor) -> Tensor | None:
    """A mask as numbers to add."""
    if mask is None or mask._array.dtype.kind == "f":
        return mask
    if mask._array.dtype != np.bool_:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return wrap(np.where(mask._array, -np.inf, 0).astype(query._array.dtype))


def _checked_mask(mask: Tensor | None, size: tuple[int, int], heads: int) -> Tensor | None:
    """The mask as (1 or N · heads, L, S)."""
    if mask is None:
        return None
    wanted = size if mask._array.ndim == 2 else (heads, *size)
    if mask._array.shape != wanted:
        raise RuntimeError(
            f"The shape of the {mask._array.ndim}D attn_mask is {mask.shape}, but should be {wanted}."
        )
    return mask.unsqueeze(0) if mask._array.ndim == 2 else mask


def _merged(
    mask: Tensor | None, padding: Tensor | None, added: int, count: int, batch: int, heads: int
) -> Tensor | None:
    """Both masks together, what was added to the keys being seen by all."""
    if added:
        mask = None if mask is None else pad(mask, (0, added))
        padding = None if padding is None else pad(padding, (0, added))
    if padding is None:
        return mask
    if padding._array.shape != (batch, count):
        raise AssertionError(f"expected key_padding_mask of shape {(batch, count)}, but got {padding.shape}")
    padding = padding.reshape(batch, 1, 1, count).expand(batch, heads, 1, count).reshape(batch * heads, 1, count)
    return padding if mask is None else mask + padding


# ---- projections ----------------------------------------------------------------------------------------------------
def _projected(
    query: Tensor, key: Tensor, value: Tensor, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, ...]:
    """All three through one weight (3E, E); of one input in one product."""
    if key._array.shape != value._array.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if query is key and key is value:
        return tuple(chunk(linear(query, weight, bias), 3, -1))
    if key is value:
        size = query._array.shape[-1]
        w_q, w_kv = split(weight, [size, 2 * size])
        b_q, b_kv = (None, None) if bias is None else split(bias, [size, 2 * size])
        return linear(query, w_q, b_q), *chunk(linear(key, w_kv, b_kv), 2, -1)
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    return tuple([linear(x, w, b) for x, w, b in zip((query, key, value), chunk(weight, 3), biases)])


def _projected_apart(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> tuple[Tensor, ...]:
    """Each through a weight of its own, from its own size to E."""
    if key._array.shape[:2] != value._array.shape[:2]:
        raise AssertionError(
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
        )
    size, out = query._array.shape[-1], []
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    for name, x, w, b in zip(("query", "key", "value"), (query, key, value), weights, biases):
        if w is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name[0]}_proj_weight is None")
        if w._array.shape != (size, x._array.shape[-1]):
            raise AssertionError(
                f"expecting {name} weights shape of {(size, x._array.shape[-1])}, but got {w.shape}"
            )
        out.append(linear(x, w, b))
    return tuple(out)


def _with_bias(x: Tensor, bias: Tensor | None, static: Tensor | None) -> Tensor:
    """x (S, N, E) and the bias (1, 1, E) as one more key or value."""
    if bias is None:
        return x
    if static is not None:
        raise AssertionError("bias cannot be added to static key or value.")
    return cat([x, bias.repeat(1, x._array.shape[1], 1)])


def _heads(x: Tensor, given: Tensor | None, name: str, heads: int, width: int, and_zero: bool) -> Tensor:
    """x (S, N, E) as (N · heads, S, E / heads), or what was given in its stead; `and_zero` as the last of S."""
    if given is None:
        given = x.reshape(x._array.shape[0], heads, width).transpose(0, 1)
    elif given._array.shape[0] != heads or given._array.shape[2] != width:
        raise AssertionError(f"expecting {name} of shape ({heads}, *, {width}), but got {given.shape}")
    return cat([given, wrap(np.zeros((heads, 1, width), x._array.dtype))], 1) if and_zero else given


# ---- attention ------------------------------------------------------------------------------------------------------
Sizes = tuple[int, int]


def _attended_with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool, sizes: Sizes
) -> tuple[Tensor, Tensor | None]:
    """The values found (L, N · heads, width), and the weights (N, heads, L, S)."""
    q = q * math.sqrt(1.0 / q._array.shape[-1])
    scores = bmm(q, k.transpose(-2, -1)) if mask is None else baddbmm(mask, q, k.transpose(-2, -1))
    weights = softmax(scores, -1)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return bmm(weights, v).transpose(0, 1), weights.reshape(*sizes, *weights._array.shape[1:])


def _attended(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, is_causal: bool, sizes: Sizes
) -> tuple[Tensor, Tensor | None]:
    """The values found alone, the weights never held as a whole."""
    q, k, v = (x.reshape(*sizes, *x._array.shape[1:]) for x in (q, k, v))
    out = scaled_dot_product_attention(q, k, v, _per_head(mask, q, sizes), dropout_p, is_causal)
    return out.permute(2, 0, 1, 3), None


def _per_head(mask: Tensor | None, q: Tensor, sizes: Sizes) -> Tensor | None:
    """A mask (1 or N · heads, L, S) as (1 or N, 1 or heads, L, S), in the type of q."""
    if mask is None:
        return None
    mask = cast(mask, q._array.dtype) if mask._array.dtype != q._array.dtype else mask
    return mask.unsqueeze(0) if mask._array.shape[0] == 1 else mask.reshape(*sizes, *mask._array.shape[1:])


def self_attention(
    x: Tensor, batch_first: bool, num_heads: int, in_weight: Tensor, in_bias: Tensor | None, out_weight: Tensor,
    out_bias: Tensor | None, attn_mask: Tensor | None, padding: Tensor | None, is_causal: bool,
) -> Tensor:  # fmt: skip
    """`multi_head_attention_forward` of one x (L, N, E), or (N, L, E) if `batch_first`, without dropout and weights:
    the heads are attended where the projection has them, and nothing is moved."""
    steps = wrap(np.swapaxes(x._array, 0, 1)) if batch_first else x  # for the checks, which count L first
    _is_batched(steps, steps, steps, padding, attn_mask, num_heads)
    length, batch, size = steps._array.shape
    _check_sizes(size, out_weight._array.shape[0], num_heads)
    mask, padding, is_causal = _masks(steps, steps, attn_mask, padding, is_causal, False, num_heads)
    mask = _per_head(_merged(mask, padding, 0, length, batch, num_heads), x, (batch, num_heads))
    projected = linear(x, in_weight, in_bias)
    return linear(attention_of_heads(projected, mask, num_heads, batch_first, is_causal), out_weight, out_bias)
