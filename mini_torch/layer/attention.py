"""Multi-head attention as a layer. What it computes is in `ops/multi_head.py`."""

from __future__ import annotations

from typing import Any

from ..creation import empty
from ..initializer import xavier_normal_, xavier_uniform_, zeros_
from ..network import Module, Parameter
from ..ops.multi_head import multi_head_attention_forward, self_attention
from ..tensor import Tensor
from .linear import Linear

__all__ = ["MultiheadAttention"]


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that PyTorch prints for this one."""


class MultiheadAttention(Module):
    """Attention in `num_heads` heads of width embed_dim / num_heads, between projections of query, key and value.

    Shape: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), with `batch_first` N comes first, or without
    N → the same as query, and the weights (N, L, S) or None. Masks, as `attn_mask` (L, S) or (N · num_heads, L, S) and
    `key_padding_mask` (N, S), are True for what is left out, or numbers to be added. Errors: AssertionError where
    embed_dim is not a multiple of num_heads. Source: Vaswani et al. 2017; PyTorch's `nn.MultiheadAttention`.

    >>> x = mini_torch.ones(5, 2, 8)
    >>> out, weights = MultiheadAttention(8, 2)(x, x, x)
    >>> out.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if embed_dim % num_heads:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def blank(*shape: int) -> Parameter:
            return Parameter(empty(*shape, device=device, dtype=dtype))

        apart = not self._qkv_same_embed_dim
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", blank(embed_dim, size) if apart else None)
        self.register_parameter("in_proj_weight", None if apart else blank(3 * embed_dim, embed_dim))
        self.register_parameter("in_proj_bias", blank(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.bias_k = blank(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = blank(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            zeros_(self.in_proj_bias)
            zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                xavier_normal_(bias)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        if query is key is value and not need_weights and query.dim() == 3 and self._is_plain():
            out = self_attention(
                query, self.batch_first, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight,
                self.out_proj.bias, attn_mask, key_padding_mask, is_causal,
            )  # fmt: skip
            return out, None
        turns = self.batch_first and query.dim() == 3
        if turns:
            query, key, value = _time_first(query, key, value)
        out, weights = multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (out.transpose(1, 0) if turns else out), weights


    def _is_plain(self) -> bool:
        """Whether `self_attention` will do: one weight for all projections, nothing added to keys, nothing dropped."""
        dropped = self.training and self.dropout > 0
        return self._qkv_same_embed_dim and self.bias_k is None and not self.add_zero_attn and not dropped


def _time_first(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, L, E) → (L, N, E); what was one tensor stays one, so that its projections are one product."""
    q = query.transpose(1, 0)
    k = q if key is query else key.transpose(1, 0)
    return q, k, k if value is key else value.transpose(1, 0)
