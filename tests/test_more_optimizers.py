"""Adafactor and Muon: PyTorch's steps, checkpoints; what is special to each optimizer, refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import mini_torch as torch
from mini_torch import nn, optim

START = [[0.7, -1.3, 0.2], [1.1, 0.4, -0.6]]
# (optimizer, options, the parameters after eight steps of PyTorch 2.13)
RECORDED: list[tuple[str, dict[str, Any], list[float]]] = [
    (
        "Adafactor", {"lr": 0.05, "weight_decay": 0.1},
        [0.48200446, -0.92278928, 0.092508354, 0.74169648, 0.30082833, -0.24710845, 0.35844799, -0.11313019],
    ),
    (
        "Adafactor", {"lr": 0.3, "beta2_decay": -0.5, "eps": (1e-4, 1e-2), "d": 2.0, "maximize": True},
        [5.9510313, -13.119558, 4.1707351, 10.82552, 3.2238735, -11.524406, 3.3814889, 1.8201322],
    ),
    (
        "Muon", {"lr": 0.05},
        [0.44625888, -0.91871972, 0.15186828, 0.74928521, 0.33369379, -0.44124236, 0.22931939, -0.14232873],
    ),
    (
        "Muon", {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
        [0.50022705, -0.9741195, 0.1528817, 0.80290354, 0.32403398, -0.45717025, 0.31340983, -0.17464871],
    ),
]  # fmt: skip


def make(kind: str, options: dict[str, Any]) -> Any:
    """An optimizer of a matrix and a vector, for Muon of two matrices."""
    small = [0.5, -0.25] if kind != "Muon" else [[0.5, -0.25]]
    params = [nn.Parameter(torch.tensor(values, dtype=torch.float64)) for values in (START, small)]
    return getattr(optim, kind)(params, **options)


def descend(optimizer: Any, steps: int) -> list[float]:
    """The parameters in one list, after steps down a bent bowl."""
    p, q = optimizer.param_groups[0]["params"]
    for _ in range(steps):
        optimizer.zero_grad()
        ((p**2).sum() + (p[:, :2] @ q.flatten()).sin().sum() + (q**4).sum()).backward()
        optimizer.step()
    return [*p.detach().flatten().tolist(), *q.detach().flatten().tolist()]


@pytest.mark.parametrize(("kind", "options", "expected"), RECORDED)
def test_takes_the_steps_of_pytorch(kind: str, options: dict[str, Any], expected: list[float]) -> None:
    assert descend(make(kind, options), 8) == pytest.approx(expected, rel=1e-6 if kind == "Adafactor" else 1e-4)


@pytest.mark.parametrize(("kind", "options", "expected"), RECORDED)
def test_goes_on_from_a_checkpoint(kind: str, options: dict[str, Any], expected: list[float]) -> None:
    optimizer = make(kind, options)
    descend(optimizer, 3)
    other = getattr(optim, kind)(copy.deepcopy(optimizer.param_groups[0]["params"]))
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert descend(other, 4) == descend(optimizer, 4)


def test_averages_from_the_step_that_is_asked_for() -> None:
    optimizer = make("ASGD", {"lr": 0.05, "t0": 2, "lambd": 0.01})
    values = descend(optimizer, 8)
    mean = optimizer.state[optimizer.param_groups[0]["params"][0]]["ax"]
    assert mean.abs().sum() > torch.tensor(values[:6], dtype=torch.float64).abs().sum()  # it lags behind the descent


def test_a_frozen_parameter_keeps_its_own_count() -> None:
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    optimizer = optim.NAdam([p, q], lr=0.1)
    for step in range(4):
        optimizer.zero_grad()
        (p.sum() if step % 2 else p.sum() + q.sum()).backward()
        optimizer.step()
    states = optimizer.state
    assert (states[p]["step"].item(), states[q]["step"].item()) == (4, 2)
    assert states[p]["mu_product"] < states[q]["mu_product"]


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_muon_steps_are_nearly_orthogonal(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    p = nn.Parameter(torch.zeros(shape))
    p.grad = torch.randn(shape)
    optim.Muon([p], lr=1.0, weight_decay=0.0).step()
    scale = max(1.0, shape[0] / shape[1]) ** 0.5
    singular = torch.linalg.svdvals(p.detach()) / scale
    assert ((singular > 0.5) & (singular < 1.3)).all()


def test_errors() -> None:
    p = nn.Parameter(torch.ones(2))
    for kind in ("NAdam", "RAdam", "Adamax", "SparseAdam"):
        with pytest.raises(ValueError, match=r"Invalid beta parameter at index 1: 1\.5"):
            getattr(optim, kind)([p], betas=(0.9, 1.5))
    with pytest.raises(ValueError, match=r"Invalid eta values: 1\.5, 1\.2"):
        optim.Rprop([p], etas=(1.5, 1.2))
    with pytest.raises(ValueError, match="Clipping threshold d should be >= 1 but is: 0"):
        optim.Adafactor([p], d=0)
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        optim.Muon([p])
    with pytest.raises(ValueError, match="is not supported"):
        optim.Muon([nn.Parameter(torch.ones(2, 2))], adjust_lr_fn="guess")
    z = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    z.grad = z.detach().clone()
    with pytest.raises(RuntimeError, match="does not support complex parameters"):
        optim.Adafactor([z]).step()
    p.grad = torch.ones(2)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        optim.SparseAdam([p]).step()
