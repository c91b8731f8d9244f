"""bfloat16: what is computed is float32's result, rounded once, and so are its gradients. Needs ml_dtypes."""

import numpy as np
import pytest

import mini_torch as mt
from mini_torch import nn
from mini_torch.nn import functional as F

pytest.importorskip("ml_dtypes")


def numbers(*shape):
    """Numbers that bfloat16 holds, so that float32 starts from the same."""
    return mt.tensor(np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)).bfloat16()


def both(function, *inputs):
    """function's result and gradients for bfloat16, and for the same numbers in float32, rounded."""
    for kind in (mt.bfloat16, mt.float32):
        args = [x.detach().to(kind).requires_grad_() if x.is_floating_point() else x for x in inputs]
        out = function(*args)
        weights = (mt.arange(out.numel()) % 7 + 1).reshape(out.shape).to(kind)
        found = [out, *mt.autograd.grad(out, [x for x in args if x.requires_grad], weights)]
        assert all(x.dtype is kind for x in found)
        yield [x.detach().bfloat16().float().numpy() for x in found]


x, image, rows = numbers(4, 6), numbers(2, 4, 6, 6), numbers(5, 6)
classes = mt.tensor([0, 5, 2, 1])
ONCE = {
    "relu": (F.relu, x),
    "gelu": (F.gelu, x),
    "silu": (F.silu, x),
    "elu": (F.elu, x),
    "glu": (F.glu, x),
    "softmax": (lambda x: F.softmax(x, 1), x),
    "log_softmax": (lambda x: F.log_softmax(x, dim=0), x),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (6,), w, b), x, numbers(6), numbers(6)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (6,), w, 1e-3), x, numbers(6)),
    "group_norm": (lambda x, w: F.group_norm(x, 2, w), image, numbers(4)),
    "batch_norm": (lambda x, w: F.batch_norm(x, None, None, w, training=True), image, numbers(4)),
    "instance_norm": (F.instance_norm, image),
    "conv1d": (F.conv1d, numbers(2, 3, 8), numbers(4, 3, 3), numbers(4)),
    "conv2d": (lambda x, w: F.conv2d(x, w, padding=1), image, numbers(3, 4, 3, 3)),
    "conv_transpose2d": (F.conv_transpose2d, image, numbers(4, 3, 2, 2)),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), image),
    "max_unpool2d": (lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), image),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, 2), image),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 2), image),
    "adaptive_max_pool1d": (lambda x: F.adaptive_max_pool1d(x, 2), x),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), image),
    "pad": (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), image),
    "unfold": (lambda x: F.unfold(x, 2), image),
    "grid_sample": (lambda x, g: F.grid_sample(x, g, align_corners=False), image, numbers(2, 3, 3, 2) / 4),
    "affine_grid": (lambda t: F.affine_grid(t, (2, 1, 3, 3), align_corners=False), numbers(2, 2, 3)),
    "embedding_bag": (lambda w: F.embedding_bag(mt.tensor([[1, 2], [3, 1]]), w), rows),
    "cross_entropy": (lambda x: F.cross_entropy(x, classes), x),
    "nll_loss": (lambda x: F.nll_loss(x, classes), x),
    "mse_loss": (F.mse_loss, x, numbers(4, 6) * 2),
    "huber_loss": (F.huber_loss, x, x * 3),
    "margin_ranking_loss": (F.margin_ranking_loss, x, numbers(4, 6) * 2, x),
    "hinge_embedding_loss": (lambda x: F.hinge_embedding_loss(x, mt.ones(4, 6)), x),
    "attention": (F.scaled_dot_product_attention, *[numbers(2, 5, 4) * n for n in (1, 2, 3)]),
    "cosine_similarity": (F.cosine_similarity, x, x * 2 + 1),
    "vector_norm": (lambda x: mt.linalg.vector_norm(x, dim=1), x),
    "var": (lambda x: x.var(1), x),
    "lerp": (lambda x, y: x.lerp(y, 0.25), x, x * 3),
    "nanmean": (lambda x: x.nanmean(1), x),
}


@pytest.mark.parametrize("name", ONCE)
def test_as_float32_rounded_once(name):
    for found, expected in zip(*both(*ONCE[name])):
        np.testing.assert_allclose(found, expected, rtol=2**-7, atol=2**-7 * np.abs(expected).max())


