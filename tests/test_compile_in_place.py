"""`Module.compile`: the module itself runs as a program from then on."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn


def network() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def test_calls_go_to_a_program() -> None:
    module, x = network(), torch.rand(5, 3)
    expected = module(x)
    assert module.compile(fullgraph=True) is None
    for _ in range(3):
        assert torch.equal(module(x), expected)
    compiled = module._compiled_call_impl
    assert "# 0: Linear" in compiled.source
    assert compiled.source.count("def forward(input)") == 1
    assert compiled.explain().parts[0].name == "0: Linear"
    assert [*module.state_dict()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_it_learns_as_before() -> None:
    x, y = torch.rand(5, 3), torch.rand(5, 1)
    runs = []
    for compiled in (False, True):
        module = network()
        if compiled:
            module.compile()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = (module(x) - y).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        runs.append(losses)
    assert runs[0] == runs[1]


def test_hooks_run() -> None:
    module, seen = network(), []
    module.register_forward_hook(lambda module, args, out: seen.append(out.shape))
    module.compile()
    module(torch.rand(2, 3))
    assert seen == [(2, 1)]


def test_what_cannot_be_recorded_runs_as_it_is() -> None:
    class Branch(nn.Module):
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else -x

    module = Branch()
    module.compile()
    with pytest.warns(UserWarning, match="turns a tensor into a number"):
        assert module(torch.tensor([-1.0])).item() == 1
    assert module(torch.tensor([2.0])).item() == 2
    module.compile(fullgraph=True)
    with pytest.raises(RuntimeError, match="turns a tensor into a number"):
        module(torch.tensor([-1.0]))
    assert module._compiled_call_impl is not None


def test_inside_of_another_compiled_function_it_is_a_part() -> None:
    module, x = network(), torch.rand(5, 3)
    expected = 2 * module(x)
    module.compile()
    function = torch.compile(lambda x: 2 * module(x), fullgraph=True)
    for _ in range(2):
        assert torch.equal(function(x), expected)
    assert not module._compiled_call_impl.plans
    assert "# 0: Linear" in function.source


def test_copies_are_not_compiled() -> None:
    module, x = network(), torch.rand(5, 3)
    module.compile()
    expected = module(x)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert other._compiled_call_impl is None
        assert np.array_equal(other(x).detach().numpy(), expected.detach().numpy())
