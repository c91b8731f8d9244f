"""The Transformer: PyTorch's numbers, gradients, masks in all their forms, padding that is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck

nn = torch.nn
PADDING = torch.tensor([[False, False, False, False], [False, False, True, True]])


def encoder(**options: Any) -> Any:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, **options)
    return nn.TransformerEncoder(layer, 2, nn.LayerNorm(4)).double()


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_pytorchs_numbers() -> None:
    """Of its stream for the start and for the dropouts."""
    torch.manual_seed(5)
    model = nn.Transformer(4, 2, 1, 1, 8, batch_first=True)
    src, tgt = torch.randn(2, 3, 4), torch.randn(2, 2, 4)
    torch.manual_seed(2)
    np.testing.assert_allclose(model(src, tgt)[0, 0].tolist(), [1.081869, 0.855426, -1.30122, -0.636075], atol=5e-6)
    start = model.encoder.layers[0].self_attn.in_proj_weight[0].tolist()
    assert start == [0.33698374032974243, 0.2303784340620041, 0.48860472440719604, -0.1507713347673416]


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_layer_is_its_parts(norm_first: bool) -> None:
    layer = encoder(norm_first=norm_first, activation="gelu").layers[0]
    x = torch.randn(2, 4, 4, dtype=torch.float64)

    def attend(x: torch.Tensor) -> torch.Tensor:
        return layer.self_attn(x, x, x)[0]

    def forward(x: torch.Tensor) -> torch.Tensor:
        return layer.linear2(nn.functional.gelu(layer.linear1(x)))

    expected = x
    for block, norm in ((attend, layer.norm1), (forward, layer.norm2)):
        expected = expected + block(norm(expected)) if norm_first else norm(expected + block(expected))
    same(layer(x), expected)


def test_gradients() -> None:
    torch.manual_seed(0)
    model = nn.Transformer(4, 2, 1, 1, 4, dropout=0.0, activation="gelu", dtype=torch.float64)
    src, tgt = (torch.randn(n, 1, 4, dtype=torch.float64, requires_grad=True) for n in (3, 2))
    assert gradcheck(lambda src, tgt: model(src, tgt, tgt_mask=causal(2)), (src, tgt))


def causal(n: int) -> torch.Tensor:
    return nn.Transformer.generate_square_subsequent_mask(n, dtype=torch.float64)


def test_forms_of_masks() -> None:
    model, x = encoder(), torch.randn(2, 4, 4, dtype=torch.float64)
    expected = model(x, mask=causal(4))
    same(model(x, mask=causal(4).isinf()), expected)  # True is left out
    same(model(x, mask=causal(4), is_causal=True), expected)
    same(model(x, mask=causal(4).expand(4, 4, 4)), expected)  # one for every sample and head
    same(model(x[0], mask=causal(4)), expected[0])
    as_numbers = torch.zeros(2, 4, dtype=torch.float64).masked_fill(PADDING, -torch.inf)
    same(model(x, src_key_padding_mask=PADDING), model(x, src_key_padding_mask=as_numbers))
    with pytest.raises(RuntimeError, match="Need attn_mask"):
        model(x, is_causal=True)


def test_padding_is_not_looked_at() -> None:
    model, x = encoder(), torch.randn(2, 4, 4, dtype=torch.float64)
    out = model(x, src_key_padding_mask=PADDING)
    same(out[1, :2], model(x[1:, :2])[0])
    assert out[1, 2:].abs().min() > 0


def test_padding_is_left_out_in_evaluation() -> None:
    """As by PyTorch, and only where PyTorch does it."""
    x = torch.randn(2, 4, 4, dtype=torch.float64)
    model = encoder().eval()
    model.norm = None
    with torch.no_grad():
        out = model(x, src_key_padding_mask=PADDING)
        assert out[1, 2:].count_nonzero() == 0
        same(out[1, :2], model(x[1:, :2])[0])
        others = [
            (encoder(norm_first=True).eval(), PADDING), (encoder(activation=torch.tanh).eval(), PADDING),
            (encoder(), PADDING), (model, PADDING.flip(1)),
        ]  # fmt: skip
        for other, padding in others:
            assert other(x, src_key_padding_mask=padding).count_nonzero() == x.numel()
    assert model(x, src_key_padding_mask=PADDING).count_nonzero() == x.numel()


def test_refusals() -> None:
    model = nn.Transformer(4, 2, 1, 1, 8)
    with pytest.raises(RuntimeError, match="batch number"):
        model(torch.ones(3, 2, 4), torch.ones(3, 1, 4))
    with pytest.raises(RuntimeError, match="feature number"):
        model(torch.ones(3, 2, 4), torch.ones(3, 2, 5))
    with pytest.raises(RuntimeError, match="relu/gelu, not sine"):
        nn.TransformerDecoderLayer(4, 2, activation="sine")
    assert nn.modules.linear.NonDynamicallyQuantizableLinear in {type(m) for m in model.modules()}
