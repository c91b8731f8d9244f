"""Model: training, looking inside, checkpoints; and a run cut anywhere goes on to the same weights, bit for bit."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from interrupt import Interrupt
from mini_torch import nn, optim
from mini_torch.errors import CheckpointError, MissingExtraError
from mini_torch.layer import Dense
from mini_torch.model import Callback, History, Model
from mini_torch.network import Network
from mini_torch.utils.data import DataLoader, TensorDataset

ROWS, BATCH = 90, 16  # six batches, the last one smaller
X = np.random.default_rng(0).uniform(-1, 1, (ROWS, 2)).astype(np.float32)
Y = (np.sin(X[:, :1]) - X[:, 1:] ** 2).astype(np.float32)
DEV = X[:20], Y[:20]


def untrained() -> Any:
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))


def network() -> Any:
    torch.manual_seed(3)
    return untrained()


def model(optimizer: Any = "adam", **options: Any) -> Model:
    return Model(network(), nn.MSELoss(), optimizer, **{"lr": 0.01, **options})


def weights(m: Model) -> list[Any]:
    return [p.detach().numpy().copy() for p in m.network.parameters()]


def same(a: Model, b: Model) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def fit(m: Model, epochs: int = 4, **options: Any) -> History:
    return m.fit((X, Y), epochs, **{"batch_size": BATCH, "progress": False, "validation": DEV, **options})


# ---- training ----------------------------------------------------------------------------------------------
def test_fit_is_the_loop_one_would_write() -> None:
    m, by_hand = model(), network()
    history = fit(m, 3)
    optimizer, loss = optim.Adam(by_hand.parameters(), lr=0.01), nn.MSELoss()
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    torch.manual_seed(3)
    network()
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
    losses = []
    for _ in range(3):
        total = 0.0
        for a, b in loader:
            optimizer.zero_grad()
            out = loss(by_hand(a), b)
            out.backward()
            optimizer.step()
            total += out.item() * len(b)
        losses.append(total / ROWS)
    assert history["loss"] == losses
    for p, q in zip(weights(m), by_hand.parameters(), strict=True):
        np.testing.assert_array_equal(p, q.detach().numpy())
    assert list(history) == ["loss", "dev_loss", "lr"]
    assert history["dev_loss"][-1] == m.evaluate(DEV)
    assert history["loss"][-1] < history["loss"][0]


def test_the_parts_of_a_step() -> None:
    m = model("sgd")
    out = m(torch.from_numpy(X))
    m.loss(out, torch.from_numpy(Y)).backward()
    before = weights(m)
    m.step()
    assert not np.array_equal(weights(m)[0], before[0])
    m.zero_grad()
    assert all(p.grad is None for p in m.network.parameters())
    assert m.forward(torch.from_numpy(X)).shape == (ROWS, 1)


@pytest.mark.parametrize(
    "optimizer",
    ["adam", optim.Adam, lambda params, lr: optim.Adam(params, lr=lr)],
    ids=["name", "class", "function"],
)
def test_ways_to_say_the_optimizer(optimizer: Any) -> None:
    m, ready = model(optimizer), network()
    other = Model(ready, nn.MSELoss(), optim.Adam(ready.parameters(), lr=0.01))
    fit(m, 1)
    torch.manual_seed(3)
    network()
    fit(other, 1)
    assert same(m, other)


def test_optimizers_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="unknown optimizer 'adams': choose one of adadelta, "):
        Model(network(), nn.MSELoss(), "adams")
    n = network()
    with pytest.raises(TypeError, match=r"options \['lr'\] are for an optimizer that Model makes"):
        Model(n, nn.MSELoss(), optim.SGD(n.parameters()), lr=0.1)


def test_layers_that_take_their_size_from_the_first_batch(tmp_path: Path) -> None:
    def lazy() -> Model:
        torch.manual_seed(0)
        return Model(nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(1)), nn.MSELoss(), "sgd", lr=0.1)

    m = lazy()
    history = fit(m, 2, scheduler=lambda o: optim.lr_scheduler.StepLR(o, 1))
    assert history["loss"][1] < history["loss"][0]
    m.save(tmp_path / "m")
    other = lazy()
    other.load(tmp_path / "m")
    assert same(m, other)
    assert "33" in Model(nn.Sequential(nn.LazyLinear(8), nn.Linear(8, 1)), nn.MSELoss()).summary((2,))


def test_integer_targets_stay_integers() -> None:
    m = Model(nn.Linear(2, 3), nn.CrossEntropyLoss(), "sgd", lr=0.1)
    labels = (X[:, 0] > 0).astype(np.int64)
    history = m.fit((X.astype(np.float64), labels), 2, progress=False)
    assert history["loss"][1] < history["loss"][0]


def test_loaders_with_and_without_a_length() -> None:
    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    class Stream:
        def __iter__(self) -> Any:
            return iter([(x[i : i + BATCH], y[i : i + BATCH]) for i in range(0, ROWS, BATCH)])

    a, b = model(), model()
    a.fit(DataLoader(TensorDataset(x, y), batch_size=BATCH), 2, validation=Stream(), progress=False)
    torch.manual_seed(3)
    network()
    DataLoader(TensorDataset(x, y)).__iter__()
    b.fit(Stream(), 2, progress=False)
    assert a.position.steps == b.position.steps == 12
    assert a.position.history["dev_loss"]


def test_evaluate_and_predict_change_nothing() -> None:
    m = model()
    m.network[2].eval()  # a layer that the user has set apart stays so
    modes = [module.training for module in m.network.modules()]
    first = m.predict(X, batch_size=7)
    assert not first.requires_grad
    np.testing.assert_allclose(m.predict(torch.from_numpy(X)).numpy(), first.numpy(), rtol=1e-5)
    mean = float(np.mean((first.numpy() - Y) ** 2))
    for data in ((X, Y), DataLoader(TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=11)):
        assert m.evaluate(data, batch_size=13) == pytest.approx(mean, rel=1e-5)
    assert [module.training for module in m.network.modules()] == modes
    assert m.predict(X[:0]).shape == (0, 1)
    with pytest.raises(ValueError, match="there is no data to evaluate on: got 0 rows"):
        m.evaluate((X[:0], Y[:0]))


# ---- schedules ---------------------------------------------------------------------------------------------
def test_schedules_step_after_each_epoch_or_step() -> None:
    m = model("sgd", lr=1.0)
    history = fit(m, 3, scheduler=lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5))
    assert history["lr"] == [1.0, 0.5, 0.25]
    m = model("sgd", lr=1.0)
    schedule = optim.lr_scheduler.ExponentialLR(m.optimizer, 0.5)
    fit(m, 1, scheduler=schedule, scheduler_interval="step")
    assert m.scheduler is schedule
    assert schedule.get_last_lr() == [0.5**6]
    fit(m, 1)
    assert m.scheduler is None
    with pytest.raises(ValueError, match="scheduler_interval is 'epoch' or 'step', not 'batch'"):
        fit(m, 1, scheduler_interval="batch")


@pytest.mark.parametrize("validation", [DEV, None])
def test_plateau_gets_the_dev_loss(validation: Any) -> None:
    m = model("sgd", lr=1e-9)
    history = fit(
        m, 3, validation=validation, scheduler=lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, eps=0)
    )
    best = min(history["loss" if validation is None else "dev_loss"])
    assert m.scheduler.best == best


# ---- callbacks and the bar ---------------------------------------------------------------------------------
class Notes(Callback):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_start(self, model: Model) -> None:
        self.seen.append("start")

    def on_step(self, model: Model, logs: dict[str, Any]) -> None:
        self.seen.append(logs["step"])

    def on_epoch(self, model: Model, logs: dict[str, Any]) -> None:
        self.seen.append(sorted(logs))

    def on_end(self, model: Model, history: History) -> None:
        self.seen.append(len(history["loss"]))


def test_callbacks() -> None:
    notes, epochs = Notes(), []
    fit(model(), 2, callbacks=[notes, lambda m, logs: epochs.append(logs["epoch"])])
    words = ["dev_loss", "epoch", "loss", "lr", "step"]
    assert notes.seen == ["start", 1, 2, 3, 4, 5, 6, words, 7, 8, 9, 10, 11, 12, words, 2]
    assert epochs == [1, 2]
    fit(model(), 1, callbacks=lambda m, logs: epochs.append(logs["step"]))
    assert epochs == [1, 2, 6]


def test_a_callback_stops_the_run() -> None:
    class At(Callback):
        def __init__(self, step: int) -> None:
            self.step = step

        def on_step(self, model: Model, logs: dict[str, Any]) -> None:
            model.stop = logs["step"] == self.step

    m = model()
    assert len(fit(m, 9, callbacks=At(8))["loss"]) == 2
    assert m.position.steps == 8
    assert len(m.position.history["loss"]) == 1  # the second epoch is not over
    m = model()
    assert len(fit(m, 9, callbacks=At(12))["loss"]) == 2
    assert m.position.epoch == 2


def test_max_steps() -> None:
    m = model()
    history = fit(m, 9, max_steps=8)
    assert m.position.steps == 8
    assert len(history["loss"]) == len(history["dev_loss"]) == 2
    assert fit(m, 9, max_steps=12)["loss"][1] > 0
    assert m.position.epoch == 2
    assert fit(m, 0) == {}


def test_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    fit(model(), 2, progress=True)
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown
    assert "12/12" in shown
    assert "step/s" in shown
    assert "dev loss" in shown


def test_without_tqdm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fit(model(), 1, progress=None)
    assert capsys.readouterr().err == ""
    with pytest.raises(MissingExtraError, match="a progress bar needs tqdm: pip install tqdm"):
        fit(model(), 1, progress=True)


# ---- cut and continued -------------------------------------------------------------------------------------
SCHEDULES: dict[str, Any] = {
    "none": None,
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 4),
    "linear, which sets the rate when it is made": lambda o: optim.lr_scheduler.LinearLR(o, 0.1, total_iters=3),
    "lambda": lambda o: optim.lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "one cycle": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=24),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("cut", [1, 5, 6, 7, 17, 18, 23])
def test_a_run_that_was_interrupted_goes_on_to_the_same_weights(schedule: str, cut: int, tmp_path: Path) -> None:
    interval = "step" if schedule == "one cycle" else "epoch"
    options = {"scheduler": SCHEDULES[schedule], "scheduler_interval": interval}
    whole = model()
    expected = fit(whole, **options)
    first = model()
    with pytest.raises(KeyboardInterrupt):
        fit(first, **options, callbacks=Interrupt(cut))
    assert first.position.steps == cut
    first.save(tmp_path / "model")
    torch.manual_seed(99)
    torch.rand(5)
    second = Model(untrained(), nn.MSELoss(), "adam", lr=0.5)
    second.load(tmp_path / "model")
    assert fit(second, **options, resume=True) == expected
    assert same(whole, second)
    assert torch.rand(1).item() == after(whole)


def after(m: Model) -> float:
    """The number that comes after a run."""
    torch.set_rng_state(m.position.rng[0])
    return torch.rand(1).item()


@pytest.mark.parametrize("cut", [4, 12])
def test_max_steps_and_more_of_them(cut: int, tmp_path: Path) -> None:
    """In one process, with the generator that the loader has of its own."""

    def loader() -> Any:
        data = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
        generator = torch.Generator()
        generator.manual_seed(1)
        return DataLoader(data, batch_size=BATCH, shuffle=True, generator=generator)

    whole = model()
    expected = whole.fit(loader(), 4, DEV, progress=False)
    parts, own = model(), loader()
    parts.fit(own, 4, DEV, max_steps=cut, progress=False)
    torch.rand(3)
    own.generator.manual_seed(5)
    assert parts.fit(own, 4, DEV, progress=False, resume=True) == expected
    assert same(whole, parts)
    with pytest.raises(RuntimeError, match="drew its random numbers from 2 generators, this one from 1"):
        fit(parts, 5, resume=True)


def test_a_finished_run_can_be_made_longer(tmp_path: Path) -> None:
    whole, parts = model(), model()
    fit(whole, 5)
    torch.manual_seed(3)
    network()
    fit(parts, 2)
    parts.save(tmp_path / "m")
    assert fit(parts, 2, resume=True) == parts.position.history
    parts.load(tmp_path / "m")
    assert len(fit(parts, 5, resume=True)["loss"]) == 5
    assert same(whole, parts)


def test_checkpoints_written_on_the_way(tmp_path: Path) -> None:
    """From a callback, within an epoch and at its end."""

    class Save(Callback):
        def on_step(self, model: Model, logs: dict[str, Any]) -> None:
            if logs["step"] == 9:
                model.save(tmp_path / "step")

        def on_epoch(self, model: Model, logs: dict[str, Any]) -> None:
            if logs["epoch"] == 2:
                model.save(tmp_path / "epoch")

    whole = model()
    schedule = SCHEDULES["cosine"]
    expected = fit(whole, scheduler=schedule, callbacks=Save())
    for name in ("step", "epoch"):
        other = model()
        other.load(tmp_path / name)
        assert fit(other, scheduler=schedule, resume=True) == expected
        assert same(whole, other)


def test_resume_needs_the_same_run(tmp_path: Path) -> None:
    m = model()
    with pytest.raises(RuntimeError, match="there is no run to resume"):
        fit(m, 1, resume=True)
    fit(m, 1, scheduler=SCHEDULES["cosine"])
    m.save(tmp_path / "m")
    m.load(tmp_path / "m")
    m.scheduler = None
    with pytest.raises(RuntimeError, match="the run to resume had a scheduler: give fit the same"):
        fit(m, 2, resume=True)
    fit(m, 1)
    m.save(tmp_path / "m")
    m.load(tmp_path / "m")
    with pytest.raises(RuntimeError, match="the run to resume had no scheduler"):
        fit(m, 2, resume=True, scheduler=SCHEDULES["cosine"])


SCRIPT = """
import sys, time
import mini_torch as torch, test_model as t
from mini_torch.model import Callback
class Slow(Callback):
    def on_step(self, model, logs):
        print(logs["step"], flush=True)
        time.sleep(0.02)
