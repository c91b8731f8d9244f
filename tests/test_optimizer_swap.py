"""`optim.swap_in_optimizer_params_and_state`: a step on other parameters, other state, other options."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn, optim


def trained(steps: int = 2) -> tuple[Any, list[Any]]:
    params = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))]
    optimizer = optim.Adam(params, lr=0.1)
    for k in range(steps):
        for p in params:
            p.grad = torch.full_like(p, k + 1.0)
        optimizer.step()
    return optimizer, params


def test_the_step_is_that_of_an_optimizer_with_this_state() -> None:
    optimizer, params = trained()
    reference, others = trained()
    before = copy.deepcopy(optimizer.state_dict())
    group, members = optimizer.param_groups[0], optimizer.param_groups[0]["params"]
    given = copy.deepcopy(before)
    given["param_groups"][0]["lr"] = reference.param_groups[0]["lr"] = 0.5
    swapped = {"a": others[0].detach().clone(), "b": others[1].detach().clone()}
    for p, q in zip(swapped.values(), others, strict=True):
        p.grad = torch.full_like(p, 3.0)
        q.grad = torch.full_like(q, 3.0)
    reference.step()
    with optim.swap_in_optimizer_params_and_state(optimizer, swapped, given):
        assert optimizer.param_groups[0]["params"][0] is swapped["a"]
        optimizer.step()
    for p, q in zip(swapped.values(), others, strict=True):
        np.testing.assert_array_equal(p.numpy(), q.detach().numpy())
    for i, q in enumerate(others):  # what was given took the step along
        for name, value in reference.state[q].items():
            np.testing.assert_array_equal(given["state"][i][name].numpy(), value.numpy())
    assert optimizer.param_groups[0] is group
    assert group["params"] is members
    assert group["lr"] == 0.1
    assert str(optimizer.state_dict()) == str(before)
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert optimizer.state[params[0]]["step"] == 3


def test_an_error_within_restores_too() -> None:
    optimizer, params = trained()
    with pytest.raises(ZeroDivisionError), optim.swap_in_optimizer_params_and_state(
        optimizer, {"a": torch.ones(2), "b": torch.ones(1)}, optimizer.state_dict()
    ):
        raise ZeroDivisionError
    assert optimizer.param_groups[0]["params"][0] is params[0]


STATE: dict[str, Any] = trained()[0].state_dict()
GROUP = STATE["param_groups"][0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "requires a DCP-style optimizer state_dict"),
        ({"state": 3}, "to be a dict mapping packed parameter ids to per-param state dicts, got int"),
        ({**STATE, "param_groups": 3}, "to be a list of param-group dicts, got int"),
        ({**STATE, "param_groups": []}, "different number of parameter groups"),
        ({**STATE, "param_groups": [3]}, "requires each optimizer param group to be a dictionary"),
        ({**STATE, "param_groups": [{**GROUP, "params": ["a"]}]}, "keyed by packed parameter ids"),
        ({**STATE, "param_groups": [{**GROUP, "params": [0]}]}, "group 0 has a different number of params"),
        ({**STATE, "param_groups": [{"params": [0, 1], "x": 1}]}, r"Keys only in swap-in: \['x'\]. Keys only in"),
        ({**STATE, "state": {0: 3}}, "state entries to be dictionaries"),
        ({**STATE, "state": {torch.ones(1): {}}}, "state keyed by packed parameter ids"),
        ({**STATE, "state": {9: {}}}, r"got extra keys \[9\]"),
    ],
)
def test_what_does_not_fit(given: Any, message: str) -> None:
    swap = optim.swap_in_optimizer_params_and_state(trained()[0], {"a": torch.ones(2), "b": torch.ones(1)}, given)
    with pytest.raises(RuntimeError, match=message):
        swap.__enter__()


def test_too_few_parameters_and_no_state() -> None:
    with pytest.raises(RuntimeError, match=r"to match optimizer.param_groups ordering"):
        optim.swap_in_optimizer_params_and_state(trained()[0], {"a": torch.ones(2)}, STATE).__enter__()
    with pytest.raises(RuntimeError, match="requires initialized optimizer state"):
        optim.swap_in_optimizer_params_and_state(trained(0)[0], {}, STATE).__enter__()
