"""Losses: values at the extremes, weights and reductions, wrong use. Their gradients are in `test_table.py` too."""

from __future__ import annotations

import math
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.loss import HalfSquaredError, SquaredError


# ---- squared errors ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(64, 1), (3,), (), (200, 50)])
def test_half_squared_error_is_half_of_mse(shape: tuple[int, ...]) -> None:
    x, y = mini_torch.randn(shape).requires_grad_(), mini_torch.randn(shape).requires_grad_()
    loss = HalfSquaredError()(x, y)
    loss.backward()
    n = x.numel()
    difference = (x - y).detach()
    assert loss.item() == pytest.approx(((x - y) ** 2).mean().item() / 2, rel=1e-5)
    np.testing.assert_allclose(x.grad.numpy(), (difference / n).numpy(), rtol=1e-5)
    np.testing.assert_allclose(y.grad.numpy(), (-difference / n).numpy(), rtol=1e-5)
    assert loss.dtype == x.grad.dtype == mini_torch.float32
    assert SquaredError is HalfSquaredError
    total = HalfSquaredError("sum")(x, y).item()
    assert total == pytest.approx(((x - y) ** 2).sum().item() / 2, rel=1e-4)
    each = HalfSquaredError("none")(x, y)
    np.testing.assert_allclose(each.detach().numpy(), (difference**2 / 2).numpy(), rtol=1e-5)


def test_mse(torch: ModuleType) -> None:
    mse = torch.nn.MSELoss()
    x = torch.tensor([[1.0], [2.0]], requires_grad=True)
    y = torch.tensor([[3.0], [2.0]])
    loss = mse(x, y)
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (2.0, [[-2.0], [0.0]])
    assert repr(loss) == "tensor(2., grad_fn=<MseLossBackward0>)"
    assert math.isnan(mse(torch.ones(0), torch.ones(0)).item())
    assert mse(torch.ones(2), torch.ones(2, dtype=torch.float64)).dtype == torch.float64
    weighted = torch.nn.functional.mse_loss(x, y, weight=torch.tensor([[3.0], [1.0]]))
    assert weighted.item() == 3.0
    with pytest.raises(ValueError, match="Weights and input must have the same size"):
        torch.nn.functional.mse_loss(x, y, weight=torch.ones(3))


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"])
def test_sizes_that_differ_warn(torch: ModuleType, name: str) -> None:
    with pytest.warns(UserWarning, match="Using a target size .* that is different to the input size"):
        loss = getattr(torch.nn, name)(reduction="none")(torch.ones(3, 1), torch.ones(3))
    assert loss.shape == (3, 3)


# ---- absolute errors ---------------------------------------------------------------------------------------
def test_robust_losses(torch: ModuleType) -> None:
    nn = torch.nn
    x = torch.tensor([0.0, 0.5, -0.5, 3.0], requires_grad=True)
    zero = torch.zeros(4)
    cases = [
        (nn.L1Loss(reduction="sum"), 4.0, [0.0, 1.0, -1.0, 1.0]),
        (nn.HuberLoss(reduction="sum"), 2.75, [0.0, 0.5, -0.5, 1.0]),
        (nn.HuberLoss(reduction="sum", delta=2.0), 4.25, [0.0, 0.5, -0.5, 2.0]),
        (nn.SmoothL1Loss(reduction="sum", beta=0.5), 3.25, [0.0, 1.0, -1.0, 1.0]),
        (nn.SmoothL1Loss(reduction="sum", beta=0.0), 4.0, [0.0, 1.0, -1.0, 1.0]),
    ]
    for loss, value, gradient in cases:
        x.grad = None
        y = loss(x, zero)
        y.backward()
        assert (y.item(), x.grad.tolist()) == (value, gradient)
    weighted = nn.functional.huber_loss(x, zero, weight=torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert weighted.item() == 0.625
    assert nn.functional.l1_loss(x, zero, weight=torch.tensor([1.0, 0.0, 0.0, 2.0])).item() == 2.0
    with pytest.raises(RuntimeError, match="does not support non-positive values for delta"):
        nn.HuberLoss(delta=0.0)(x, zero)
    with pytest.raises(TypeError, match="delta must be a float or int"):
        nn.HuberLoss(delta="1")
    with pytest.raises(RuntimeError, match="does not support negative values for beta"):
        nn.SmoothL1Loss(beta=-1.0)(x, zero)


# ---- two classes -------------------------------------------------------------------------------------------
def test_bce_at_the_ends(torch: ModuleType) -> None:
    x = torch.tensor([0.0, 1.0, 0.5], requires_grad=True)
    loss = torch.nn.BCELoss(reduction="none")(x, torch.tensor([1.0, 0.0, 1.0]))
    loss.sum().backward()
    assert loss.tolist() == [100.0, 100.0, pytest.approx(math.log(2))]
    assert x.grad.isfinite().all()
    assert torch.nn.BCELoss()(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])).item() == 0.0