m = t.model()
if sys.argv[2] == "resume":
    m.load(sys.argv[1])
try:
    t.fit(m, 5, scheduler=t.SCHEDULES["cosine"], callbacks=Slow(), resume=sys.argv[2] == "resume")
except KeyboardInterrupt:
    print("interrupted", flush=True)
m.save(sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_in_another_process(tmp_path: Path) -> None:
    """A real SIGINT at an odd moment, and a new process that continues: the weights of an unbroken run."""
    path = tmp_path / "model"
    tests = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}

    def start(mode: str) -> Any:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, path, mode], stdout=subprocess.PIPE, text=True, env=env)

    first = start("start")
    assert first.stdout is not None
    while first.stdout.readline() != "14\n":
        pass
    first.send_signal(signal.SIGINT)
    assert "interrupted" in first.communicate(timeout=60)[0]
    second = start("resume")
    assert second.communicate(timeout=60)[0].split()[-1] == "30"
    continued, whole = model(), model()
    continued.load(path)
    torch.manual_seed(3)
    network()
    fit(whole, 5, scheduler=SCHEDULES["cosine"])
    assert same(continued, whole)
    assert continued.position.history == whole.position.history


def test_signals_are_left_as_they_were() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        fit(model(), 1, callbacks=Interrupt(2))  # a handler of the user's own stays in place
        assert calls == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
    fit(model(), 1)
    assert signal.getsignal(signal.SIGINT) is before
    histories: list[History] = []
    thread = threading.Thread(target=lambda: histories.append(fit(model(), 1)))
    thread.start()
    thread.join()
    assert len(histories) == 1


