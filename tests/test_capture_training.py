"""Compiled training steps against the same steps as they are: losses, parameters and the optimizer's state, over many
steps in which everything changes that may change between two calls."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from benchmarks import networks

nn, optim = torch.nn, torch.optim
STEPS = 50
Net = Any


def small() -> Net:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))


def with_dropout() -> Net:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))


def data(k: int, rows: int = 6) -> tuple[Any, Any]:
    rng = np.random.default_rng(k)
    return tuple(torch.from_numpy(rng.standard_normal((rows, n)).astype(np.float32)) for n in (3, 2))  # type: ignore


def squared(net: Net, x: Any, y: Any) -> Any:
    return nn.functional.mse_loss(net(x), y)


class Run:
    """A network, its optimizer, and a step; twice made, the same from the same seed."""

    def __init__(self, make: Callable[[], Net], make_optimizer: Callable[[Any], Any], compiled: bool) -> None:
        self.net = make()
        self.optimizer = make_optimizer(self.net.parameters())
        self.losses: list[float] = []
        self.compile = torch.compile if compiled else lambda function, **_: function
        self.step = self.compile(self.plain_step)

    def plain_step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        loss = squared(self.net, x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def go(self, k: int, rows: int = 6) -> None:
        self.losses.append(float(self.step(*data(k, rows))))


def both(
    scenario: Callable[[Run], None], make: Callable[[], Net] = small,
    make_optimizer: Callable[[Any], Any] = lambda p: optim.Adam(p, lr=0.01), plans: int | None = None,
) -> tuple[Run, Run]:  # fmt: skip
    """The scenario as it is and compiled; AssertionError where they end otherwise."""
    runs = []
    for compiled in (False, True):
        run = Run(make, make_optimizer, compiled)
        torch.manual_seed(1)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "compile: ")
            scenario(run)
        run.place = torch.default_generator.place().tolist()  # type: ignore[attr-defined]
        runs.append(run)
    a, b = runs
    same(a.losses, b.losses)
    same_state(a.net.state_dict(), b.net.state_dict())
    same_state(a.optimizer.state_dict(), b.optimizer.state_dict())
    assert a.place == b.place, "the random streams have come to different places"
    if plans is not None:
        assert sum(map(len, b.step.plans.values())) == plans
    return a, b


def same(a: Any, b: Any) -> None:
    np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)


def same_state(a: Any, b: Any) -> None:
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype
        same(a.detach().numpy(), b.detach().numpy())
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same_state(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same_state(x, y)
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=1e-6)
    else:
        assert a == b


# ---- the networks of the benchmarks ----------------------------------------------------------------------------------
WORKS = {
    "mlp": networks.mlp, "gpt": networks.gpt, "lstm": networks.lstm, "lenet": networks.lenet,
    "residual": networks.residual,
}  # fmt: skip


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("name", WORKS)
def test_networks_of_the_benchmarks(name: str) -> None:
    """Each step sees other numbers."""
    losses = []
    for compiled in (False, True):
        work = WORKS[name](torch)
        step = torch.compile(work.call, fullgraph=True) if compiled else work.call
        found = []
        for k in range(STEPS):
            inputs = [x if x.dtype is torch.int64 else x * (1 + 0.1 * k) for x in work.inputs]
            found.append(float(step(*inputs)))
        losses.append(found)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


# ---- what changes between calls --------------------------------------------------------------------------------------
def test_fifty_steps() -> None:
    def scenario(run: Run) -> None:
        for k in range(STEPS):
            run.go(k)

    both(scenario, plans=1)


def test_dropout_and_batch_norm() -> None:
    """Other draws at every call, from the same stream; running means move."""

    def scenario(run: Run) -> None:
        for k in range(STEPS):
            run.go(k)

    both(scenario, with_dropout)


def test_train_and_eval() -> None:
    def scenario(run: Run) -> None:
        predict = run.compile(lambda x: run.net(x))
        for k in range(12):
            run.net.train(k % 3 != 0)
            if k % 4 == 3:
                run.net[3].p = 0.1 + 0.05 * k
            run.go(k)
            run.losses += predict(data(k + 100)[0]).flatten().tolist()

    both(scenario, with_dropout)


def test_last_short_batch() -> None:
    def scenario(run: Run) -> None:
        for epoch in range(5):
            for k, rows in enumerate((6, 6, 6, 4)):
                run.go(10 * epoch + k, rows)

    both(scenario, with_dropout)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("scheduler", [
    lambda o: optim.lr_scheduler.StepLR(o, 5, 0.5), lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 20),
    lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=60),
    lambda o: optim.lr_scheduler.LambdaLR(o, lambda k: 1 / (1 + k)),
], ids=["step", "cosine", "one cycle", "lambda"])  # fmt: skip
def test_schedulers(scheduler: Any, inside: bool) -> None:
    """A schedule that moves the learning rate (and, one of them, momentum) inside of the step, and outside."""

    def scenario(run: Run) -> None:
        plan = scheduler(run.optimizer)

        def step(x: Any, y: Any) -> Any:
            loss = run.plain_step(x, y)
            plan.step()
            return loss

        run.step = run.compile(step) if inside else run.step
        for k in range(STEPS):
            run.go(k)
            if not inside:
                plan.step()
        run.losses += [float(x) for x in plan.get_last_lr()]

    both(scenario)


@pytest.mark.parametrize("clip", [
    lambda p: nn.utils.clip_grad_norm_(p, 0.5), lambda p: nn.utils.clip_grad_norm_(p, 100.0),
    lambda p: nn.utils.clip_grad_norm_(p, 0.3, norm_type=float("inf")), lambda p: nn.utils.clip_grad_value_(p, 0.05),
], ids=["norm", "large norm", "largest", "value"])  # fmt: skip
def test_clipping(clip: Any) -> None:
    """Steps where the gradient is clipped, and steps where it is not."""

    def scenario(run: Run) -> None:
        def step(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            loss = squared(run.net, x, y)
            loss.backward()
            norm = clip(run.net.parameters())
            run.optimizer.step()
            return loss if norm is None else loss + 0 * norm + norm.detach()

        run.step = run.compile(step)
        for k in range(STEPS):
            run.go(k)

    both(scenario)


def test_accumulated_gradients() -> None:
    """Several backward calls, then a step; gradients are forgotten outside, or set to zero."""

    def scenario(run: Run) -> None:
        @run.compile
        def forward_backward(x: Any, y: Any) -> Any:
            loss = squared(run.net, x, y) / 3
            loss.backward()
            return loss

        for k in range(20):
            run.optimizer.zero_grad(set_to_none=k % 2 == 0)
            for part in range(3):
                run.losses.append(float(forward_backward(*data(3 * k + part))))
            run.optimizer.step()

    both(scenario)


def test_loop_over_parts_inside() -> None:
    def scenario(run: Run) -> None:
        def step(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            for a, b in zip(x.chunk(3), y.chunk(3)):
                (squared(run.net, a, b) / 3).backward()
            run.optimizer.step()
            return squared(run.net, x, y)

        run.step = run.compile(step)
        for k in range(20):
            run.go(k)

    both(scenario)


def test_state_loaded_in_between() -> None:
    """Of the model, of the optimizer, of both; and parameters overwritten in place."""

    def scenario(run: Run) -> None:
        saved: Any = None
        for k in range(30):
            run.go(k)
            if k == 5:
                saved = [{name: x.clone() for name, x in run.net.state_dict().items()}, run.optimizer.state_dict()]
                saved[1] = _copied(saved[1])
            if k in (10, 20):
                run.net.load_state_dict(saved[0])
            if k in (15, 20):
                run.optimizer.load_state_dict(saved[1])
            if k == 25:
                with torch.no_grad():
                    run.net[0].weight.mul_(0.5)
                    run.net[2].bias.copy_(torch.ones(8))

    both(scenario)


def _copied(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return x.clone()
    if isinstance(x, dict):
        return {key: _copied(each) for key, each in x.items()}
    return [_copied(each) for each in x] if isinstance(x, list) else x


def test_two_functions_share_parameters() -> None:
    def scenario(run: Run) -> None:
        def other(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            loss = run.net(x).abs().mean() + run.net[0].weight.square().sum()
            loss.backward()
            run.optimizer.step()
            return loss

        second = run.compile(other)
        for k in range(20):
            run.go(k)
            run.losses.append(float(second(*data(k))))

    both(scenario)


def test_two_optimizers() -> None:
    def scenario(run: Run) -> None:
        first = optim.SGD(run.net[0].parameters(), lr=0.1, momentum=0.9)
        rest = optim.AdamW(run.net[2:].parameters(), lr=0.01)

        def step(x: Any, y: Any) -> Any:
            first.zero_grad(), rest.zero_grad()
            loss = squared(run.net, x, y)
            loss.backward()
            first.step(), rest.step()
            return loss

        run.step = run.compile(step)
        for k in range(20):
            run.go(k)

    both(scenario)


def test_options_set_in_between() -> None:
    def scenario(run: Run) -> None:
        group = run.optimizer.param_groups[0]
        for k in range(30):
            if k == 5:
                group["lr"] = 0.05
            if k == 10:
                group["weight_decay"] = 0.1
            if k == 15:
                group["momentum"] = 0.5
            if k == 20:
                group["nesterov"] = True
            if k == 25:
                group["weight_decay"] = 0.0
            run.go(k)

    both(scenario, make_optimizer=functools.partial(optim.SGD, lr=0.02, momentum=0.9))


def test_group_added() -> None:
    def scenario(run: Run) -> None:
        run.optimizer = optim.Adam(run.net[0].parameters(), lr=0.01)
        for k in range(20):
            if k == 8:
                run.optimizer.add_param_group({"params": list(run.net[2].parameters()), "lr": 0.1})
            run.go(k)

    both(scenario)


def test_frozen_in_between() -> None:
    def scenario(run: Run) -> None:
        for k in range(24):
            run.net[0].requires_grad_(k % 8 < 4)
            run.go(k)

    both(scenario)


def test_layer_replaced() -> None:
    def scenario(run: Run) -> None:
        for k in range(15):
            if k == 5:
                run.net[1] = nn.ReLU()
            if k == 10:
                run.net[4].weight = nn.Parameter(torch.ones(2, 8) / 8)
                run.optimizer = optim.Adam(run.net.parameters(), lr=0.01)
            run.go(k)

    both(scenario)


# ---- every optimizer -------------------------------------------------------------------------------------------------
OPTIMIZERS: dict[str, Any] = {
    "SGD": {"lr": 0.05}, "SGD momentum": {"lr": 0.02, "momentum": 0.9, "dampening": 0.1},
    "SGD nesterov": {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "SGD maximize": {"lr": 0.0002, "maximize": True},
    "Adam": {"weight_decay": 0.01}, "Adam amsgrad": {"amsgrad": True}, "Adam tensor": {"lr": torch.tensor(0.01)},
    "AdamW": {}, "Adamax": {}, "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {"lr_decay": 0.01}, "Adadelta": {}, "NAdam": {}, "RAdam": {}, "Rprop": {}, "ASGD": {"t0": 5},
    "Adafactor": {},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str) -> None:
    def scenario(run: Run) -> None:
        for k in range(20):
            run.go(k)

    both(scenario, make_optimizer=lambda p: getattr(optim, name.split()[0])(p, **OPTIMIZERS[name]))


def test_muon() -> None:
    def scenario(run: Run) -> None:
        run.optimizer = optim.Muon([p for p in run.net.parameters() if p.dim() == 2], lr=0.01)
        for k in range(10):
            run.go(k)

    both(scenario)


def test_lbfgs_runs_as_it_is() -> None:
    """It calls its closure as often as it likes; that cannot be planned, and one warning says so."""
    losses = []
    for compiled in (False, True):
        net = small()
        optimizer = optim.LBFGS(net.parameters(), max_iter=4)

        def step(x: Any, y: Any, net: Net = net, optimizer: Any = optimizer) -> Any:
            def closure() -> Any:
                optimizer.zero_grad()
                loss = squared(net, x, y)
                loss.backward()
                return loss

            return optimizer.step(closure)

        step = torch.compile(step) if compiled else step
        if compiled:
            with pytest.warns(UserWarning, match=r"LBFGS.step a closure"):
                losses.append([float(step(*data(0)))])
        else:
            losses.append([float(step(*data(0)))])
        losses[-1] += [float(step(*data(0))) for _ in range(3)]
    same(*losses)


def test_closure_of_other_optimizers() -> None:
    def scenario(run: Run) -> None:
        def step(x: Any, y: Any) -> Any:
            def closure() -> Any:
                run.optimizer.zero_grad()
                loss = squared(run.net, x, y)
                loss.backward()
                return loss

            return run.optimizer.step(closure)

        run.step = run.compile(step)
        for k in range(10):
            run.go(k)

    both(scenario)


# ---- parts of a step -------------------------------------------------------------------------------------------------
def test_compiled_module_in_an_ordinary_step() -> None:
    def scenario(run: Run) -> None:
        net = run.compile(run.net)
        run.step = lambda x, y: _ordinary(run, net, x, y)
        for k in range(20):
            run.net.train(k % 5 != 4)
            run.go(k, 6 if k % 4 else 3)

    both(scenario, with_dropout)


def _ordinary(run: Run, net: Net, x: Any, y: Any) -> Any:
    run.optimizer.zero_grad()
    loss = squared(net, x, y)
    loss.backward()
    run.optimizer.step()
    return loss


def test_backward_waits_for_two_calls() -> None:
    """Two calls of a compiled module before one backward: each keeps its own numbers."""

    def scenario(run: Run) -> None:
        net = run.compile(run.net)
        for k in range(8):
            run.optimizer.zero_grad()
            (x, y), (z, w) = data(k), data(k + 50)
            loss = nn.functional.mse_loss(net(x), y) * nn.functional.mse_loss(net(z), w)
            loss.backward(retain_graph=True)
            loss.backward()
            run.optimizer.step()
            run.losses.append(float(loss))

    both(scenario)


def test_kept_gradients_stay() -> None:
    """A gradient that somebody holds, or an array of it, is not written to by later steps."""
    net = small()
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    @torch.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = squared(net, x, y)
        loss.backward()
        optimizer.step()
        return loss

    held: list[tuple[Any, Any]] = []
    for k in range(8):
        step(*data(k))
        p = net[k % 3 * 2].weight
        held.append((p.grad, p.grad.clone()))
        array = p.grad.numpy()
        held.append((torch.from_numpy(array), p.grad.clone()))
        view = p.grad[0]
        held.append((view, view.clone()))
    for kept, copy in held:
        assert kept.equal(copy)


def test_results_stay() -> None:
    """What a call returned is not written to by the next."""
    step = torch.compile(lambda x: (x * 2, (x * 2).t(), x.sum(), x.exp()[1:]))
    results = [step(torch.full((3, 2), float(k))) for k in range(5)]
    for k, (twice, turned, total, part) in enumerate(results):
        assert twice.eq(2 * k).all()
        assert turned.eq(2 * k).all()
        assert float(total) == 6 * k
        np.testing.assert_allclose(part.numpy(), np.exp(np.full((2, 2), k)), rtol=1e-6)


# ---- errors ----------------------------------------------------------------------------------------------------------
def test_error_in_the_middle_of_a_replay() -> None:
    """A class that does not exist: the same error, and the next call is as if that one had not been."""

    def scenario(run: Run) -> None:
        def step(x: Any, y: Any) -> Any:
            run.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(run.net(x), y)
            loss.backward()
            run.optimizer.step()
            return loss

        step = run.compile(step)
        for k in range(12):
            x = data(k)[0]
            if k % 4 == 3:
                with pytest.raises(IndexError, match="out of bounds"):
                    step(x, torch.tensor([0, 1, 1, 0, 7, 0]))
            run.losses.append(float(step(x, torch.arange(6) % 2)))

    both(scenario, with_dropout)


# ---- other threads ---------------------------------------------------------------------------------------------------
def test_another_thread_runs_on() -> None:
    """While this one records and replays, another trains a network of its own as it is."""
    stop, found = threading.Event(), []

    def other() -> None:
        net = small()
        optimizer = optim.SGD(net.parameters(), lr=0.05)
        losses = []
        for k in range(40):
            optimizer.zero_grad()
            loss = squared(net, *data(k))
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
        found.append(losses)
        stop.set()

    expected = Run(small, functools.partial(optim.SGD, lr=0.05), False)
    for k in range(40):
        expected.go(k)
    thread = threading.Thread(target=other)
    mine = Run(small, functools.partial(optim.SGD, lr=0.05), True)
    thread.start()
    k = 0
    while not stop.is_set() or k < 40:
        if k < 40:
            mine.go(k)
        else:
            torch.compile(lambda x, k=k: (x * k).sum())(torch.ones(3))
        k += 1
    thread.join()
    same(expected.losses, found[0])
    same(expected.losses, mine.losses)
