"""Layers of normalisation, embedding and attention: their start, what training changes, printing, lazy kinds."""

from __future__ import annotations

import pickle

import pytest

import mini_torch as torch

nn = torch.nn


def test_batch_norm_follows_the_data_in_training_only() -> None:
    layer, x = nn.BatchNorm1d(2), torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    layer(x)
    assert layer.running_mean.tolist() == pytest.approx([0.2, 0.4])
    assert layer.running_var.tolist() == pytest.approx([0.9 + 0.2, 0.9 + 0.8])
    assert layer.num_batches_tracked.item() == 1
    layer.eval()(x)
    assert layer.num_batches_tracked.item() == 1
    layer.reset_running_stats()
    assert layer.running_var.tolist() == [1.0, 1.0]


def test_without_momentum_all_batches_count_alike() -> None:
    layer = nn.BatchNorm1d(1, momentum=None)
    for value in (1.0, 2.0, 6.0):
        layer(torch.full((3, 1), value))
    assert layer.running_mean.item() == pytest.approx(3.0)


def test_old_states_lack_the_number_of_batches() -> None:
    state = nn.BatchNorm2d(3).state_dict()
    del state["num_batches_tracked"], state._metadata
    assert not any(nn.BatchNorm2d(3).load_state_dict(state))


@pytest.mark.parametrize(
    ("layer", "shape", "printed"),
    [
        (nn.LazyBatchNorm2d(), (2, 3, 4, 4),
         "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"),
        (nn.LazyInstanceNorm1d(affine=False), (2, 3, 4),
         "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=True)"),
    ],
)  # fmt: skip
def test_lazy(layer: nn.Module, shape: tuple[int, ...], printed: str) -> None:
    assert layer(torch.ones(shape)).shape == shape
    assert repr(layer) == printed


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.BatchNorm1d(3), (2, 3, 4, 4)), (nn.BatchNorm2d(3), (2, 3)), (nn.InstanceNorm2d(3), (2, 3)),
     (nn.InstanceNorm1d(3, affine=True), (2, 4, 5))],
)  # fmt: skip
def test_other_shapes_are_refused(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        layer(torch.ones(shape))


def test_synchronised_is_the_same_with_one_process() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert isinstance(converted[1], nn.SyncBatchNorm)
    assert converted[1].running_mean is model[1].running_mean


def test_an_embedding_starts_normal_and_its_padding_zero() -> None:
    torch.manual_seed(0)
    layer = nn.Embedding(4, 3, padding_idx=-1)
    assert layer.weight[3].tolist() == [0.0, 0.0, 0.0]
    torch.manual_seed(0)
    assert layer.weight[:3].tolist() == torch.randn(4, 3)[:3].tolist()
    layer(torch.tensor([3, 1])).sum().backward()
    assert layer.weight.grad.sum(1).tolist() == [0.0, 3.0, 0.0, 0.0]
    frozen = nn.Embedding.from_pretrained(torch.ones(2, 2))
    assert not frozen.weight.requires_grad
    assert repr(nn.EmbeddingBag(4, 3, mode="sum")) == "EmbeddingBag(4, 3, mode='sum')"


def test_attention_layer() -> None:
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    assert list(layer.state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    x = torch.randn(3, 5, 4)
    out, weights = layer(x, x, x)
    assert out.shape == (3, 5, 4)
    assert weights.shape == (3, 5, 5)
    copy = pickle.loads(pickle.dumps(layer))
    assert copy(x, x, x)[0].tolist() == out.tolist()
    without = layer(x, x, x, need_weights=False)[0]
    torch.testing.assert_close(without, out)
    with pytest.raises(AssertionError, match="divisible"):
        nn.MultiheadAttention(5, 2)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_causal_decoder_does_not_see_the_future(norm_first: bool) -> None:
    torch.manual_seed(0)
    model = nn.Transformer(4, 2, 1, 1, 8, dropout=0.0, batch_first=True, norm_first=norm_first)
    src, tgt = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    mask = model.generate_square_subsequent_mask(5)
    before = model(src, tgt, tgt_mask=mask)
    tgt[:, 3:] = 7.0
    after = model(src, tgt, tgt_mask=mask)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_adaptive_softmax_is_a_distribution() -> None:
    torch.manual_seed(0)
    layer, x = nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2, 5], div_value=2), torch.randn(6, 8)
    log_prob = layer.log_prob(x)
    torch.testing.assert_close(log_prob.exp().sum(1), torch.ones(6))
    target = torch.tensor([0, 1, 3, 4, 6, 9])
    output, loss = layer(x, target)
    torch.testing.assert_close(output, log_prob.gather(1, target[:, None])[:, 0])
    torch.testing.assert_close(loss, -output.mean())
    assert layer.predict(x).tolist() == log_prob.argmax(1).tolist()
    with pytest.raises(RuntimeError, match="range"):
        layer(x, target + 1)
    with pytest.raises(ValueError, match="increasing"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 10, [5, 2])


LOSSES = [
    (nn.SoftMarginLoss(), (2, 3), (2, 3)), (nn.HingeEmbeddingLoss(), (2, 3), (2, 3)),
    (nn.MultiLabelSoftMarginLoss(), (2, 3), (2, 3)), (nn.PoissonNLLLoss(), (2, 3), (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "x", "y"), LOSSES, ids=lambda value: type(value).__name__)
def test_losses_of_two(loss: nn.Module, x: tuple[int, ...], y: tuple[int, ...]) -> None:
    assert loss(torch.zeros(x), torch.ones(y)).shape == ()


def test_losses_of_more() -> None:
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert nn.MarginRankingLoss(0.5)(x, y, torch.ones(1, 2)).item() == pytest.approx(0.75)
    assert nn.CosineEmbeddingLoss()(x, y, torch.tensor([1])).item() == pytest.approx(1.0)
    assert nn.TripletMarginLoss(eps=0.0)(x, x, y).item() == 0.0
    assert nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(1))(x, y, x).item() == 3.0
    assert nn.GaussianNLLLoss()(x, x, torch.ones(1, 2)).item() == 0.0
    assert nn.MultiMarginLoss()(x, torch.tensor([1])).item() == 1.0
    assert nn.MultiLabelMarginLoss()(x, torch.tensor([[1, -1]])).item() == 1.0
    assert nn.CTCLoss()(torch.zeros(1, 1, 2), torch.tensor([[1]]), [1], [1]).item() == 0.0
    assert nn.LinearCrossEntropyLoss(2, 3)(x, torch.tensor([1])).shape == ()
    with pytest.warns(FutureWarning, match="NLLLoss"):
        nn.NLLLoss2d()
    with pytest.raises(ValueError, match="margin"):
        nn.TripletMarginLoss(margin=0.0)
