"""Attention by rules: against the same written out, block masks, causal biases, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.nn.attention import bias
from mini_torch.nn.attention import flex_attention as flex

attend = torch.nn.functional.scaled_dot_product_attention


def causal(b: Any, h: Any, q_idx: Any, kv_idx: Any) -> Any:
    return q_idx >= kv_idx


def inputs(*lengths: int, heads: int = 2) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, heads, n, 4, dtype=torch.float64, requires_grad=True) for n in lengths]


def test_a_score_mod_with_what_it_captures() -> None:
    q, k, v = inputs(5, 6, 6)
    table = torch.randn(2, 5, 6, dtype=torch.float64, requires_grad=True)
    out = flex.flex_attention(q, k, v, lambda score, b, h, q_idx, kv_idx: score + table[h, q_idx, kv_idx])
    expected = attend(q, k, v, table)
    torch.testing.assert_close(out, expected)
    for a, b in zip(*[torch.autograd.grad(x.square().sum(), [q, k, v, table]) for x in (out, expected)]):
        torch.testing.assert_close(a, b)


def test_a_mask_with_and_without_a_score_mod() -> None:
    q, k, v = inputs(5, 5, 5)
    mask = flex.create_block_mask(causal, None, None, 5, 5)
    expected = attend(q, k, v, is_causal=True)
    torch.testing.assert_close(flex.flex_attention(q, k, v, block_mask=mask), expected)
    torch.testing.assert_close(flex.flex_attention(q, k, v, lambda s, *_: s, block_mask=mask), expected)


def test_a_query_without_keys_finds_nothing() -> None:
    q, k, v = inputs(3, 4, 4)
    mask = flex.create_block_mask(lambda b, h, q_idx, kv_idx: q_idx > kv_idx, None, None, 3, 4)
    out, aux = flex.flex_attention(q, k, v, block_mask=mask, return_aux=flex.AuxRequest(lse=True))
    assert out[:, :, 0].abs().max().item() == 0
    assert aux.lse[0, 0, 0].item() == -math.inf
    out.sum().backward()
    assert bool(torch.isfinite(q.grad).all())


def test_log_sum_exp() -> None:
    q, k, v = inputs(3, 4, 4)
    with pytest.warns(FutureWarning, match="return_aux"):
        out, lse = flex.flex_attention(q, k, v, scale=0.5, return_lse=True)
    torch.testing.assert_close(lse, torch.logsumexp(q @ k.mT * 0.5, -1))
    torch.testing.assert_close(out, attend(q, k, v, scale=0.5))


def test_shared_heads() -> None:
    q, k, v = (*inputs(3, heads=4), *inputs(5, 5))
    expected = attend(q, k, v, enable_gqa=True)
    torch.testing.assert_close(flex.flex_attention(q, k, v, enable_gqa=True), expected)
    torch.testing.assert_close(flex.flex_attention(q, k, v, lambda s, *_: s, enable_gqa=True), expected)


def test_masks() -> None:
    near = lambda b, h, q_idx, kv_idx: (q_idx - kv_idx).abs() < 2  # noqa: E731
    both, one = flex.and_masks(causal, near), flex.or_masks(causal, near)
    made = [flex.create_mask(mod, 1, None, 4, 4).squeeze().numpy() for mod in (causal, near, both, one, flex.noop_mask)]
    np.testing.assert_array_equal(made[2], made[0] & made[1])
    np.testing.assert_array_equal(made[3], made[0] | made[1])
    assert made[4].all()
    score = flex.create_mask(lambda s, b, h, i, j: torch.where(i >= j, s, -math.inf), None, None, 4, 4)
    np.testing.assert_array_equal(score.squeeze().numpy(), made[0])


def test_blocks() -> None:
    """PyTorch's numbers for this mask."""
    mask = flex.create_block_mask(causal, None, None, 300, 260)
    assert mask.shape == (1, 1, 300, 260)
    assert mask.numel() == 78000
    assert mask.to("cpu") is mask
    assert mask.kv_num_blocks.tolist() == [[[1, 1, 3]]]
    assert mask.kv_indices.tolist() == [[[[0, 1, 2], [1, 0, 2], [0, 1, 2]]]]
    assert mask.full_kv_num_blocks.tolist() == [[[0, 1, 0]]]
    assert mask.q_num_blocks.tolist() == [[[2, 2, 1]]]
    assert mask.sparsity() == pytest.approx(-26.030769230769234)
    assert mask.to_dense().tolist() == [[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]
    assert "(0, 0)\n██    \n████  \n██████" in str(mask)
    assert "full_q_indices=torch.Size([1, 1, 3, 3])" in repr(mask)
    assert "mask_mod=causal" in repr(mask)
    whole = flex.create_block_mask(causal, 3, 2, 8, 8, BLOCK_SIZE=(4, 2), separate_full_blocks=False)
    assert whole.full_kv_indices is None
    assert whole.to_string(grid_size=1, limit=1).startswith("(0, 0)\n░░\n")
    part = whole[0]
    assert part.shape == (2, 8, 8)
    assert part.to_dense().shape == (2, 2, 4)
    with pytest.raises(RuntimeError, match="sliced"):
        part.mask_mod()


@pytest.mark.parametrize(
    ("error", "words", "heads", "options"),
    [
        (ValueError, "same number of heads", 4, {}),
        (ValueError, "multiple of kv heads", 3, {"enable_gqa": True}),
        (ValueError, "both return_lse", 2, {"return_lse": True, "return_aux": flex.AuxRequest()}),
        (NotImplementedError, "max scores", 2, {"return_aux": flex.AuxRequest(max_scores=True)}),
        (ValueError, "block_mask was created for", 2, {"block_mask": flex.create_block_mask(causal, 1, 1, 9, 9)}),
    ],
)
def test_refusals(error: type[Exception], words: str, heads: int, options: dict[str, Any]) -> None:
    q, k, v = (*inputs(3, heads=heads), *inputs(5, 5))
    with pytest.raises(error, match=words):
        flex.flex_attention(q, k, v, **options)
    with pytest.raises(NotImplementedError, match="4D"):
        flex.flex_attention(q[0], k[0], v[0])
    with pytest.raises(ValueError, match="same batch size"):
        flex.flex_attention(q, k[:1].expand(1, heads, 5, 4) if heads == 2 else inputs(5, heads=heads)[0][:1], v)
    with pytest.raises(RuntimeError, match="callable"):
        flex.and_masks(1)  # type: ignore[arg-type]


def test_causal_biases() -> None:
    q, k, v = inputs(3, 5, 5)
    torch.testing.assert_close(attend(q, k, v, bias.causal_upper_left(3, 5)), attend(q, k, v, is_causal=True))
    lower = bias.causal_lower_right(3, 5)
    assert lower.variant is bias.CausalVariant.LOWER_RIGHT
    assert (lower.seq_len_q, lower.seq_len_kv) == (3, 5)
    torch.testing.assert_close(attend(q, k, v, lower)[:, :, -1:], attend(q[:, :, -1:], k, v))
    with pytest.raises(AssertionError, match="2D"):
        bias.causal_upper_left(3)
    with pytest.raises(AssertionError, match="CausalVariant"):
        bias.CausalBias(1, 2, 3)  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="NaNs"):
        bias.causal_lower_right(5, 3)
