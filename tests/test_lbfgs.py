"""L-BFGS: the steps that PyTorch takes on Rosenbrock's function, its stops, its checkpoints and its errors."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import mini_torch as torch


class Rosenbrock:
    """100 (y - x²)² + (1 - x)², whose minimum 0 lies at (1, 1) at the end of a bent valley."""

    def __init__(self, **options: Any) -> None:
        self.p = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
        self.optimizer = torch.optim.LBFGS([self.p], **options)
        self.calls = 0

    def closure(self) -> Any:
        self.calls += 1
        self.optimizer.zero_grad()
        x, y = self.p.unbind()
        loss = 100 * (y - x**2) ** 2 + (1 - x) ** 2
        loss.backward()
        return loss

    def step(self) -> float:
        return self.optimizer.step(self.closure).item()


# (options, calls of the closure in five steps, loss before each of them): recorded with PyTorch 2.13
RECORDED: list[tuple[dict[str, Any], int, list[float]]] = [
    (
        {},
        63,
        [24.199999999999996, 1.9456874727314497, 0.5793136907775303, 3.8814108761943625e-08, 3.189311577777693e-12],
    ),
    (
        {"line_search_fn": "strong_wolfe"},
        47,
        [24.199999999999996, 0.4234823024380289, 4.221457511263308e-10, 4.221457511263308e-10, 4.221457511263308e-10],
    ),
    (
        {"lr": 0.5, "max_iter": 7, "history_size": 3},
        35,
        [24.199999999999996, 4.10904163703255, 3.8001765567526102, 1.859388850737292, 0.7459165181600628],
    ),
    (
        {"line_search_fn": "strong_wolfe", "max_iter": 5, "history_size": 2, "lr": 2.0},
        32,
        [24.199999999999996, 4.115795148143934, 3.4221017618766645, 1.968828976889025, 1.0948663181779819],
    ),
    (
        {"line_search_fn": "strong_wolfe", "max_eval": 4, "lr": 0.001},
        24,
        [24.199999999999996, 10.565639167968342, 4.292925754680126, 4.134578639616911, 4.12962941243083],
    ),
    (
        {"line_search_fn": "strong_wolfe", "max_eval": 2},
        11,
        [24.199999999999996, 4.146927129263872, 4.125586742055775, 4.121126803894924, 4.111816481657209],
    ),
]


@pytest.mark.parametrize(("options", "calls", "losses"), RECORDED)
def test_takes_the_steps_of_pytorch(options: dict[str, Any], calls: int, losses: list[float]) -> None:
    problem = Rosenbrock(**options)
    assert [problem.step() for _ in losses] == pytest.approx(losses, rel=1e-4, abs=1e-7)
    assert problem.calls == calls == problem.optimizer.state_dict()["state"][0]["func_evals"]


def test_finds_the_minimum() -> None:
    problem = Rosenbrock(line_search_fn="strong_wolfe", max_iter=100)
    problem.step()
    torch.testing.assert_close(problem.p.data, torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-3)


def test_stops_where_the_gradient_is_zero() -> None:
    problem = Rosenbrock()
    problem.p.data.fill_(1.0)
    assert problem.step() == 0
    assert problem.calls == 1
    assert problem.optimizer.state_dict()["state"][0] == {"func_evals": 1, "n_iter": 0}


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_goes_on_from_a_checkpoint(search: str | None) -> None:
    problem, other = Rosenbrock(line_search_fn=search, history_size=3), Rosenbrock(line_search_fn=search)
    problem.step()
    other.p.data.copy_(problem.p.data)
    other.optimizer.load_state_dict(copy.deepcopy(problem.optimizer.state_dict()))
    assert [problem.step() for _ in range(3)] == [other.step() for _ in range(3)]
    assert torch.equal(problem.p.data, other.p.data)


def test_parameters_of_all_kinds_are_one_vector() -> None:
    z = torch.nn.Parameter(torch.tensor([1 + 1j, 2 - 1j]))
    scalar, unused = torch.nn.Parameter(torch.tensor(5.0)), torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.LBFGS([z, scalar, unused], line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((z - (3 + 2j)).abs() ** 2).sum() + (scalar - 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(z.data, torch.tensor([3 + 2j, 3 + 2j]), rtol=0, atol=1e-4)
    assert scalar.item() == pytest.approx(2, abs=1e-4)
    assert torch.equal(unused.data, torch.ones(2))


def test_errors() -> None:
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        torch.optim.LBFGS([p], lr=-1)
    with pytest.raises(ValueError, match="parameter groups"):
        torch.optim.LBFGS([{"params": [p]}, {"params": [torch.nn.Parameter(torch.ones(1))]}])
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        Rosenbrock(line_search_fn="armijo").step()
    with pytest.raises(TypeError, match="needs a closure"):
        Rosenbrock().optimizer.step(None)


def test_state_has_pytorch_s_names_in_its_order() -> None:
    problem = Rosenbrock(max_iter=1)
    names = ["func_evals", "n_iter", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss"]
    problem.step()
    assert list(problem.optimizer.state[problem.p]) == names
    problem.step()
    assert list(problem.optimizer.state[problem.p]) == [*names, "al"]
