"""Averages of parameters: plain, exponential, of buffers; batch statistics made anew; the rate on its way."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import mini_torch as torch
from mini_torch import nn, optim
from mini_torch.optim import swa_utils


def models(count: int) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)) for _ in range(count)]


def test_plain_mean() -> None:
    given = models(4)
    mean = swa_utils.AveragedModel(given[0])
    for model in given:
        mean.update_parameters(model)
    assert mean.n_averaged == 4
    for name, parameter in mean.module.named_parameters():
        stacked = torch.stack([model.get_parameter(name) for model in given])
        torch.testing.assert_close(parameter.detach(), stacked.detach().mean(0))
    assert list(mean.state_dict())[:2] == ["n_averaged", "module.0.weight"]
    other = swa_utils.AveragedModel(models(1)[0])
    other.load_state_dict(copy.deepcopy(mean.state_dict()))
    assert torch.equal(mean(torch.ones(2, 3)), other(torch.ones(2, 3)))


@pytest.mark.parametrize("each", [True, False])
def test_exponential_mean_with_buffers(each: bool) -> None:
    first, second = models(2)
    second(torch.randn(5, 3))
    how = {"avg_fn": swa_utils.get_ema_avg_fn(0.9)} if each else {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)}
    mean = swa_utils.AveragedModel(first, use_buffers=True, **how)  # type: ignore[arg-type]
    mean.update_parameters(first)
    mean.update_parameters(second)
    for name, tensor in mean.module.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, 0.9 * first.state_dict()[name] + 0.1 * second.state_dict()[name])


def test_batch_statistics_are_made_anew() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2))
    model.eval()
    batches = [(torch.randn(50, 2) * 3 + 1, torch.zeros(50)) for _ in range(4)]
    swa_utils.update_bn(batches, model)
    norm = model[0]
    torch.testing.assert_close(norm.running_mean, torch.stack([x.mean(0) for x, _ in batches]).mean(0))
    assert norm.momentum == 0.1
    assert not model.training


# rates of six epochs: recorded with PyTorch 2.13
WAYS = {
    ("cos", 4): [1.0, 0.8681981, 0.55, 0.2318019, 0.1, 0.1],
    ("linear", 4): [1.0, 0.775, 0.55, 0.325, 0.1, 0.1],
    ("linear", 0): [0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
}


@pytest.mark.parametrize(("strategy", "epochs"), WAYS)
def test_the_rate_goes_to_its_last_value(strategy: str, epochs: int) -> None:
    optimizer = optim.SGD([nn.Parameter(torch.ones(2))], lr=1.0)
    scheduler = swa_utils.SWALR(optimizer, swa_lr=0.1, anneal_epochs=epochs, anneal_strategy=strategy)
    rates = []
    for _ in range(6):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx(WAYS[strategy, epochs])


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"Invalid decay value 1\.5"):
        swa_utils.get_ema_avg_fn(1.5)
    average = swa_utils.get_swa_avg_fn()
    with pytest.raises(AssertionError, match="Only one of"):
        swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=average, multi_avg_fn=swa_utils.get_swa_multi_avg_fn())
    optimizer = optim.SGD([nn.Parameter(torch.ones(2))], lr=1.0)
    with pytest.raises(ValueError, match="anneal_strategy must be one of"):
        swa_utils.SWALR(optimizer, 0.1, anneal_strategy="jump")
    with pytest.raises(ValueError, match="anneal_epochs must be"):
        swa_utils.SWALR(optimizer, 0.1, anneal_epochs=-1)
    with pytest.raises(ValueError, match="same length"):
        swa_utils.SWALR(optimizer, [0.1, 0.2])


def test_averages_of_all_at_once_come_in_lists_of_one_type() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1).double())
    seen: list[set[Any]] = []

    def keep(means: list[torch.Tensor], newest: list[torch.Tensor], count: Any) -> None:
        seen.append({x.dtype for x in (*means, *newest)})

    mean = swa_utils.AveragedModel(network, multi_avg_fn=keep, use_buffers=True)
    mean.update_parameters(network)
    mean.update_parameters(network)
    assert seen == [{torch.float32}, {torch.float64}, {torch.int64}]


@pytest.mark.parametrize("kind", ["swa", "ema"])
def test_averages_in_place_are_those_of_one_tensor(kind: str) -> None:
    one, many = f"get_{kind}_avg_fn", f"get_{kind}_multi_avg_fn"
    means = [torch.tensor([1.0, 2.0]), torch.tensor([3, 40]), torch.tensor([1 + 2j])]
    newest = [torch.tensor([5.0, -2.0]), torch.tensor([9, 8]), torch.tensor([2 - 2j])]
    expected = [getattr(swa_utils, one)()(mean, new, torch.tensor(3)) for mean, new in zip(means, newest, strict=True)]
    getattr(swa_utils, many)()(means, newest, torch.tensor(3))
    for mean, value in zip(means, expected, strict=True):
        torch.testing.assert_close(mean, value.to(mean.dtype))