def test_a_second_ctrl_c_does_not_wait() -> None:
    class Twice(Callback):
        after = False

        def on_step(self, model: Model, logs: dict[str, Any]) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            self.after = True

    twice = Twice()
    with pytest.raises(KeyboardInterrupt):
        fit(model(), 1, callbacks=twice)
    assert not twice.after


# ---- checkpoints -------------------------------------------------------------------------------------------
def test_save_and_load_with_extras(tmp_path: Path) -> None:
    m, other = model(), model()
    fit(m, 1)
    m.save(tmp_path / "m", settings={"lr": 0.01}, epochs=[1, 2])
    assert other.load(tmp_path / "m") == {"settings": {"lr": 0.01}, "epochs": [1, 2]}
    assert same(m, other)
    assert other.optimizer.state_dict()["state"][0]["step"].item() == 6
    np.testing.assert_array_equal(m.predict(X).numpy(), other.predict(X).numpy())


def test_a_model_that_was_never_trained(tmp_path: Path) -> None:
    m = model()
    m.save(tmp_path / "m")
    other = Model(untrained(), nn.MSELoss())
    other.load(tmp_path / "m")
    assert same(m, other)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(2, 9)), r"'0.weight' has shape \[8, 2\] in it and \[9, 2\]"),
        (lambda: nn.Sequential(nn.Linear(2, 8)), "it has '3.weight', which this network has not"),
        (lambda: nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 1)), "it has no '1.weight', which this network has"),
    ],
)
def test_checkpoints_of_another_network(other: Any, message: str, tmp_path: Path) -> None:
    model().save(tmp_path / "m.ckpt")
    m = Model(other(), nn.MSELoss(), "adam")
    before = weights(m)
    with pytest.raises(CheckpointError, match=f"m.ckpt: a checkpoint of another network: {message}") as caught:
        m.load(tmp_path / "m.ckpt")
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(a, b) for a, b in zip(weights(m), before, strict=True))