@pytest.mark.parametrize("logit", [-1000.0, -50.0, 0.0, 50.0, 1000.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_bce_with_logits_far_out(torch: ModuleType, logit: float, target: float) -> None:
    for pos_weight in (None, torch.tensor([1.0])):
        x = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
        y = torch.tensor([target], dtype=torch.float64)
        loss = torch.nn.BCEWithLogitsLoss(pos_weight=pos_weight)(x, y)
        loss.backward()
        wrong = logit if target == 0.0 else -logit
        expected = max(wrong, 0) + math.log1p(math.exp(-abs(wrong)))
        assert loss.item() == pytest.approx(expected, rel=1e-12)
        probability = 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
        assert x.grad.item() == pytest.approx(probability - target, rel=1e-12, abs=1e-15)


def test_bce_weights(torch: ModuleType) -> None:
    nn = torch.nn
    x = torch.tensor([[0.3, -0.2], [1.0, 2.0]])
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    p = torch.sigmoid(x)
    weight = torch.tensor([2.0, 3.0])
    expected = nn.BCELoss(reduction="none")(p, y) * weight
    np.testing.assert_allclose(nn.BCELoss(weight)(p, y).item(), expected.mean().item(), rtol=1e-6)
    logits = nn.BCEWithLogitsLoss(weight, reduction="sum")(x, y)
    np.testing.assert_allclose(logits.item(), expected.sum().item(), rtol=1e-6)
    positive = nn.BCEWithLogitsLoss(pos_weight=weight, reduction="none")(x, y)
    plain = nn.BCEWithLogitsLoss(reduction="none")(x, y)
    np.testing.assert_allclose(positive.tolist(), (plain * (1 + y * (weight - 1))).tolist(), rtol=1e-6)
    assert list(nn.BCEWithLogitsLoss(pos_weight=weight).state_dict()) == ["pos_weight"]


# ---- many classes ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [10.0, 1000.0, 1e30])
def test_cross_entropy_of_large_logits(torch: ModuleType, size: float) -> None:
    x = torch.tensor([[size, -size, 0.0]], requires_grad=True)
    for target, loss, gradient in ((0, 0.0, [0.0, 0.0, 0.0]), (1, 2 * size, [1.0, -1.0, 0.0])):
        x.grad = None
        y = torch.nn.functional.cross_entropy(x, torch.tensor([target]))
        y.backward()
        assert y.item() == pytest.approx(loss, rel=1e-4, abs=1e-4)
        np.testing.assert_allclose(x.grad.tolist(), [gradient], atol=1e-4)


def test_cross_entropy_is_nll_of_log_softmax(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.randn(5, 4, 3, dtype=torch.float64)
    target = torch.randint(0, 4, (5, 3))
    weight = torch.tensor([0.5, 1.0, 2.0, 1.5], dtype=torch.float64)
    log_probabilities = F.log_softmax(x, 1).numpy()
    picked = np.take_along_axis(log_probabilities, target.numpy()[:, None], 1)[:, 0]
    share = weight.numpy()[target.numpy()]
    np.testing.assert_allclose(F.cross_entropy(x, target, reduction="none").numpy(), -picked)
    expected = -(picked * share).sum() / share.sum()
    np.testing.assert_allclose(F.cross_entropy(x, target, weight).item(), expected)
    np.testing.assert_allclose(F.nll_loss(F.log_softmax(x, 1), target, weight).item(), expected)
    np.testing.assert_allclose(torch.nn.NLLLoss(weight)(F.log_softmax(x, 1), target).item(), expected)
    layer = torch.nn.CrossEntropyLoss(weight, reduction="sum")
    np.testing.assert_allclose(layer(x, target).item(), -(picked * share).sum())
    hot = F.one_hot(target, 4).permute(0, 2, 1).double()
    np.testing.assert_allclose(F.cross_entropy(x, hot).item(), -picked.mean())


def test_targets_to_ignore(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.randn(4, 3, requires_grad=True)
    target = torch.tensor([0, -100, 2, -100])
    kept = F.cross_entropy(x[[0, 2]], target[[0, 2]])
    for options in ({}, {"ignore_index": 1}):
        x.grad = None
        given = target if not options else torch.tensor([0, 1, 2, 1])
        loss = F.cross_entropy(x, given, **options)
        loss.backward()
        assert loss.item() == pytest.approx(kept.item(), rel=1e-6)
        assert x.grad[[1, 3]].abs().sum() == 0
    assert F.cross_entropy(x, target, reduction="none")[1].item() == 0
    assert math.isnan(F.cross_entropy(x, torch.full((4,), -100)).item())
    assert math.isnan(F.cross_entropy(torch.ones(0, 3), torch.zeros(0, dtype=torch.int64)).item())
    smooth = F.cross_entropy(x, target, label_smoothing=0.1)
    assert smooth.item() == pytest.approx(
        F.cross_entropy(x[[0, 2]], target[[0, 2]], label_smoothing=0.1).item(), rel=1e-6
    )


def test_label_smoothing_is_a_mixed_target(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.randn(6, 4, dtype=torch.float64)
    target = torch.randint(0, 4, (6,))
    soft = F.one_hot(target, 4).double() * 0.7 + 0.3 / 4
    for reduction in ("mean", "sum", "none"):
        one = F.cross_entropy(x, target, label_smoothing=0.3, reduction=reduction)
        other = F.cross_entropy(x, soft, reduction=reduction)
        hard = F.cross_entropy(x, F.one_hot(target, 4).double(), label_smoothing=0.3, reduction=reduction)
        np.testing.assert_allclose(one.numpy(), other.numpy())
        np.testing.assert_allclose(hard.numpy(), other.numpy())


def test_one_sample_and_bytes(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.tensor([0.0, 0.0, math.log(2)], requires_grad=True)
    loss = F.cross_entropy(x, torch.tensor(2))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    np.testing.assert_allclose(x.grad.tolist(), [0.25, 0.25, -0.5], rtol=1e-6)
    assert F.nll_loss(torch.eye(2), torch.tensor([0, 1], dtype=torch.uint8)).item() == -1.0


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1, 5])),
            IndexError,
            r"Target 5 is out of bounds",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1, -1])),
            IndexError,
            r"Target -1 is out of bounds",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1, 2, 1])),
            ValueError,
            r"input batch_size \(2\) to match",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1.0, 2.0])),
            RuntimeError,
            "Long or Byte, but got Float",
        ),
        (
            lambda t, F: F.nll_loss(t.ones(1, 3), t.tensor([1], dtype=t.int32)),
            RuntimeError,
            "Long or Byte, but got Int",
        ),
        (lambda t, F: F.cross_entropy(t.ones(2, 3), t.ones(2, 3).long()), RuntimeError, "got Long"),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1, 1]), label_smoothing=2.0),
            RuntimeError,
            "between 0.0",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.tensor([1, 1]), t.ones(2)),
            RuntimeError,
            "for all 3 classes",
        ),
        (
            lambda t, F: F.nll_loss(t.ones(1, 3), t.tensor([1]), t.ones(3).double()),
            RuntimeError,
            "scalar type Float but",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3, 4), t.ones(2, 5).long()),
            RuntimeError,
            r"Expected target size \[2, 4\]",
        ),
        (
            lambda t, F: F.cross_entropy(t.ones(2, 3), t.ones(2, 3), ignore_index=1),
            RuntimeError,
            "ignore_index",
        ),
        (
            lambda t, F: F.binary_cross_entropy(t.tensor([2.0]), t.ones(1)),
            RuntimeError,
            "should be between 0 and 1",
        ),
        (lambda t, F: F.binary_cross_entropy(t.ones(1), t.ones(1, 1)), ValueError, "Using a target size"),
        (
            lambda t, F: F.binary_cross_entropy(t.ones(1), t.ones(1).double()),
            RuntimeError,
            "Found dtype Double but",
        ),
        (lambda t, F: F.binary_cross_entropy_with_logits(t.ones(1), t.ones(1, 1)), ValueError, "Target size"),
        (
            lambda t, F: F.mse_loss(t.ones(1), t.ones(1), reduction="foo"),
            ValueError,
            "foo is not a valid value",
        ),
        (
            lambda t, F: F.mse_loss(t.arange(3), t.arange(3)),
            NotImplementedError,
            "not implemented for 'Long'",
        ),
    ],
)
def test_wrong_use_says_so(torch: ModuleType, action: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        action(torch, torch.nn.functional)


def test_cross_entropy_of_a_scalar() -> None:
    with pytest.raises(ValueError, match="at least 1 dimension"):
        mini_torch.nn.functional.nll_loss(mini_torch.tensor(1.0), mini_torch.tensor(0))


# ---- divergence, and what they share -----------------------------------------------------------------------
def test_kl_div(torch: ModuleType) -> None:
    F = torch.nn.functional
    p = torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    q = torch.log(torch.tensor([[0.25, 0.5, 0.25], [0.2, 0.3, 0.5]]))
    total = F.kl_div(q, p, reduction="sum").item()
    assert total == pytest.approx(0.5 * math.log(2), rel=1e-6)
    assert torch.nn.KLDivLoss(reduction="batchmean")(q, p).item() == pytest.approx(total / 2)
    logs = torch.nn.KLDivLoss(reduction="sum", log_target=True)(q, torch.log(p[1:]))
    assert logs.item() == pytest.approx(F.kl_div(q, p[1:].expand(2, 3), reduction="sum").item(), rel=1e-5)
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        assert F.kl_div(q, p).item() == pytest.approx(total / 6)


LOSSES = ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss"]


@pytest.mark.parametrize("name", LOSSES)
def test_reductions(torch: ModuleType, name: str) -> None:
    x, y = torch.rand(3, 4), torch.rand(3, 4)
    kind = getattr(torch.nn, name)
    assert repr(kind()) == f"{name}()"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        each = kind(reduction="none")(x, y)
        assert each.shape == (3, 4)
        np.testing.assert_allclose(kind(reduction="sum")(x, y).item(), each.sum().item(), rtol=1e-5)
        np.testing.assert_allclose(kind()(x, y).item(), each.mean().item(), rtol=1e-5)


def test_older_arguments(torch: ModuleType) -> None:
    for options, reduction in (
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"reduce": True}, "mean"),
    ):
        with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
            assert torch.nn.MSELoss(**options).reduction == reduction
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        loss = torch.nn.functional.binary_cross_entropy(
            torch.full((2,), 0.5), torch.ones(2), size_average=False
        )
    assert loss.item() == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("size", [1.0, 500.0])
