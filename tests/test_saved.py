"""Saved-tensor hooks and checkpointing: the same gradients, kept in another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.autograd.graph import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from mini_torch.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def test_hooks_pack_and_unpack() -> None:
    packed: list[np.ndarray[Any, Any]] = []

    def pack(x: torch.Tensor) -> int:
        assert not x.requires_grad
        packed.append(x.numpy().copy())
        return len(packed) - 1

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(pack, lambda i: torch.from_numpy(packed[i] * 10)):
        y = x * x
    y.sum().backward()
    assert len(packed) == 2
    assert x.grad.tolist() == [20.0, 40.0]  # what was unpacked is what counts


def test_higher_orders_go_through_hooks() -> None:
    x = torch.tensor([0.5, 1.0], dtype=torch.float64, requires_grad=True)
    with save_on_cpu():
        y = (x * x).exp()  # exp saves its output
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (gg,) = torch.autograd.grad(g.sum(), x)
    e = np.exp(x.detach().numpy() ** 2)
    np.testing.assert_allclose(g.detach().numpy(), 2 * x.detach().numpy() * e)
    np.testing.assert_allclose(gg.numpy(), (2 + 4 * x.detach().numpy() ** 2) * e)


def test_hooks_nest_and_can_be_refused() -> None:
    seen: list[str] = []
    x = torch.ones(1, requires_grad=True)
    with saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t):  # type: ignore[func-returns-value]
        with saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t):  # type: ignore[func-returns-value]
            x.exp()
        x.exp()
    assert seen == ["inner", "outer"]
    hooks = saved_tensors_hooks(lambda t: t, lambda t: t)
    with disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        hooks.__enter__()
    with saved_tensors_hooks(lambda t: t, lambda t: 3), pytest.raises(TypeError, match="unpack_hook"):  # type: ignore[arg-type,return-value]
        x.exp().backward()


def test_hooks_see_what_a_function_saves() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = torch.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: t * 2, lambda t: t):
        Square.apply(x).backward()
    assert x.grad.item() == 12


# ---- checkpointing -----------------------------------------------------------------------------------------
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))


def gradients(net: nn.Sequential, run: Any) -> list[torch.Tensor]:
    net.zero_grad()
    torch.manual_seed(1)
    run(torch.ones(5, 3)).sum().backward()
    return [p.grad.clone() for p in net.parameters()]


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoint_gives_the_same_gradients(reentrant: bool) -> None:
    net = network()
    plain = gradients(net, net)
    for run in (
        lambda x: checkpoint(net, x, use_reentrant=reentrant),
        lambda x: checkpoint_sequential(net, 3, x, use_reentrant=reentrant),
    ):
        assert all((a == b).all() for a, b in zip(plain, gradients(net, run), strict=True))


def test_checkpoint_runs_again_and_keeps_nothing() -> None:
    calls = []

    def f(x: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return (x * x).exp()

    x = torch.tensor([1.0], requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False)
    assert len(calls) == 1
    y.backward(retain_graph=True)
    y.backward()
    assert len(calls) == 3
    np.testing.assert_allclose(x.grad.item(), 4 * np.e, rtol=1e-6)


def test_checkpoint_can_be_differentiated_twice() -> None:
    x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    y = checkpoint(lambda t: torch.sin(t * t), x, use_reentrant=False)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (gg,) = torch.autograd.grad(g, x)
    np.testing.assert_allclose(gg.item(), 2 * np.cos(0.25) - 4 * 0.25 * np.sin(0.25))


def test_checkpoint_notices_another_second_run() -> None:
    more = [False]

    def f(x: torch.Tensor) -> torch.Tensor:
        return (x * x).exp() if more[0] else x * x

    y = checkpoint(f, torch.ones(2, requires_grad=True), use_reentrant=False)
    more[0] = True
    with pytest.raises(CheckpointError, match="different number of tensors"):
        y.sum().backward()