def test_checkpoints_of_another_optimizer_or_kind(tmp_path: Path) -> None:
    m = model()
    fit(m, 1)
    m.save(tmp_path / "m")
    with pytest.raises(CheckpointError, match="saved with the optimizer Adam, this model has SGD"):
        model("sgd").load(tmp_path / "m")
    n = network()
    grouped = optim.Adam([{"params": n[0].parameters()}, {"params": n[3].parameters()}])
    with pytest.raises(CheckpointError, match="m: loaded state dict has a different number of parameter groups"):
        Model(n, nn.MSELoss(), grouped).load(tmp_path / "m")
    torch.save(m.network.state_dict(), tmp_path / "weights")
    with pytest.raises(CheckpointError, match=r"not a checkpoint of a Model; load it with mini_torch\.load"):
        m.load(tmp_path / "weights")
    with pytest.raises(CheckpointError, match="no such file"):
        m.load(tmp_path / "missing")


# ---- looking inside ----------------------------------------------------------------------------------------
def test_summary() -> None:
    m = model()
    m.network[0].bias.requires_grad_(False)
    lines = m.summary((2,)).splitlines()
    assert lines[2].split() == ["0", "Linear", "(N,", "8)", "24"]
    assert [line.split()[1] for line in lines[2:6]] == ["Linear", "Tanh", "Dropout", "Linear"]
    assert lines[-1].split() == ["total", "33,", "25", "trainable"]
    assert "(N" not in m.summary()
    assert all(module.training for module in m.network.modules())
    assert all(p.grad is None for p in m.network.parameters())