def test_cross_entropy_of_many_logits_is_that_of_few(reduction: str, size: float) -> None:
    """Where there are many, softmax and loss are one operation."""
    F = mini_torch.nn.functional
    mini_torch.manual_seed(0)
    x = (size * mini_torch.randn(40, 500, dtype=mini_torch.float64)).requires_grad_()
    target, weight = mini_torch.randint(500, (40,)), mini_torch.rand(500, dtype=mini_torch.float64)
    target[3] = -100
    for w in (None, weight):
        together = F.cross_entropy(x, target, w, reduction=reduction)
        apart = F.nll_loss(F.log_softmax(x, 1), target, w, reduction=reduction)
        mini_torch.testing.assert_close(together, apart)
        grads = [mini_torch.autograd.grad(loss.sum(), x)[0] for loss in (together, apart)]
        mini_torch.testing.assert_close(*grads)
    assert F.cross_entropy(x.half(), target).dtype is mini_torch.float16


def test_cross_entropy_of_many_logits_twice() -> None:
    F = mini_torch.nn.functional
    x = mini_torch.randn(40, 500, dtype=mini_torch.float64, requires_grad=True)
    target = mini_torch.randint(500, (40,))
    (g,) = mini_torch.autograd.grad(F.cross_entropy(x, target), x, create_graph=True)
    (expected,) = mini_torch.autograd.grad(F.nll_loss(F.log_softmax(x, 1), target), x, create_graph=True)
    second = [mini_torch.autograd.grad(d.square().sum(), x)[0] for d in (g, expected)]
    mini_torch.testing.assert_close(*second)
