"""The two ways in which a causal mask of queries and keys of different number may lie."""

from __future__ import annotations

import enum
import warnings

import numpy as np

from ..tensor import Tensor, make

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Whether the first query and the first key belong together, or the last ones."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A mask (L, S) for `scaled_dot_product_attention`, True where a query may look: a triangle.

    Source: PyTorch's `nn.attention.bias.CausalBias`.
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        shift = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
        out: CausalBias = make(cls, np.tri(seq_len_q, seq_len_kv, shift, dtype=bool))
        out.variant, out.seq_len_q, out.seq_len_kv = variant, seq_len_q, seq_len_kv
        if shift < 0:
            warnings.warn(
                "Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!", stacklevel=3
            )
        return out

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        pass


def _two(sizes: tuple[int, ...], name: str) -> tuple[int, int]:
    if len(sizes) != 2:
        raise AssertionError(f"{name} only supports 2D tensors")
    return sizes[0], sizes[1]


def causal_upper_left(*size: int) -> CausalBias:
    """Query i looks at keys 0 … i. Source: PyTorch's `nn.attention.bias.causal_upper_left`.

    >>> causal_upper_left(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_two(size, "causal_upper_left"))


def causal_lower_right(*size: int) -> CausalBias:
    """The last query looks at all keys, each before at one less. Source: PyTorch's `nn.attention.bias`.

    >>> causal_lower_right(2, 3).tolist()
    [[True, True, False], [True, True, True]]
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_two(size, "causal_lower_right"))
