"""Schedules of the learning rate: PyTorch's rates, state, errors and warnings."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
import optim_cases as cases
from mini_torch import nn, optim
from mini_torch.optim import lr_scheduler as schedules

RECORDED = json.loads((Path(__file__).parent / "data" / "optim.json").read_text())["schedules"]


def sgd(**options: Any) -> Any:
    return optim.SGD([nn.Parameter(torch.zeros(2))], **{"lr": 1.0, "momentum": 0.9, **options})


def rates(optimizer: Any, schedule: Any, epochs: int) -> list[float]:
    found = []
    for _ in range(epochs):
        optimizer.step()
        schedule.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


# ---- PyTorch's numbers -------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", cases.SCHEDULES)
def test_rates_and_state_are_pytorchs(code: str) -> None:
    """Rates and momentum for 50 epochs, and the state dict after them."""
    schedule, found = cases.run_schedule(torch, code)
    np.testing.assert_allclose(found, RECORDED[code]["rates"], rtol=1e-12, atol=1e-15)
    expected = RECORDED[code]["state"]
    state = cases.plain(schedule.state_dict())
    assert list(state) == list(expected) or sorted(state) == sorted(expected)
    same_values(state, expected)


def same_values(a: Any, b: Any) -> None:
    if isinstance(b, dict):
        assert sorted(a) == sorted(b)
        for key in b:
            same_values(a[key], b[key])
    elif isinstance(b, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same_values(x, y)
    else:
        assert a == (pytest.approx(b, rel=1e-12) if isinstance(b, float) else b)


@pytest.mark.parametrize("code", cases.SCHEDULES)
def test_continuing_from_a_state_dict(code: str, tmp_path: Path) -> None:
    """Through a file, for the half of a run that was left."""
    one, _ = cases.run_schedule(torch, code, 20)
    other, _ = cases.run_schedule(torch, code, 0)
    torch.save([one.state_dict(), one.optimizer.state_dict()], tmp_path / "state")
    state, optimizer_state = torch.load(tmp_path / "state")
    other.load_state_dict(state)
    other.optimizer.load_state_dict(optimizer_state)
    for k in range(20, 45):
        assert cases.go_on(one.optimizer, one, k) == cases.go_on(other.optimizer, other, k)


@pytest.mark.parametrize("code", [code for code in cases.SCHEDULES if "lambda" not in code])
def test_copies(code: str) -> None:
    one, _ = cases.run_schedule(torch, code, 10)
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        for k in range(10, 20):
            other.optimizer.step()
            cases.go_on(other.optimizer, other, k)
        assert other.optimizer is not one.optimizer


# ---- how it is used ----------------------------------------------------------------------------------------
def test_closed_form_agrees_with_steps() -> None:
    """`step(epoch)`, which PyTorch deprecates, goes straight to an epoch."""
    for code in ("StepLR(o, 3)", "MultiStepLR(o, [2, 5])", "ConstantLR(o)", "LinearLR(o)", "ExponentialLR(o, 0.9)",
                 "PolynomialLR(o, 9)", "CosineAnnealingLR(o, 9)", "LambdaLR(o, lambda e: 0.9 ** e)"):  # fmt: skip
        o = sgd()
        stepwise = rates(o, eval(code, {"o": o, **vars(schedules)}), 7)[-1]
        o = sgd()
        o.step()
        schedule = eval(code, {"o": o, **vars(schedules)})
        o.step()
        with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
            schedule.step(7)
        assert o.param_groups[0]["lr"] == pytest.approx(stepwise, rel=1e-9), code


def test_warm_restarts_take_fractions_of_an_epoch() -> None:
    o = sgd()
    schedule = schedules.CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2)
    schedule.step(1)
    assert o.param_groups[0]["lr"] == pytest.approx(0.5)
    schedule.step(3.5)  # a round of four epochs began at 2
    assert (schedule.T_i, schedule.T_cur) == (4, 1.5)
    once = schedules.CosineAnnealingWarmRestarts(sgd(), T_0=2)
    once.step(5)
    assert once.T_cur == 1
    with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
        schedule.step(-1)


def test_schedules_can_be_chained_by_hand() -> None:
    o = sgd()
    one, other = schedules.ExponentialLR(o, 0.5), schedules.StepLR(o, 2, gamma=0.1)
    for _ in range(2):
        o.step()
        one.step()
        other.step()
    assert o.param_groups[0]["lr"] == pytest.approx(0.025)


def test_resuming_with_last_epoch() -> None:
    o = sgd()
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        schedules.StepLR(o, 2, last_epoch=3)
    o.param_groups[0]["initial_lr"] = 1.0
    assert schedules.CosineAnnealingLR(o, 10, last_epoch=3).last_epoch == 4


def test_a_tensor_rate_stays_the_same_tensor() -> None:
    rate = torch.tensor(1.0, dtype=torch.float64)
    o = sgd(lr=rate)
    schedule = schedules.ExponentialLR(o, 0.5)
    o.step()
    schedule.step()
    assert o.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5
    assert schedule.get_last_lr()[0] is not rate
    plateau = schedules.ReduceLROnPlateau(o, patience=0, factor=0.1)
    plateau.step(1.0)
    plateau.step(torch.tensor(2.0))
    assert rate.item() == pytest.approx(0.05)


def test_the_order_of_steps_is_checked_once() -> None:
    o = sgd()
    schedule = schedules.StepLR(o, 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    schedule.step()
    o = sgd()
    o.step()  # before there was a schedule: does not count
    schedule = schedules.StepLR(o, 1)
    o.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()


def test_get_lr_is_for_schedules() -> None:
    for schedule in (schedules.StepLR(sgd(), 1), schedules.CosineAnnealingWarmRestarts(sgd(), 2)):
        with pytest.warns(UserWarning, match="please use `get_last_lr"):
            schedule.get_lr()


def test_a_schedule_of_one_s_own() -> None:
    class Halve(schedules.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / 2**self.last_epoch for base in self.base_lrs]

    o = sgd()
    assert rates(o, Halve(o), 3) == [0.5, 0.25, 0.125]
    with pytest.raises(NotImplementedError, match="LRScheduler does not define get_lr"):
        schedules.LRScheduler(sgd())


class Decay:
    """A callable object, whose attributes are part of the state."""

    def __init__(self, base: float) -> None:
        self.base = base

    def __call__(self, epoch: float) -> float:
        return self.base**epoch


def test_callable_objects_are_saved() -> None:
    for make in (
        lambda base: schedules.LambdaLR(sgd(), Decay(base)),
        lambda base: schedules.MultiplicativeLR(sgd(), Decay(base)),
        lambda base: schedules.CyclicLR(sgd(), 0.1, 1.0, scale_fn=Decay(base)),
    ):
        one, other = make(0.5), make(0.9)
        other.load_state_dict(one.state_dict())
        assert rates(one.optimizer, one, 3) == rates(other.optimizer, other, 3)


def test_plateau_forgets_nothing_it_should_keep() -> None:
    o = sgd()
    schedule = schedules.ReduceLROnPlateau(o, mode="max", threshold_mode="rel", patience=1, factor=0.5, min_lr=[0.3])
    for metric in (1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0):
        schedule.step(metric)
    assert o.param_groups[0]["lr"] == 0.3
    assert schedule.best == 2.0
    assert not schedule.in_cooldown
    with pytest.warns(UserWarning, match="The epoch parameter"):
        schedule.step(1.0, epoch=20)
    assert schedule.last_epoch == 20


def test_plateau_and_groups_that_come_later() -> None:
    for min_lr, fails in ((0.0, False), ([0.0], True)):
        o = sgd()
        schedule = schedules.ReduceLROnPlateau(o, patience=0, min_lr=min_lr)
        o.add_param_group({"params": [nn.Parameter(torch.zeros(1))]})
        schedule.step(1.0)
        if fails:
            with pytest.raises(RuntimeError, match=r"The number of param groups in the `optimizer` \(2\) differs"):
                schedule.step(1.0)
        else:
            schedule.step(1.0)
            assert [group["lr"] for group in o.param_groups] == [0.1, 0.1]


def test_momentum_of_adam_is_beta1() -> None:
    for make in (
        lambda o: schedules.CyclicLR(o, 0.1, 1.0, step_size_up=2),
        lambda o: schedules.OneCycleLR(o, 1.0, total_steps=10),
    ):
        o = optim.Adam([nn.Parameter(torch.zeros(2))])
        schedule = make(o)
        top = o.param_groups[0]["betas"][0]
        o.step()
        schedule.step()
        assert o.param_groups[0]["betas"][0] < top
        assert o.param_groups[0]["betas"][1] == 0.999


# ---- errors ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("StepLR(3, 1)", TypeError, "int is not an Optimizer"),
        ("ReduceLROnPlateau(3)", TypeError, "int is not an Optimizer"),
        ("ConstantLR(o, factor=2)", ValueError, "Constant multiplicative factor expected to be between 0 and 1"),
        ("LinearLR(o, start_factor=0)", ValueError, "Starting multiplicative factor"),
        ("LinearLR(o, end_factor=2)", ValueError, "Ending multiplicative factor"),
        ("LambdaLR(o, [abs, abs])", ValueError, "Expected 1 lr_lambdas, but got 2"),
        ("MultiplicativeLR(o, 3)", TypeError, "lr_lambda should be a function, but got int"),
        ("CosineAnnealingWarmRestarts(o, 0)", ValueError, "Expected positive integer T_0, but got 0"),
        ("CosineAnnealingWarmRestarts(o, 1, 0)", ValueError, "Expected integer T_mult >= 1, but got 0"),
        ("CosineAnnealingWarmRestarts(o, 1, eta_min='0')", ValueError, "Expected float or int eta_min, but got 0"),
        ("ReduceLROnPlateau(o, factor=1.0)", ValueError, "Factor should be < 1.0"),
        ("ReduceLROnPlateau(o, mode='best')", ValueError, "mode best is unknown!"),
        ("ReduceLROnPlateau(o, threshold_mode='x')", ValueError, "threshold mode x is unknown!"),
        ("ReduceLROnPlateau(o, min_lr=[1, 2])", ValueError, "expected 1 min_lrs, got 2"),
        ("CyclicLR(o, [1, 2], 3)", ValueError, "base_lr must have the same length as optimizer.param_groups"),
        ("CyclicLR(o, 1, 3, mode='x')", ValueError, "mode is invalid and scale_fn is None"),
        ("CyclicLR(adagrad, 1, 3)", ValueError, "optimizer must support momentum or beta1"),
        ("OneCycleLR(o, 1)", ValueError, "You must define either total_steps OR"),
        ("OneCycleLR(o, 1, 0)", ValueError, "Expected positive integer total_steps, but got 0"),
        ("OneCycleLR(o, 1, epochs=2, steps_per_epoch=-1)", ValueError, "Expected positive integer steps_per_epoch"),
        ("OneCycleLR(o, 1, 5, pct_start=2.0)", ValueError, "Expected float between 0 and 1 pct_start, but got 2.0"),
        ("OneCycleLR(o, 1, 5, anneal_strategy='x')", ValueError, "anneal_strategy must be one of 'cos' or 'linear'"),
        ("SequentialLR(o, [], [])", ValueError, "SequentialLR expects at least one scheduler, but got no scheduler"),
        ("SequentialLR(o, [StepLR(o, 1)], [1])", ValueError, "expects number of schedulers provided to be one more"),
        ("SequentialLR(o, [StepLR(other, 1)], [])", ValueError, "to belong to the same optimizer"),
        ("SequentialLR(o, [3], [])", TypeError, "at index 0 should have `optimizer` as its attribute"),
        ("ChainedScheduler([ReduceLROnPlateau(o)])", ValueError, "does not support `ReduceLROnPlateau` scheduler"),
        ("ChainedScheduler([])", ValueError, "expects at least one scheduler to be chained"),
    ],
)
def test_bad_arguments(code: str, error: type[Exception], message: str) -> None:
    adagrad = optim.Adagrad([nn.Parameter(torch.zeros(2))])
    with pytest.raises(error, match=message):
        eval(code, {"o": sgd(), "other": sgd(), "adagrad": adagrad, **vars(schedules)})


def test_one_cycle_ends() -> None:
    o = sgd()
    schedule = schedules.OneCycleLR(o, 1.0, total_steps=3)
    rates(o, schedule, 3)
    o.step()
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number of total steps is 3"):
        schedule.step()


def test_nested_sequences_are_as_pytorchs() -> None:
    o = sgd()
    inner = schedules.SequentialLR(o, [schedules.ExponentialLR(o, 0.5), schedules.ExponentialLR(o, 0.1)], [2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outer = schedules.SequentialLR(o, [inner, schedules.ConstantLR(o, 0.5)], [9])
        assert rates(o, outer, 3) == pytest.approx([1.0, 0.1, 0.01])
