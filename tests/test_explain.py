"""`compiled.explain()`: the numbers of small programs by hand, and that looking changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn

F = nn.functional


def cost(function: Any, *args: Any) -> Any:
    compiled = torch.compile(function, fullgraph=True)
    with torch.no_grad():
        compiled(*args)
    return compiled.explain().total.cost


A, B, C = torch.rand(5, 7), torch.rand(7, 3), torch.rand(4, 5, 7)


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (lambda a, b: a @ b, (A, B), (1, 4 * (35 + 21), 4 * 15, 2 * 5 * 7 * 3)),
        (lambda a, c: a @ c, (torch.rand(4, 2, 5), C), (1, 4 * (40 + 140), 4 * 56, 2 * 4 * 2 * 5 * 7)),
        (lambda a: a.sin(), (A,), (1, 4 * 35, 4 * 35, 35)),
        (lambda a, b: a + b, (C, A), (1, 4 * (140 + 35), 4 * 140, 140)),
        (lambda a: a.amax(1), (A,), (1, 4 * 35, 4 * 5, 35)),
        (lambda a: a.T, (A,), (1, 0, 0, 0)),
        (lambda a, b: torch.cat([a, b]), (A, B.T), (1, 4 * 56, 4 * 56, 0)),
    ],
    ids=["product", "product of many", "elementwise", "broadcast", "reduction", "view", "moves"],
)
def test_costs(function: Any, args: Any, expected: tuple[int, int, int, int]) -> None:
    found = cost(function, *args)
    assert found[:4] == expected
    assert found.unknown == 0


def test_einsum_and_units() -> None:
    assert cost(lambda c, b: torch.einsum("ijk,kl->ijl", c, b), C, B).flops >= 2 * 4 * 5 * 7 * 3
    x, weight = torch.rand(2, 3, 8, 8), torch.rand(4, 3, 3, 3)
    assert cost(lambda x, w: F.conv2d(x, w), x, weight).flops == 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3)
    q, k = torch.rand(2, 3, 5, 4), torch.rand(2, 3, 7, 4)
    assert cost(lambda q, k: F.scaled_dot_product_attention(q, k, k), q, k).flops >= 2 * 2 * (2 * 3) * (5 * 7) * 4
    assert cost(nn.LSTM(4, 3), torch.rand(5, 2, 4)).flops >= 2 * (5 * 2) * 12 * (4 + 3)
    assert cost(lambda x: F.layer_norm(x, (7,)), A).unknown == 1


def test_a_network_part_by_part() -> None:
    network = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    compiled, x = torch.compile(network), torch.rand(5, 2)
    with torch.no_grad():
        compiled(x)
    found = compiled.explain()
    assert [part.name for part in found.parts] == ["0: Linear", "1: ReLU", "2: Linear"]
    assert [part.cost.flops for part in found.parts] == [2 * 5 * 2 * 8 + 40, 40, 2 * 5 * 8 + 5]
    assert all(part.seconds > 0 for part in found.parts)
    assert found.total.cost.flops == 2 * 5 * 2 * 8 + 80 + 2 * 5 * 8 + 5
    assert found.total.seconds == pytest.approx(sum(part.seconds for part in found.parts))
    assert found.outputs == 1
    assert found.buffers <= 2
    assert found.views == 2  # the transposed weights
    lines = str(found).splitlines()
    assert lines[0].split() == ["part", "calls", "read", "written", "FLOPs", "time"]
    assert lines[2].startswith("0: Linear      2")
    assert lines[-1].startswith(f"buffers: {found.buffers} of ")
    assert repr(found) == str(found)


class Twin:
    """A network with everything that a step changes, and its compiled step."""

    def __init__(self, width: int = 6, **options: Any) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Linear(3, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.4), nn.Linear(width, 1)
        )
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.01)
        self.generator = torch.Generator().manual_seed(3)

        @torch.compile(**options)
        def step(x: Any, y: Any) -> Any:
            self.optimizer.zero_grad()
            noise = torch.randn(x.shape, generator=self.generator)
            loss = F.mse_loss(self.network(x + 0.01 * noise), y)
            loss.backward()
            self.optimizer.step()
            return loss

        self.step = step

    def state(self) -> list[Any]:
        """Copies of all of it."""
        entries = [entry for p in self.network.parameters() for entry in self.optimizer.state[p].values()]
        grads = [p.grad for p in self.network.parameters()]
        tensors = [*self.network.state_dict().values(), *entries, *grads, torch.get_rng_state()]
        return [x.detach().numpy().copy() for x in [*tensors, self.generator.get_state()]]


@pytest.mark.parametrize("width", [6, 40000], ids=["small", "in blocks"])
def test_looking_changes_nothing(width: int) -> None:
    x, y = torch.rand(8, 3), torch.rand(8, 1)
    twin = Twin(width, fullgraph=True)
    for _ in range(3):
        twin.step(x, y)
    before, grads = twin.state(), [p.grad for p in twin.network.parameters()]
    versions = [p._version for p in twin.network.parameters()]
    found = twin.step.explain()
    assert all(map(np.array_equal, twin.state(), before))
    assert all(p.grad is g for p, g in zip(twin.network.parameters(), grads))
    assert [p._version for p in twin.network.parameters()] == versions
    assert found.parts[-1].name == "AdamW"
    assert found.parts[-1].cost.calls > 10
    del grads  # a kept gradient costs a new recording
    looked = [twin.step(x, y).item() for _ in range(3)]
    assert sum(map(len, twin.step.plans.values())) == 1
    other = Twin(width)
    assert [other.step(x, y).item() for _ in range(6)][3:] == looked


def test_the_way_back_of_a_module_is_a_part() -> None:
    compiled = torch.compile(nn.Linear(2, 3))
    x = torch.rand(5, 2)
    compiled(x).sum().backward()
    names = [part.name for part in compiled.explain().parts]
    assert names[0] == "Linear"
    assert any(name.startswith("backward of ") for name in names)
    assert all(part.seconds > 0 for part in compiled.explain(x).parts)


def test_arguments_say_which_program() -> None:
    compiled = torch.compile(lambda x: x @ x.T)
    for rows in (2, 3):
        compiled(torch.rand(rows, 4))
    assert compiled.explain(torch.rand(2, 4)).total.cost.flops == 2 * 2 * 4 * 2
    assert compiled.explain().total.cost.flops == 2 * 3 * 4 * 3
    with pytest.raises(RuntimeError, match="nothing is compiled for arguments of these shapes"):
        compiled.explain(torch.rand(5, 4))
    with pytest.raises(RuntimeError, match="nothing is compiled yet"):
        torch.compile(lambda x: x).explain()


def test_what_the_function_does_elsewhere_is_not_done() -> None:
    network, steps = nn.Linear(2, 1), []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    optimizer.register_step_post_hook(lambda *args: steps.append(1))

    @torch.compile
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = network(x).square().mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    step(torch.rand(3, 2))
    before, rate = network.weight.detach().clone(), optimizer.param_groups[0]["lr"]
    found = step.explain()
    assert found.parts[-1].name == "SGD"
    assert found.parts[-1].cost.unknown == 1
    assert "unknown" in str(found).splitlines()[-4]
    assert len(steps) == 1
    assert optimizer.param_groups[0]["lr"] == rate
    assert torch.equal(network.weight, before)


def test_a_chain_over_a_large_array() -> None:
    x = torch.rand(1000, 1000)
    compiled = torch.compile(lambda x: ((x * 2 + 1).sin() - x).exp(), fullgraph=True)
    compiled(x)
    found = compiled.explain().total
    assert found.cost.flops == 5 * x.numel()
    assert found.cost.unknown == 0
