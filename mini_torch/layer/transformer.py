"""The Transformer: encoder and decoder of attention layers. Source: Vaswani et al. 2017, "Attention is all you need".

With `norm_first` each block's input is normalised instead of its output; source: Xiong et al. 2020, "On layer
normalization in the Transformer architecture".
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, to_numpy_dtype
from ..graph import is_grad_enabled
from ..initializer import xavier_uniform_
from ..network import Module, ModuleList
from ..ops.activation import gelu, relu
from ..tensor import Tensor, wrap
from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .norm import LayerNorm

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
           "TransformerEncoderLayer"]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]
Mask = Tensor | None


def _causal_mask(size: int, kind: Any) -> Tensor:
    """-inf above the diagonal, else 0."""
    return wrap(np.triu(np.full((size, size), -np.inf, kind), 1))


def _is_causal(mask: Mask, given: bool | None, x: Tensor, batch_first: bool) -> bool:
    """Whether the mask is the causal one: as given, or else by comparing."""
    if given is not None or mask is None:
        return bool(given)
    size = x.shape[1 if batch_first and x.dim() == 3 else 0]
    if mask._array.shape != (size, size) or mask._array.dtype.kind not in "bf":
        return False
    array = np.where(mask._array, -np.inf, 0) if mask._array.dtype == np.bool_ else mask._array
    return bool(np.array_equal(array, _causal_mask(size, np.float64)._array))


def _activation(given: Activation) -> Callable[[Tensor], Tensor]:
    if not isinstance(given, str):
        return given
    if given not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {given}")
    return relu if given == "relu" else gelu


def _copies(module: Module, N: int) -> ModuleList:
    """N layers that start alike and share nothing."""
    return ModuleList([copy.deepcopy(module) for _ in range(N)])


def _seen(padding: Tensor) -> Any:
    """True where a padding mask, of True or of numbers to be added, leaves a position in."""
    return padding._array == 0


def _could_be_nested(layer: Any) -> bool:
    """Whether PyTorch has nested tensors go through the layer."""
    if not isinstance(layer, TransformerEncoderLayer):
        return False
    attention, activation = layer.self_attn, layer.activation
    known = activation in (relu, gelu) or type(activation).__name__ in ("ReLU", "GELU")
    return (
        known and attention.batch_first and attention.num_heads % 2 == 0 and attention.in_proj_bias is not None
        and not layer.norm_first and layer.norm1.eps == layer.norm2.eps
    )  # fmt: skip


class _Layer(Module):
    """What encoder and decoder layers share: attention to oneself, and two linear layers."""

    self_attn: MultiheadAttention
    linear1: Linear
    linear2: Linear
    dropout: Dropout
    dropout1: Dropout
    norm_first: bool
    activation: Callable[[Tensor], Tensor]

    def _residual(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def _sa_block(self, x: Tensor, mask: Mask, padding: Mask, is_causal: bool = False) -> Tensor:
        out = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=is_causal
        )[0]
        return self.dropout1(out)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Attention to oneself and a feed-forward block, each with dropout, a residual and layer normalisation.

    Shape: src (S, N, d_model), with `batch_first` (N, S, d_model), or (S, d_model). Masks as `MultiheadAttention`.
    Source: PyTorch's `nn.TransformerEncoderLayer`.

    >>> TransformerEncoderLayer(8, 2, dim_feedforward=16)(mini_torch.ones(5, 2, 8)).shape
    torch.Size([5, 2, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self, src: Tensor, src_mask: Mask = None, src_key_padding_mask: Mask = None, is_causal: bool = False
    ) -> Tensor:
        x = self._residual(src, self.norm1, lambda x: self._sa_block(x, src_mask, src_key_padding_mask, is_causal))
        return self._residual(x, self.norm2, lambda x: self.dropout2(self._ff_block(x)))


class TransformerDecoderLayer(_Layer):
    """Attention to oneself, attention to the encoder's result `memory`, and a feed-forward block.

    Shape: tgt (T, N, d_model), memory (S, N, d_model), with `batch_first` N first, or both without N.
    Source: PyTorch's `nn.TransformerDecoderLayer`.
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = _activation(activation)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        def look(x: Tensor) -> Tensor:
            out = self.multihead_attn(
                x, memory, memory, attn_mask=memory_mask, key_padding_mask=memory_key_padding_mask,
                need_weights=False, is_causal=memory_is_causal,
            )[0]  # fmt: skip
            return self.dropout2(out)

        x = self._residual(tgt, self.norm1, lambda x: self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))
        x = self._residual(x, self.norm2, look)
        return self._residual(x, self.norm3, lambda x: self.dropout3(self._ff_block(x)))


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer, one after the other, then `norm`.

    In evaluation without gradients, positions that `src_key_padding_mask` leaves out are zeros before `norm`, where
    PyTorch leaves them out by nested tensors: with `batch_first`, an even number of heads, relu or gelu, no
    `norm_first`, no `mask`, all padding at the end. Source: PyTorch's `nn.TransformerEncoder`.
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and _could_be_nested(encoder_layer)
        self.mask_check = mask_check

    def _leaves_out(self, src: Tensor, mask: Mask) -> bool:
        """Whether PyTorch leaves out padding at the end, see above."""
        first = self.layers[0]
        if not self.use_nested_tensor or first.training or src.dim() != 3 or mask is not None:
            return False
        return not (is_grad_enabled() and any(x.requires_grad for x in (src, *first.parameters())))

    def forward(
        self, src: Tensor, mask: Mask = None, src_key_padding_mask: Mask = None, is_causal: bool | None = None
    ) -> Tensor:
        causal = _is_causal(mask, is_causal, src, self.layers[0].self_attn.batch_first)
        out = src
        for layer in self.layers:
            out = layer(out, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask)
        if src_key_padding_mask is not None and self._leaves_out(src, mask):
            seen = _seen(src_key_padding_mask)
            if self.mask_check:  # all stays in where padding is elsewhere; no `if`, which no recording could hold
                seen = seen | np.any(seen[:, 1:] > seen[:, :-1])
            out = out * wrap(seen[:, :, None])
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer, one after the other, then `norm`. PyTorch's `nn.TransformerDecoder`."""

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Mask = None, memory_mask: Mask = None,
        tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, self.layers[0].self_attn.batch_first)
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder together.

    Shape: src (S, N, d_model), tgt (T, N, d_model) → (T, N, d_model); with `batch_first` N first; or all without N.
    Errors: RuntimeError for batches or feature numbers that do not fit. Source: PyTorch's `nn.Transformer`.

    >>> model = Transformer(8, 2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=16)
    >>> model(mini_torch.ones(5, 2, 8), mini_torch.ones(3, 2, 8)).shape
    torch.Size([3, 2, 8])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = relu,
        custom_encoder: Any = None, custom_decoder: Any = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                   device, dtype)  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options), num_decoder_layers, norm()
        )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() > 1:
                xavier_uniform_(parameter)

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Mask = None, tgt_mask: Mask = None, memory_mask: Mask = None,
        src_key_padding_mask: Mask = None, tgt_key_padding_mask: Mask = None, memory_key_padding_mask: Mask = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        batch = 0 if self.batch_first else 1
        if src.dim() == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The mask under which position i looks at positions 0 … i: -inf above the diagonal, else 0."""
        return _causal_mask(sz, default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype))
