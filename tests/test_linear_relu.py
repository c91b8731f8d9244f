"""A linear layer and relu in one step: nobody can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.errors import GraphFreedError, StaleTensorError
from mini_torch.ops.linear_relu import _Joint


@pytest.fixture(autouse=True)
def no_hooks_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody has once asked for hooks of all modules, as other tests do, every layer goes by itself."""
    monkeypatch.setattr(nn.Module, "_has_hooks", False)


def pair(**options: Any) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4, **options), nn.ReLU())


def apart(network: Any, x: Any) -> Any:
    """What the network computes, one operation after the other."""
    return nn.functional.relu(nn.functional.linear(x, network[0].weight, network[0].bias))


def inputs(dtype: Any = torch.float32, *shape: int) -> Any:
    torch.manual_seed(1)
    return torch.randn(*(shape or (5, 3)), dtype=dtype, requires_grad=True)


def is_joint(out: Any) -> bool:
    return type(out._node) is _Joint


@pytest.mark.parametrize("rows", [1, 5, 20_000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_those_of_two_operations(rows: int, dtype: Any) -> None:
    network, x = pair(dtype=dtype), inputs(dtype, rows, 3)
    leaves = [x, *network.parameters()]
    found, expected = network(x), apart(network, x)
    assert is_joint(found)
    assert not is_joint(expected)
    np.testing.assert_array_equal(found.detach(), expected.detach())
    g = torch.randn(found.shape, dtype=dtype)
    for a, b in zip(torch.autograd.grad(found, leaves, g), torch.autograd.grad(expected, leaves, g)):
        np.testing.assert_array_equal(a, b)


def test_second_gradients() -> None:
    network, x = pair(dtype=torch.float64), inputs(torch.float64)
    leaves = [x, *network.parameters()]
    found = []
    for out in (network(x), apart(network, x)):
        first = torch.autograd.grad((out**3).sum(), leaves, create_graph=True)
        found.append(torch.autograd.grad(sum((g**2).sum() for g in first), leaves))
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_who_looks_at_the_graph_finds_two_nodes() -> None:
    network, x = pair(), inputs()
    out = network(x)
    ((linear, _),) = out.grad_fn.next_functions
    assert [out.grad_fn.name(), linear.name()] == ["ReluBackward0", "AddmmBackward0"]
    assert [type(node).__name__ for node, _ in linear.next_functions] == ["AccumulateGrad"] * 3
    seen: list[Any] = []
    linear.register_hook(lambda grad_inputs, grad_outputs: seen.append((len(grad_inputs), grad_outputs[0].shape)))
    out.sum().backward()
    expected = torch.autograd.grad(apart(network, x).sum(), x)[0]
    np.testing.assert_array_equal(x.grad, expected)
    assert seen == [(3, (5, 4))]
    assert out.grad_fn.next_functions[0][0] is linear


def test_hooks_on_the_result() -> None:
    network, x = pair(), inputs()
    out = network(x)
    out.register_hook(lambda g: g * 2)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, 2 * torch.autograd.grad(apart(network, x).sum(), x)[0])


def test_backward_a_second_time_and_after_a_change() -> None:
    network, x = pair(), inputs()
    out = network(x)
    out.sum().backward(retain_graph=True)
    out.sum().backward()
    with pytest.raises(GraphFreedError):
        out.sum().backward()
    assert out.grad_fn.next_functions[0][0].name() == "AddmmBackward0"
    out = network(x)
    with torch.no_grad():
        network[0].weight.mul_(2)
    with pytest.raises(StaleTensorError, match="AddmmBackward0"):
        out.sum().backward()
    out = network(x)
    with torch.no_grad():
        out.mul_(2)
    with pytest.raises(StaleTensorError, match="ReluBackward0"):
        out.sum().backward()


def test_what_is_not_done_in_one_step() -> None:
    class Own(nn.Linear):
        def forward(self, input: Any) -> Any:
            return super().forward(input) + 1

    x = inputs()
    for network in (pair(bias=False), nn.Sequential(Own(3, 4), nn.ReLU()), nn.Sequential(nn.Linear(3, 4), nn.Tanh())):
        assert not is_joint(network(x))
    own = pair()
    own[1].forward = lambda input: input * 0
    assert float(own(x).sum()) == 0
    hooked, calls = pair(), []
    hooked[1].register_forward_hook(lambda module, args, out: calls.append(args[0].shape))
    assert not is_joint(hooked(x))
    assert calls == [(5, 4)]
    assert not is_joint(pair()(inputs(torch.float32, 2, 5, 3)))
    with torch.autograd.detect_anomaly():
        assert not is_joint(pair()(x))
    with torch.no_grad():
        out = pair()(x)
    assert out.grad_fn is None
    np.testing.assert_array_equal(out, apart(pair(), x).detach())
    assert not pair().requires_grad_(False)(x.detach()).requires_grad


def test_errors_are_those_of_the_layer() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        pair()(torch.ones(2, 5))
    with pytest.raises(RuntimeError, match="dtype"):
        pair()(torch.ones(2, 3, dtype=torch.float64))
    with pytest.raises(TypeError, match="must be Tensor, not list"):
        pair()([[1.0, 2.0, 3.0]])


def test_somebody_who_watches_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    call, seen = nn.Module.__call__, []

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(type(self).__name__)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(nn.Module, "__call__", watched)
    pair()(inputs())
    assert seen == ["Sequential", "Linear", "ReLU"]
