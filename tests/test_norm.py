"""Normalisations: moments by hand, running averages, types, gradients of both orders, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.ops import fused_norm
from mini_torch.ops.reduction import sums

F = torch.nn.functional
DOUBLE = torch.float64


def batch(*shape: int) -> torch.Tensor:
    torch.manual_seed(0)
    return (3 * torch.randn(*shape, dtype=DOUBLE) + 1).requires_grad_()


NORMS = {
    "batch": (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (0, 2)),
    "instance": (lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (2,)),
    "group": (lambda x, w, b: F.group_norm(x, 4, w, b), (2,)),
    "one group": (lambda x, w, b: F.group_norm(x, 1, w, b), (1, 2)),
    "layer": (lambda x, w, b: F.layer_norm(x, (4, 5)), (1, 2)),
}


@pytest.mark.parametrize("name", NORMS)
def test_moments(name: str) -> None:
    norm, axes = NORMS[name]
    out = norm(batch(3, 4, 5), torch.ones(4, dtype=DOUBLE), torch.zeros(4, dtype=DOUBLE)).detach().numpy()
    np.testing.assert_allclose(out.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(out.var(axes), 1, rtol=1e-4)  # eps makes it a little less


@pytest.mark.parametrize("name", NORMS)
def test_gradients(name: str) -> None:
    norm, _ = NORMS[name]
    tensors = [batch(2, 4, 3) if name != "layer" else batch(2, 4, 5), batch(4), batch(4)]
    tensors = tensors[: 1 if name == "layer" else 3]
    f = (lambda x: norm(x, None, None)) if name == "layer" else norm
    assert gradcheck(f, tensors)
    assert gradgradcheck(f, tensors)


@pytest.mark.parametrize("name", NORMS)
def test_pieces_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    norm, _ = NORMS[name]
    x, weight, bias = batch(6, 4, 5), batch(4), batch(4)
    results = []
    for size in (fused_norm._PIECE, 100):
        monkeypatch.setattr(fused_norm, "_PIECE", size)
        out = norm(x, weight, bias)
        results.append([out, *torch.autograd.grad(out.square().sum(), [x, weight, bias], allow_unused=True)])
    for whole, by_pieces in zip(*results):
        if whole is not None:
            torch.testing.assert_close(by_pieces, whole)


def test_running_averages() -> None:
    x, mean, var = batch(6, 2).detach(), torch.zeros(2, dtype=DOUBLE), torch.ones(2, dtype=DOUBLE)
    F.batch_norm(x, mean, var, training=True, momentum=0.25)
    torch.testing.assert_close(mean, 0.25 * x.mean(0))
    torch.testing.assert_close(var, 0.75 + 0.25 * x.var(0))  # the unbiased one
    before = mean.clone()
    out = F.batch_norm(x, mean, var)
    assert mean.tolist() == before.tolist()
    torch.testing.assert_close(out, (x - mean) / (var + 1e-5).sqrt())


def test_running_averages_over_samples() -> None:
    x, mean, var = batch(3, 2, 5).detach(), torch.zeros(2, dtype=DOUBLE), torch.ones(2, dtype=DOUBLE)
    F.instance_norm(x, mean, var, momentum=1.0)
    torch.testing.assert_close(mean, x.mean(2).mean(0))
    torch.testing.assert_close(var, x.var(2).mean(0))


def test_float16_keeps_its_type_and_float32_precision() -> None:
    x = torch.full((1, 1000), 300.0, dtype=torch.float16)
    x[0, 0] = 301.0  # the squares overflow float16
    for out in (F.layer_norm(x, (1000,)), F.rms_norm(x, (1000,)), F.group_norm(x[:, None], 1)):
        assert out.dtype is torch.float16
        assert bool(torch.isfinite(out).all())
    weight = torch.ones(1000, requires_grad=True)
    out = F.layer_norm(x, (1000,), weight)
    assert out.dtype is torch.float16
    out.sum().backward()
    assert weight.grad.dtype is torch.float32


def test_strided_inputs() -> None:
    x = batch(4, 3).detach()
    torch.testing.assert_close(F.layer_norm(x.T, (4,)), F.layer_norm(x.T.contiguous(), (4,)))


def test_rms_norm_by_hand() -> None:
    assert F.rms_norm(torch.tensor([3.0, 4.0]), (2,), eps=0.0).tolist() == pytest.approx([0.6 * 2**0.5, 0.8 * 2**0.5])


def test_local_response_by_hand() -> None:
    x = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1)
    out = F.local_response_norm(x, 3, alpha=3.0, beta=1.0, k=1.0).ravel().tolist()
    assert out == pytest.approx([1 / 6, 2 / 15, 3 / 14])
    assert gradcheck(lambda x: F.local_response_norm(x, 2, alpha=0.5), batch(2, 3, 2))
    assert gradgradcheck(lambda x: F.local_response_norm(x, 2, alpha=0.5), batch(2, 3, 2))


def test_torch_forms_give_the_moments() -> None:
    x = batch(3, 4, 5)
    out, mean, _ = torch.native_layer_norm(x, (4, 5), None, None, 1e-5)
    torch.testing.assert_close(out, F.layer_norm(x, (4, 5)))
    torch.testing.assert_close(mean.ravel(), x.mean((1, 2)).detach())
    assert not mean.requires_grad
    assert torch.native_group_norm(x, None, None, 3, 4, 5, 2, 1e-5)[1].shape == (3, 2)
    assert torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[2].shape == (4,)
    expected = F.batch_norm(x, None, None, training=True)
    torch.testing.assert_close(torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False), expected)
    torch.testing.assert_close(torch.norm_except_dim(x, 2, 1).ravel(), x.detach().square().sum((0, 2)).sqrt())


ONE = torch.ones(2, 4)


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (RuntimeError, "normalized_shape", lambda: F.layer_norm(ONE, (3,))),
        (RuntimeError, "at least 1-dimensional", lambda: F.layer_norm(ONE, ())),
        (RuntimeError, "same shape", lambda: F.layer_norm(ONE, (4,), torch.ones(3))),
        (RuntimeError, "divisible", lambda: F.group_norm(ONE, 3)),
        (RuntimeError, "at least 2", lambda: F.group_norm(torch.ones(4), 2)),
        (ValueError, "more than 1 value", lambda: F.batch_norm(ONE[:1], None, None, training=True)),
        (ValueError, "more than 1 spatial", lambda: F.instance_norm(ONE[:, :, None])),
        (ValueError, "eps", lambda: F.batch_norm(ONE, None, None, training=True, eps=0.0)),
        (RuntimeError, "running_mean", lambda: F.batch_norm(ONE, None, None)),
        (RuntimeError, "4 elements not 3", lambda: F.batch_norm(ONE, torch.ones(3), torch.ones(4))),
        (NotImplementedError, "Long", lambda: F.layer_norm(ONE.long(), (4,))),
        (ValueError, "3D", lambda: F.local_response_norm(ONE, 2)),
    ],
)
def test_refusals(error: type[Exception], words: str, call: Any) -> None:
    with pytest.raises(error, match=words):
        call()


# ---- large arrays ---------------------------------------------------------------------------------------------------
LARGE = {
    "batch": (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (8, 16, 24, 24), 16),
    "batch of one": (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (1, 16, 70, 70), 16),
    "group": (lambda x, w, b: F.group_norm(x, 4, w, b), (8, 16, 24, 24), 16),
    "instance": (lambda x, w, b: F.instance_norm(x, weight=w, bias=b), (8, 16, 24, 24), 16),
    "layer": (lambda x, w, b: F.layer_norm(x, (96,), w, b), (900, 96), 96),
    "layer of long rows": (lambda x, w, b: F.layer_norm(x, (700,), w, b), (201, 700), 700),
}


@pytest.mark.parametrize("mean", [0.3, 1000.0])
@pytest.mark.parametrize("name", LARGE)
def test_float32_is_as_good_as_its_numbers(name: str, mean: float) -> None:
    """Also where the mean is far larger than the deviation: moments as mean(x²) - mean² would then say nothing."""
    norm, shape, count = LARGE[name]
    torch.manual_seed(0)
    x, weight, bias, g = torch.randn(shape) + mean, torch.rand(count) + 0.5, torch.randn(count), torch.randn(shape)
    results = []
    for kind in (torch.float32, DOUBLE):
        leaves = [v.detach().to(kind).requires_grad_() for v in (x, weight, bias)]
        out = norm(*leaves)
        results.append([out.detach(), *torch.autograd.grad(out, leaves, g.to(kind))])
    tolerance = 2e-5 if mean < 1 else 2e-3  # a number near 1000 is exact to 3e-5 of the deviation
    for single, double in zip(*results):
        size = double.abs().max().item()
        np.testing.assert_allclose(single.numpy() / size, double.numpy() / size, atol=tolerance)


def test_what_is_kept_is_not_the_result() -> None:
    """A layer norm without weights: its result may be changed in place before backward."""
    x = batch(3, 5)
    out = F.layer_norm(x, (5,))
    g = torch.randn(3, 5, dtype=DOUBLE)
    (expected,) = torch.autograd.grad(out, x, g, retain_graph=True)
    out.detach().mul_(0)
    assert torch.autograd.grad(out, x, g)[0].equal(expected)


def test_frozen_input_and_missing_weights() -> None:
    x = batch(4, 3, 5).detach()
    for norm in (F.batch_norm, F.instance_norm):
        options = {"training": True} if norm is F.batch_norm else {}
        bias = batch(3)
        out = norm(x, None, None, None, bias, **options)
        out.sum().backward()
        np.testing.assert_allclose(bias.grad.numpy(), 20)


def test_mean_and_scale_have_gradients() -> None:
    x, weight, bias = batch(2, 4, 3), batch(4), batch(4)
    assert gradcheck(lambda *given: torch.native_group_norm(*given, 2, 4, 3, 2, 1e-5), (x, weight, bias))


def test_nothing_has_no_moments() -> None:
    assert F.instance_norm(torch.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert F.layer_norm(torch.zeros(0, 4), (4,)).shape == F.group_norm(torch.zeros(0, 4), 2).shape == (0, 4)


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (9, 3, 60, 60)])
def test_by_running_averages(shape: tuple[int, ...]) -> None:
    """In evaluation, with gradients of everything but the averages, which may move before backward."""
    x, weight, bias = batch(*shape), batch(3), batch(3)
    mean, var = torch.tensor([0.5, -1.0, 30.0], dtype=DOUBLE), torch.tensor([0.5, 2.0, 1.0], dtype=DOUBLE)
    out = F.batch_norm(x, mean, var, weight, bias)
    over = (3, *(1,) * (len(shape) - 2))
    centred = (x - mean.reshape(over)) / (var + 1e-5).sqrt().reshape(over)
    expected = centred * weight.reshape(over) + bias.reshape(over)
    torch.testing.assert_close(out, expected)
    g = torch.randn(shape, dtype=DOUBLE)
    wanted = torch.autograd.grad(expected, (x, weight, bias), g)
    mean.mul_(2)
    for a, b in zip(torch.autograd.grad(out, (x, weight, bias), g), wanted):
        torch.testing.assert_close(a, b)


def test_by_running_averages_twice() -> None:
    mean, var = torch.tensor([0.5, -1.0, 3.0], dtype=DOUBLE), torch.tensor([0.5, 2.0, 1.0], dtype=DOUBLE)
    tensors = [batch(4, 3), batch(3), batch(3)]
    assert gradgradcheck(lambda x, w, b: F.batch_norm(x, mean, var, w, b), tensors)
    assert F.batch_norm(batch(4, 3).half(), mean.half(), var.half()).dtype is torch.float16
    single = F.batch_norm(batch(4, 3).float(), mean, var)  # averages of another type are brought to the input's
    assert single.dtype is torch.float32


def test_a_large_batch_of_vectors_is_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight, bias = batch(40, 6), batch(6), batch(6)
    results = []
    for size in (1 << 18, 100):
        monkeypatch.setattr(fused_norm, "_PIECE", size)
        for given in ((weight, bias), (None, bias), (weight, None)):
            out = F.batch_norm(x, None, None, *given, training=True)
            results.append([out, *torch.autograd.grad(out.square().sum(), [x, *[v for v in given if v is not None]])])
    for small, large in zip(results[:3], results[3:]):
        for a, b in zip(small, large):
            torch.testing.assert_close(a, b)


def test_dots_without_vecdot() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    np.testing.assert_allclose(sums._dots_by_matmul(x, y), (x * y).sum(-1))


def test_a_single_value_has_no_gradient() -> None:
    x, weight = torch.randn(5, 1, requires_grad=True), torch.tensor([1.7])
    F.layer_norm(x, (1,), weight, weight).backward(torch.randn(5, 1))
    assert x.grad.tolist() == [[0.0]] * 5
