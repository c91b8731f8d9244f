"""Attention: the block-by-block rows against the formula, masks, shared heads, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.ops import attention_blocks

F = torch.nn.functional
attend = F.scaled_dot_product_attention


def inputs(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def by_the_formula(q: Any, k: Any, v: Any, bias: Any = 0.0) -> Any:
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1]) + bias
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


@pytest.fixture(params=[1 << 19, 200, 1], ids=["whole", "a few rows", "row by row"])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(attention_blocks, "_BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("width", [1, 4], ids=["more weights than inputs", "fewer"])
def test_values_do_not_depend_on_the_blocks(block: int, width: int) -> None:
    q, k, v, bias = inputs((2, 3, 5, width), (2, 3, 7, width), (2, 3, 7, width), (3, 5, 7))
    expected = by_the_formula(*[x.detach().numpy() for x in (q, k, v, bias)])
    np.testing.assert_allclose(attend(q, k, v, bias).detach().numpy(), expected, rtol=1e-12)


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("width", [1, 4], ids=["more weights than inputs", "fewer"])
@pytest.mark.parametrize("bias", [(5, 7), (2, 1, 1, 7), (2, 3, 5, 7), (3, 1, 7)])
def test_gradients(block: int, bias: tuple[int, ...], width: int) -> None:
    tensors = inputs((2, 3, 5, width), (2, 3, 7, width), (2, 3, 7, 2), bias)
    assert gradcheck(lambda q, k, v, b: attend(q, k, v, b), tensors, fast_mode=True)


@pytest.mark.parametrize(("queries", "keys", "width"), [(3, 9, 1), (9, 3, 1), (12, 12, 1), (3, 5, 4), (12, 12, 9)])
def test_gradients_of_causal_attention(block: int, queries: int, keys: int, width: int) -> None:
    tensors = inputs((2, queries, width), (2, keys, width), (2, keys, 2))
    assert gradcheck(lambda q, k, v: attend(q, k, v, is_causal=True), tensors, fast_mode=True)


def test_second_gradients() -> None:
    assert gradgradcheck(lambda q, k, v, b: attend(q, k, v, b), inputs((2, 3, 2), (2, 4, 2), (2, 4, 3), (3, 4)))


def test_inputs_that_broadcast_get_their_own_shape_back() -> None:
    q, k, v = inputs((2, 3, 4), (1, 5, 4), (5, 4))
    attend(q, k, v).sum().backward()
    assert [x.grad.shape for x in (q, k, v)] == [(2, 3, 4), (1, 5, 4), (5, 4)]


def test_a_query_that_may_look_at_nothing_gets_zero() -> None:
    q, k, v = inputs((3, 2), (4, 2), (4, 2))
    mask = torch.tensor([[True] * 4, [False] * 4, [True, False, False, False]])
    out = attend(q, k, v, mask)
    assert out[1].tolist() == [0.0, 0.0]
    assert out[2].tolist() == v[0].tolist()
    out.sum().backward()
    assert all(bool(torch.isfinite(x.grad).all()) for x in (q, k, v))
    assert q.grad[1].tolist() == [0.0, 0.0]


def test_causal_is_the_lower_triangle() -> None:
    q, k, v = inputs((4, 2), (6, 2), (6, 2))
    lower = torch.ones(4, 6, dtype=torch.bool).tril()
    causal, masked = attend(q, k, v, is_causal=True), attend(q, k, v, lower)
    torch.testing.assert_close(causal, masked)
    for a, b in zip(*[torch.autograd.grad(out.square().sum(), [q, k, v]) for out in (causal, masked)]):
        torch.testing.assert_close(a, b)  # 0 for the keys that no query sees


MASKS = {
    "none": lambda length: None,
    "for all": lambda length: torch.rand(length, 5) > 0.3,
    "of a head": lambda length: torch.randn(2, 6, length, 5),
    "of a row": lambda length: torch.randn(2, 1, length, 5),
}


@pytest.mark.parametrize("length", [1, 3, 40])
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, *({"attn_mask": name} for name in MASKS)])
def test_shared_heads_are_as_if_each_had_its_own_copy(options: dict[str, Any], length: int) -> None:
    q, k, v = inputs((2, 6, length, 4), (2, 2, 5, 4), (2, 2, 5, 3))
    if "attn_mask" in options:
        options = {"attn_mask": MASKS[options["attn_mask"]](length)}
    repeated = attend(q, k.repeat_interleave(3, 1), v.repeat_interleave(3, 1), **options)
    shared = attend(q, k, v, enable_gqa=True, **options)
    torch.testing.assert_close(shared, repeated)
    for a, b in zip(*[torch.autograd.grad(out.square().sum(), [q, k, v]) for out in (shared, repeated)]):
        torch.testing.assert_close(a, b)
    with torch.no_grad():
        torch.testing.assert_close(attend(q, k, v, enable_gqa=True, **options), repeated)


def test_shared_heads_with_dropout_and_of_two_numbers() -> None:
    q, k, v = inputs((2, 6, 3, 4), (2, 2, 5, 4), (2, 3, 5, 4))
    repeated = attend(q, k.repeat_interleave(3, 1), v.repeat_interleave(2, 1))
    torch.testing.assert_close(attend(q, k, v, enable_gqa=True), repeated)
    assert attend(q, k, k, dropout_p=0.5, enable_gqa=True).shape == (2, 6, 3, 4)
    with pytest.raises(RuntimeError, match="must divide the number of heads in query: 4, 6"):
        attend(q, *inputs((2, 4, 5, 4), (2, 4, 5, 4)), enable_gqa=True)


@pytest.mark.parametrize("score", [200.0, -200.0, 0.0, np.inf, -np.inf])
def test_a_single_query_with_scores_of_any_size(score: float) -> None:
    q, k, v = torch.ones(1, 1), torch.tensor([[score], [score], [-np.inf]]), torch.tensor([[1.0], [3.0], [7.0]])
    with torch.no_grad():
        few, many = attend(q, k, v), attend(q.expand(9, 1), k, v)
    torch.testing.assert_close(few.expand(9, 1), many, equal_nan=True)
    assert few.item() == 2.0 or math.isinf(score)


def test_float16_is_computed_in_float32() -> None:
    q = torch.full((1, 64), 30.0, dtype=torch.float16)  # the score, 900 · 64 / 8, is out of float16's precision
    out = attend(q, torch.cat([q, q]), torch.tensor([[1.0], [3.0]], dtype=torch.float16))
    assert out.dtype is torch.float16
    assert out.item() == 2.0


def test_dropout_is_drawn_anew_and_keeps_the_mean() -> None:
    q, k, v = torch.zeros(1, 4), torch.zeros(5000, 4), torch.ones(5000, 1)
    first, second = (attend(q, k, v, dropout_p=0.5).item() for _ in range(2))
    assert first != second
    assert first == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("error", "words", "arguments", "options"),
    [
        (RuntimeError, "same dtype", (torch.ones(2, 2), torch.ones(2, 2).double(), torch.ones(2, 2)), {}),
        (RuntimeError, "2 dimensional", (torch.ones(2), torch.ones(2, 2), torch.ones(2, 2)), {}),
        (RuntimeError, "do not fit", (torch.ones(2, 3), torch.ones(2, 2), torch.ones(2, 2)), {}),
        (RuntimeError, "is_causal", (torch.ones(2, 2),) * 4, {"is_causal": True}),
        (RuntimeError, "mask dtype", (*(torch.ones(2, 2),) * 3, torch.ones(2, 2).long()), {}),
        (RuntimeError, "broadcast", (*(torch.ones(2, 2),) * 3, torch.ones(2, 3)), {}),
        (RuntimeError, "between 0 and 1", (torch.ones(2, 2),) * 3, {"dropout_p": 1.5}),
        (TypeError, "must be Tensor", (1, torch.ones(2, 2), torch.ones(2, 2)), {}),
    ],
)
def test_refusals(error: type[Exception], words: str, arguments: Any, options: dict[str, Any]) -> None:
    with pytest.raises(error, match=words):
        attend(*arguments, **options)


def test_heads_by_hand() -> None:
    """Two heads of width 1, projections that change nothing: two attentions side by side."""
    (x,) = inputs((3, 1, 2))
    eye, weights = torch.eye(2, dtype=torch.float64), torch.cat([torch.eye(2, dtype=torch.float64)] * 3)
    out, seen = F.multi_head_attention_forward(x, x, x, 2, 2, weights, None, None, None, False, 0.0, eye, None)
    heads = [attend(x[:, 0, [h]], x[:, 0, [h]], x[:, 0, [h]]) for h in (0, 1)]
    torch.testing.assert_close(out[:, 0], torch.cat(heads, 1))
    torch.testing.assert_close(seen.sum(-1), torch.ones(1, 3, dtype=torch.float64))


def test_padding_is_not_looked_at() -> None:
    (x,) = inputs((4, 2, 2))
    eye, weights = torch.eye(2, dtype=torch.float64), torch.cat([torch.eye(2, dtype=torch.float64)] * 3)
    padding = torch.tensor([[False, False, True, True], [False] * 4])
    for need_weights in (True, False):
        out, seen = F.multi_head_attention_forward(
            x, x, x, 2, 1, weights, None, None, None, False, 0.0, eye, None, key_padding_mask=padding,
            need_weights=need_weights,
        )  # fmt: skip
        torch.testing.assert_close(out[:, 0], attend(x[:, 0], x[:2, 0], x[:2, 0]))
        if need_weights:
            assert seen[0, :, 2:].abs().max().item() == 0.0


@pytest.mark.parametrize("size", [0.1, 100.0])
def test_large_scores_and_small_ones(block: int, size: float) -> None:
    """Where every score is small, exp takes no shift by each query's largest; where not, it must."""
    q, k, v = (size * x.detach() for x in inputs((2, 6, 4), (2, 7, 4), (2, 7, 3)))
    leaves = [x.float().requires_grad_() for x in (q, k, v)]
    out = attend(*leaves)
    np.testing.assert_allclose(out.detach().numpy(), by_the_formula(*[x.numpy() for x in (q, k, v)]), rtol=1e-3)
    out.sum().backward()
    assert all(bool(torch.isfinite(x.grad).all()) for x in leaves)


