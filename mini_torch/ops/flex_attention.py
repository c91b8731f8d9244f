"""Attention with rules of one's own: a function that changes each score, and one that says who may look at whom.

Source: Dong et al. 2024, "Flex attention"; PyTorch's `nn.attention.flex_attention`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import numpy as np

from ..tensor import Tensor, wrap
from .attention import scaled_dot_product_attention, shared_heads
from .block_mask import BlockMask, Mod, over_indices
from .linalg.products import matmul
from .reduction.sums import logsumexp
from .softmax import softmax_row

__all__ = ["AuxOutput", "AuxRequest", "FlexKernelOptions", "flex_attention"]


class AuxRequest(NamedTuple):
    """What else `flex_attention` should return."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for by `AuxRequest`."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


class FlexKernelOptions(TypedDict, total=False):
    """Options of PyTorch's kernels; here they change nothing."""

    BACKEND: str


def flex_attention(
    query: Tensor, key: Tensor, value: Tensor, score_mod: Callable[..., Tensor] | None = None,
    block_mask: BlockMask | None = None, scale: float | None = None, enable_gqa: bool = False,
    return_lse: bool = False, kernel_options: FlexKernelOptions | None = None, *,
    return_aux: AuxRequest | None = None,
) -> Any:  # fmt: skip
    """softmax(score_mod(query keyᵀ · scale)) value, over the keys that `block_mask` leaves a query.

    `score_mod(score, b, h, q_idx, kv_idx)` and the mask's `mask_mod(b, h, q_idx, kv_idx)` are written for one score; as
    in PyTorch, what they do must hold for any, and so they are called once, with all scores (B, H, L, S) and with
    indices that broadcast to them. Without `score_mod` nothing of size L · S but the mask is ever held as a whole.
    Shape: query (B, H, L, E), key (B, H, S, E), value (B, H, S, Eᵥ) → (B, H, L, Eᵥ); with `return_lse` or `return_aux`
    also ln Σ exp of the scores (B, H, L). Errors: ValueError for sizes that do not fit. Source: PyTorch's
    `nn.attention.flex_attention.flex_attention`; its warning that it was not compiled is left out.

    >>> from mini_torch import randn
    >>> x = randn(1, 2, 5, 4)
    >>> flex_attention(x, x, x, lambda score, b, h, q_idx, kv_idx: score - 0.1 * (q_idx - kv_idx).abs()).shape
    torch.Size([1, 2, 5, 4])
    """
    _check(query, key, block_mask, enable_gqa)
    wants_lse = _wants_lse(return_lse, return_aux)
    scale = 1 / math.sqrt(query._array.shape[-1]) if scale is None else scale
    seen = None if block_mask is None else _seen(query, key, block_mask.mask_mod)
    if score_mod is None and not wants_lse:
        return scaled_dot_product_attention(query, key, value, seen, scale=scale, enable_gqa=enable_gqa)
    if enable_gqa:
        key, value = shared_heads(query, key), shared_heads(query, value)
    scores = matmul(query, key.transpose(-2, -1)) * scale
    if score_mod is not None:
        scores = over_indices(score_mod, scores._array.shape, scores)
    out, logs = _attended(scores, value, seen)
    if return_aux is not None:
        return out, AuxOutput(logs if wants_lse else None)
    return (out, logs) if return_lse else out


def _attended(scores: Tensor, value: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
    """The means of the values, and ln Σ exp of the scores; 0 and -inf for a query that may look at nothing."""
    if seen is None:
        return matmul(softmax_row(scores, 3), value), logsumexp(scores, -1)
    blind = wrap(~seen._array.any(-1, keepdims=True))
    masked = scores.masked_fill(~(seen | blind), -math.inf)
    out = matmul(softmax_row(masked, 3), value).masked_fill(blind, 0)
    return out, logsumexp(masked, -1).masked_fill(blind.squeeze(-1), -math.inf)


def _wants_lse(return_lse: bool, return_aux: AuxRequest | None) -> bool:
    if return_aux is not None and return_lse:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        warnings.warn(
            "return_lse is deprecated and will be removed in v2.10. Please use return_aux=AuxRequest(lse=True) "
            "instead.",
            FutureWarning,
            stacklevel=3,
        )
    if return_aux is not None and return_aux.max_scores:
        raise NotImplementedError("Returning max scores is not supported on CPU/MPS.")
    return return_lse or (return_aux is not None and return_aux.lse)


def _seen(query: Tensor, key: Tensor, mask_mod: Mod) -> Tensor:
    """True where a query may look, (B or 1, H or 1, L, S)."""
    batch, heads, length, _ = query._array.shape
    count = key._array.shape[-2]
    seen = over_indices(mask_mod, (batch, heads, length, count))
    return wrap(np.broadcast_to(seen._array, (*seen._array.shape[:-2], length, count)))


def _check(query: Tensor, key: Tensor, block_mask: BlockMask | None, enable_gqa: bool) -> None:
    if query._array.ndim != 4 or key._array.ndim != 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    (batch, heads, length, _), (other, own, count, _) = query._array.shape, key._array.shape
    if not enable_gqa and heads != own:
        raise ValueError(
            f"Expect query and key/value to have the same number of heads but got Hq={heads} and Hkv={own}. Try "
            "setting enable_gqa=True for GQA."
        )
    if enable_gqa and heads % own:
        raise ValueError(
            f"Expect number of query heads to be a multiple of kv heads for GQA but got Hq={heads} and Hkv={own}."
        )
    if batch != other and block_mask is None:
        raise ValueError(
            "Expect query and key/value to have the same batch size, or non-none block_mask, but got block_mask=None, "
            f"Bq={batch}, and Bkv={other}."
        )
    if block_mask is not None and block_mask.seq_lengths != (length, count):
        raise ValueError(
            f"block_mask was created for block_mask.shape={block_mask.shape} but got q_len={length} and "
            f"kv_len={count}. Create one for these lengths: create_block_mask(mask_mod, B, H, {length}, {count})."
        )