def test_summary_of_layers_with_several_outputs_and_own_parameters() -> None:
    class Two(nn.Module):
        def forward(self, x: Any) -> Any:
            return x, x[:, :1]

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(5))
            self.two = Two()

        def forward(self, x: Any) -> Any:
            return self.two(x)[0] * self.scale

    text = Model(nn.Sequential(Scaled()), nn.MSELoss()).summary((5,))
    assert "((N, 5), (N, 1))" in text
    assert [line.split()[:2] for line in text.splitlines()[2:4]] == [["0", "Scaled"], ["0.two", "Two"]]
    assert text.splitlines()[2].split()[-1] == "5"


def test_record() -> None:
    m = model()
    x = torch.from_numpy(X)
    with m.record("0", "1") as outputs:
        m(x)
    assert list(outputs) == ["0", "1"]
    np.testing.assert_array_equal(torch.tanh(outputs["0"]).detach().numpy(), outputs["1"].detach().numpy())
    m(x)
    with m.record() as everything:
        m(x)
    assert list(everything) == ["0", "1", "2", "3"]
    assert not any(module._forward_hooks for module in m.network.modules())
    with pytest.raises(KeyError, match="no layer '9' in this network; it has '0', '1', '2', '3'"), m.record("9"):
        pass


def test_position_without_steps() -> None:
    assert math.isnan(model().position.loss)


def test_dense_layers_and_their_optimizer(tmp_path: Path) -> None:
    """A checkpoint goes into a network that has not seen a batch yet, moments and all."""

    def fresh() -> Model:
        torch.manual_seed(0)
        return Model(Network(Dense(8), nn.ReLU(), Dense(1)), nn.MSELoss(), "adam", lr=0.01)

    m, other = fresh(), fresh()
    fit(m, 2)
    m.save(tmp_path / "m")
    other.load(tmp_path / "m")
    assert fit(m, 4, resume=True) == fit(other, 4, resume=True)
    assert same(m, other)
