"""The other optimizers: PyTorch's steps, checkpoints, what is special to each, refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import mini_torch as torch
from mini_torch import nn, optim

START = [[0.7, -1.3, 0.2], [1.1, 0.4, -0.6]]
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "nadam": ("NAdam", {"lr": 0.05}),
    "nadam decay": ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    "radam": ("RAdam", {"lr": 0.05, "betas": (0.8, 0.9)}),
    "radam decay": ("RAdam", {"lr": 0.05, "weight_decay": 0.1}),
    "adamax": ("Adamax", {"lr": 0.05, "weight_decay": 0.1}),
    "asgd": ("ASGD", {"lr": 0.05, "t0": 2, "lambd": 0.01}),
    "rprop": ("Rprop", {"lr": 0.05}),
    "adafactor": ("Adafactor", {"lr": 0.05, "weight_decay": 0.1}),
}


def trained(name: str, steps: int, optimizer: Any = None) -> tuple[Any, Any]:
    """(the parameters in one list, the optimizer) after steps down a bent bowl."""
    kind, options = CASES[name]
    if optimizer is None:
        p = nn.Parameter(torch.tensor(START, dtype=torch.float64))
        q = nn.Parameter(torch.tensor([0.5, -0.25], dtype=torch.float64))
        optimizer = getattr(optim, kind)([p, q], **options)
    p, q = optimizer.param_groups[0]["params"]
    for _ in range(steps):
        optimizer.zero_grad()
        ((p**2).sum() + (p[:, :2] @ q).sin().sum() + (q**4).sum()).backward()
        optimizer.step()
    return [*p.detach().flatten().tolist(), *q.detach().tolist()], optimizer


# after eight steps of PyTorch 2.13
RECORDED: dict[str, list[float]] = {
    "nadam": [0.40595656, -0.99793075, -0.0028619888, 0.79864705, 0.11234271, -0.31139141, 0.20539508, 0.083676182],
    "nadam decay": [0.99435395, -1.5704036, 0.55767593, 1.3838149, 0.73130887, -0.912513, 0.81646466, -0.47573825],
    "radam": [0.2758524, -0.63987908, 0.066547851, 0.49055112, 0.21764631, -0.28866892, 0.033093363, -0.035697398],
    "radam decay": [0.29599344, -0.64858922, 0.10201062, 0.50154953, 0.25149449, -0.31505566, 0.058359589,
        -0.071218505],
    "adamax": [0.34931362, -0.93502425, -0.039001158, 0.73813515, 0.06878315, -0.26030194, 0.15203906, 0.13473732],
    "asgd": [0.24917736, -0.525502, 0.085811929, 0.41798416, 0.20540054, -0.25743579, -0.0036044965, -0.028236401],
    "rprop": [0.0542048, -0.47504576, 0.02664, 0.27504576, -0.2457952, 0.0457952, -0.32495424, 0.57495424],
    "adafactor": [0.48200446, -0.92278928, 0.092508354, 0.74169648, 0.30082833, -0.24710845, 0.35844799, -0.11313019],
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_takes_the_steps_of_pytorch(name: str) -> None:
    assert trained(name, 8)[0] == pytest.approx(RECORDED[name], rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_goes_on_from_a_checkpoint(name: str) -> None:
    _, optimizer = trained(name, 3)
    whole = copy.deepcopy(optimizer.param_groups[0]["params"])
    other = getattr(optim, CASES[name][0])(whole)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    there, here = trained(name, 4, optimizer)[0], trained(name, 4, other)[0]
    assert here == pytest.approx(there, rel=1e-6)  # the scalars of a state are loaded in the parameter's type


def test_averages_from_the_step_that_is_asked_for() -> None:
    values, optimizer = trained("asgd", 8)
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