def test_values_of_softmax_are_the_nearest():
    found = F.softmax(mt.tensor([0.0, 1.0, 2.0]).bfloat16(), 0)
    assert found.tolist() == [0.08984375, 0.2451171875, 0.6640625]  # 0.09003, 0.24473, 0.66524


def test_the_type_asked_for():
    half = x.float().softmax(0, dtype=mt.bfloat16)
    assert half.dtype is mt.bfloat16
    assert mt.equal(half, F.softmax(x, 0))
    assert F.softmax(x, 0, dtype=mt.float32).dtype is mt.float32
    assert mt.equal(F.softmax(x, 0, dtype=mt.bfloat16), half)


def test_random_choices():
    mt.manual_seed(0)
    chosen = F.gumbel_softmax(x, hard=True)
    assert chosen.dtype is mt.bfloat16
    assert chosen.sum(1).tolist() == [1.0] * 4


def test_in_place_writes_into_the_input():
    y = x.clone()
    assert F.silu(y, inplace=True) is y
    assert mt.equal(y, F.silu(x))
    leaf = x.clone().requires_grad_()
    F.elu(leaf * 1, 1.0, inplace=True).sum().backward()
    assert leaf.grad.dtype is mt.bfloat16


def test_running_averages_move():
    layer = nn.BatchNorm2d(4).bfloat16()
    same = nn.BatchNorm2d(4)
    layer(image), same(image.float())
    assert layer.running_mean.dtype is layer.running_var.dtype is mt.bfloat16
    assert mt.equal(layer.running_mean, same.running_mean.bfloat16())
    assert mt.equal(layer.running_var, same.running_var.bfloat16())
    assert layer.eval()(image).dtype is mt.bfloat16


def test_rounding_and_what_is_no_number():
    special = mt.tensor([0.5, 1.5, -2.25, float("nan"), float("inf")]).bfloat16()
    assert special[:3].round().tolist() == [0.0, 2.0, -2.0]
    assert special[:3].round(decimals=1).dtype is mt.bfloat16
    assert special[:4].nansum().item() == -0.25
    assert special.nan_to_num(7.0).tolist() == [0.5, 1.5, -2.25, 7.0, mt.finfo(mt.bfloat16).max]
    assert special[:3].clamp(min=mt.tensor(0.0)).tolist() == [0.5, 1.5, 0.0]


@pytest.mark.parametrize("call", [
    lambda: F.avg_pool3d(numbers(1, 2, 4, 4, 4), 2),
    lambda: F.multi_margin_loss(x, classes),
    lambda: F.ctc_loss(numbers(6, 1, 5), mt.tensor([[1, 2]]), mt.tensor([6]), mt.tensor([2])),
])  # fmt: skip
def test_refused_as_by_pytorch(call):
    with pytest.raises(NotImplementedError, match="not implemented for 'BFloat16'"):
        call()


def test_matrices_for_lapack_are_refused():
    with pytest.raises(RuntimeError, match="Expected a floating point or complex tensor"):
        mt.linalg.qr(x)


@pytest.mark.parametrize("layer", [
    nn.LSTM(6, 3), nn.GRU(6, 3), nn.RNN(6, 3), nn.MultiheadAttention(6, 2), nn.TransformerEncoderLayer(6, 2, 8, 0.0),
], ids=lambda layer: type(layer).__name__)  # fmt: skip
def test_layers_give_gradients_in_their_type(layer):
    layer.bfloat16()
    given = numbers(5, 2, 6)
    out = layer(given, given, given) if isinstance(layer, nn.MultiheadAttention) else layer(given)
    out = out[0] if isinstance(out, tuple) else out
    out.square().mean().backward()
    assert out.dtype is mt.bfloat16
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.dtype is mt.bfloat16, name


@pytest.mark.parametrize("optimizer", [mt.optim.SGD, mt.optim.AdamW, mt.optim.RMSprop])
def test_a_small_network_learns(optimizer):
    mt.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.LayerNorm(8), nn.Linear(8, 2)).bfloat16()  # fmt: skip
    inputs, targets = numbers(8, 4, 6, 6), mt.arange(8) % 2
    step = optimizer(net.parameters(), lr=0.02)
    losses = []
    for _ in range(20):
        step.zero_grad()
        loss = F.cross_entropy(net(inputs), targets)
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert all(p.dtype is mt.bfloat16 for p in net.parameters())
    assert losses[-1] < 0.8 * losses[0]
