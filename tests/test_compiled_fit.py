"""`Model.fit(..., compile=True)`: the same run as without, bit for bit, wherever it is cut."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from interrupt import Interrupt
from mini_torch import nn, optim
from mini_torch.model import History, Model

ROWS, BATCH = 90, 16  # six batches, the last one smaller
X = np.random.default_rng(0).uniform(-1, 1, (ROWS, 2)).astype(np.float32)
Y = (np.sin(X[:, :1]) - X[:, 1:] ** 2).astype(np.float32)
DEV = X[:20], Y[:20]

SCHEDULES: dict[str, Any] = {
    "none": None,
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 4),
    "plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "one cycle": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=24, cycle_momentum="betas" in o.defaults),
}


def untrained() -> Any:
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))


def model(optimizer: Any = "adam", **options: Any) -> Model:
    torch.manual_seed(3)
    return Model(untrained(), nn.MSELoss(), optimizer, **{"lr": 0.01, **options})


def fit(m: Model, epochs: int = 4, **options: Any) -> History:
    return m.fit((X, Y), epochs, **{"batch_size": BATCH, "progress": False, "validation": DEV, **options})


def weights(m: Model) -> list[Any]:
    return [p.detach().numpy().copy() for p in m.network.parameters()]


def same(a: Model, b: Model) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def plans(m: Model) -> tuple[int, int]:
    """How many there are of the step and of the loss."""
    assert m._programs is not None
    return tuple(sum(map(len, f.plans.values())) for f in (m._programs.step, m._programs.loss))  # type: ignore


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_the_same_run_as_without(optimizer: str, schedule: str) -> None:
    options = {"scheduler": SCHEDULES[schedule], "scheduler_interval": "step" if schedule == "one cycle" else "epoch"}
    eager = model(optimizer)
    expected = fit(eager, **options)
    compiled = model(optimizer)
    assert fit(compiled, **options, compile=True) == expected
    assert same(eager, compiled)
    assert plans(compiled) == (2, 1)  # full batches and the last one


@pytest.mark.parametrize("cut", [1, 6, 17])
def test_a_compiled_run_that_was_interrupted_goes_on(cut: int, tmp_path: Path) -> None:
    options: dict[str, Any] = {"scheduler": SCHEDULES["cosine"], "compile": True}
    whole = model()
    expected = fit(whole, **options)
    first = model()
    with pytest.raises(KeyboardInterrupt):
        fit(first, **options, callbacks=Interrupt(cut))
    first.save(tmp_path / "model")
    torch.manual_seed(99)
    second = Model(untrained(), nn.MSELoss(), "adam", lr=0.5)
    second.load(tmp_path / "model")
    assert fit(second, **options, resume=True) == expected
    assert same(whole, second)
    first.load(tmp_path / "model")  # and in the same process
    assert fit(first, **options, resume=True) == expected
    assert same(whole, first)


def test_plans_are_kept_for_the_next_fit_and_made_anew_for_another_network() -> None:
    eager, compiled = model(), model()
    for m, options in ((eager, {}), (compiled, {"compile": True})):
        torch.manual_seed(5)
        for _ in range(3):
            fit(m, 1, **options)
    assert same(eager, compiled)
    kept = compiled._programs
    fit(compiled, 1, compile=True)
    assert compiled._programs is kept
    assert plans(compiled) == (2, 1)
    compiled.loss = nn.MSELoss(reduction="sum")
    fit(compiled, 1, compile=True)
    assert compiled._programs is not kept


def test_layers_that_take_their_size_from_the_first_batch() -> None:
    runs = []
    for compiled in (False, True):
        torch.manual_seed(0)
        m = Model(nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1)), nn.MSELoss(), "sgd", lr=0.1)
        runs.append((fit(m, 2, validation=None, compile=compiled), m))
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])


def test_batch_norm_keeps_its_averages() -> None:
    runs = []
    for compiled in (False, True):
        torch.manual_seed(0)
        m = Model(nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1)), nn.MSELoss())
        runs.append((fit(m, 3, compile=compiled), m.network.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(a, b) for a, b in zip(runs[0][1].values(), runs[1][1].values(), strict=True))


def test_callbacks_may_use_the_model() -> None:
    seen: list[float] = []

    def look(m: Model, logs: dict[str, Any]) -> None:
        seen.append(m.evaluate(DEV) - logs["dev_loss"])
        m.predict(X)

    m = model()
    fit(m, 3, callbacks=look, compile=True)
    assert seen == [0.0] * 3
    assert m.network.training


def test_what_cannot_be_recorded_runs_as_it_is() -> None:
    def loss(out: Any, y: Any) -> Any:
        error = (out - y).square().mean()
        return error if error.item() < 1e9 else error.log()

    runs = []
    for compiled in (False, True):
        m = model()
        m.loss = loss
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            runs.append((fit(m, 2, compile=compiled), m))
        assert any("item" in str(w.message) for w in caught) == compiled
    assert runs[0][0] == runs[1][0]
    assert same(runs[0][1], runs[1][1])