def test_a_bias_far_from_zero_is_a_shift() -> None:
    q, k, v = inputs((2, 5, 4), (2, 6, 4), (2, 6, 3))
    for far in (-1e9, 300.0):
        torch.testing.assert_close(attend(q, k, v, torch.full((5, 6), far, dtype=torch.float64)), attend(q, k, v))


def test_no_keys_and_no_queries() -> None:
    q, k, v = inputs((2, 3, 4), (2, 0, 4), (2, 0, 5))
    out = attend(q, k, v)
    assert out.tolist() == torch.zeros(2, 3, 5).tolist()
    out.sum().backward()
    assert q.grad.abs().max().item() == 0
    assert attend(k, q, q).shape == (2, 0, 4)


def test_its_result_may_be_changed_in_place() -> None:
    q, k, v = inputs((3, 4), (5, 4), (5, 4))
    out = attend(q, k, v)
    expected = torch.autograd.grad(out.sum(), q, retain_graph=True)[0]
    out.detach().zero_()
    assert torch.autograd.grad(out.sum(), q)[0].equal(expected)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("masked", ["", "attn_mask", "key_padding_mask", "causal"])
def test_self_attention_is_that_of_three_equal_tensors(batch_first: bool, masked: str) -> None:
    """Of one tensor, heads are attended where they lie; of equal ones, each goes its own way."""
    layer = torch.nn.MultiheadAttention(8, 2, batch_first=batch_first, dtype=torch.float64)
    (x,) = inputs((3, 5, 8))
    length, batch = (5, 3) if batch_first else (3, 5)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(length, dtype=torch.float64)
    padding = torch.zeros(batch, length, dtype=torch.bool)
    padding[1, -1] = True
    options: Any = {
        "": {}, "attn_mask": {"attn_mask": torch.randn(batch * 2, length, length, dtype=torch.float64)},
        "key_padding_mask": {"key_padding_mask": padding}, "causal": {"attn_mask": causal, "is_causal": True},
    }[masked]  # fmt: skip
    parameters = [x, *layer.parameters()]
    results = []
    for key in (x, x.clone()):
        out = layer(x, key, key, need_weights=False, **options)[0]
        results.append([out, *torch.autograd.grad(out.square().sum(), parameters)])
    for a, b in zip(*results):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("batch_first", [True, False])
def test_second_gradients_of_self_attention(batch_first: bool) -> None:
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=batch_first, dtype=torch.float64)
    assert gradgradcheck(lambda x: layer(x, x, x, need_weights=False)[0], inputs((1, 2, 4)))
