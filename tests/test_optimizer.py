"""The optimizers: PyTorch's numbers, state and errors; and what flat buffers must not break."""

from __future__ import annotations

import copy
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
import optim_cases as cases
from mini_torch import nn, optim
from mini_torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from mini_torch.optimizer import by_name

RECORDED = json.loads((Path(__file__).parent / "data" / "optim.json").read_text())["optimizers"]
FAMILIES = {
    "SGD": {"momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {"lr_decay": 0.1},
    "Adamax": {},
    "NAdam": {"weight_decay": 0.1},
    "RAdam": {},
    "Adadelta": {},
    "ASGD": {"t0": 2, "lambd": 0.1},
    "Rprop": {},
}


def make(name: str, params: Any, **options: Any) -> Any:
    return getattr(optim, name)(params, **{"lr": 0.1, **FAMILIES[name], **options})


def train(optimizer: Any, params: list[Any], start: int, steps: int) -> None:
    for k in range(start, start + steps):
        cases.set_gradients(torch, params, k)
        optimizer.step()


def values(params: list[Any]) -> list[Any]:
    return [p.detach().numpy().copy() for p in params]


def assert_same(a: list[Any], b: list[Any], **tolerance: float) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, **(tolerance or {"rtol": 0, "atol": 0}))


# ---- PyTorch's numbers -------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", RECORDED)
def test_numbers_state_and_text_are_pytorchs(case: str) -> None:
    """After 24 steps, with and without parameters that have no gradient in some of them."""
    code, frozen = case.split(" | ")
    expected = RECORDED[case]
    optimizer, params = cases.run_optimizer(torch, code, frozen)
    for p, numbers in zip(params, expected["params"], strict=True):
        np.testing.assert_allclose(p.detach().numpy().reshape(-1), numbers, rtol=3e-5, atol=3e-6)
    state = cases.flat_state(optimizer)
    assert [entry[:4] for entry in state] == [entry[:4] for entry in expected["state"]]
    for entry, other in zip(state, expected["state"], strict=True):
        np.testing.assert_allclose(entry[4], other[4], rtol=3e-5, atol=3e-6, err_msg=str(entry[:2]))
    assert cases.plain(optimizer.state_dict()["param_groups"]) == expected["groups"]
    assert repr(optimizer) == expected["repr"]


@pytest.mark.parametrize("name", FAMILIES)
def test_float64_and_float16_parameters(name: str) -> None:
    """A group of mixed types gives each parameter what it gets in a group of its own type."""
    options = {} if name in ("SGD", "ASGD", "Rprop") else {"eps": 1e-3}
    wide, narrow = cases.parameters(torch, "float64"), cases.parameters(torch, "float16")
    together = make(name, [p for pair in zip(wide, narrow, strict=True) for p in pair], **options)
    for k in range(5):
        cases.set_gradients(torch, wide, k)
        cases.set_gradients(torch, narrow, k)
        together.step()
    for dtype, got in (("float64", wide), ("float16", narrow)):
        alone = cases.parameters(torch, dtype)
        train(make(name, alone, **options), alone, 0, 5)
        assert_same(values(got), values(alone))
        assert {str(p.dtype) for p in got} == {f"torch.{dtype}"}
    single = cases.parameters(torch)
    train(make(name, single, **options), single, 0, 5)
    assert_same(values(single), values(wide), rtol=1e-4, atol=1e-5)
    assert_same(values(single), values(narrow), rtol=0.05, atol=0.05)


def test_complex_parameters_are_pairs_of_real_ones() -> None:
    z = nn.Parameter(torch.tensor(np.array([1 + 2j, 3 - 1j], np.complex64)))
    pair = nn.Parameter(torch.tensor(np.array([[1.0, 2.0], [3.0, -1.0]], np.float32)))
    g = np.array([[0.5, -1.0], [2.0, 0.25]], np.float32)
    for name in FAMILIES:
        a, b = make(name, [z]), make(name, [pair])
        for _ in range(3):
            z.grad, pair.grad = torch.tensor(g.view(np.complex64).reshape(2)), torch.tensor(g)
            a.step()
            b.step()
        got = z.detach().numpy().view(np.float32).reshape(2, 2)
        np.testing.assert_allclose(got, pair.detach().numpy(), rtol=1e-6)


def test_gradients_of_any_layout() -> None:
    a, b = (nn.Parameter(torch.ones(3, 2)) for _ in range(2))
    one, other = optim.Adam([a]), optim.Adam([b])
    g = np.arange(6, dtype=np.float32).reshape(2, 3)
    a.grad, b.grad = torch.from_numpy(g).T, torch.from_numpy(np.ascontiguousarray(g.T))
    one.step()
    other.step()
    assert_same(values([a]), values([b]))


# ---- flat buffers ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FAMILIES)
def test_a_parameter_s_memory_never_moves(name: str) -> None:
    shared = np.ones((2, 3), np.float32)
    p = nn.Parameter(torch.from_numpy(shared))
    optimizer = make(name, [p])
    train(optimizer, [p], 0, 3)
    assert p.detach().numpy() is shared
    assert not np.array_equal(shared, np.ones((2, 3)))


def test_state_tensors_are_live() -> None:
    """A tensor taken from the state shows later steps, and writing into it changes them."""
    params = cases.parameters(torch)
    optimizer = optim.Adam(params, lr=0.1)
    train(optimizer, params, 0, 2)
    moment = optimizer.state[params[0]]["exp_avg"]
    before = moment.numpy().copy()
    train(optimizer, params, 2, 1)
    assert optimizer.state[params[0]]["exp_avg"] is moment
    assert not np.array_equal(before, moment.numpy())
    moment.zero_()
    cases.set_gradients(torch, params, 3)
    optimizer.step()
    np.testing.assert_allclose(moment.numpy(), 0.1 * params[0].grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize("change", ["cleared", "deleted", "new dict", "replaced"])
def test_state_that_the_user_changes_is_used(change: str) -> None:
    params, others = cases.parameters(torch), cases.parameters(torch)
    optimizer = optim.Adam(params, lr=0.1)
    train(optimizer, params, 0, 3)
    state = optimizer.state[params[0]]
    if change == "cleared":
        state.clear()
    elif change == "deleted":
        del optimizer.state[params[0]]
    elif change == "new dict":
        optimizer.state[params[0]] = {}
    else:
        for key in state:
            state[key] = torch.zeros_like(state[key])
    with torch.no_grad():
        others[0].copy_(params[0])
    fresh = optim.Adam(others[:1], lr=0.1)
    train(fresh, others[:1], 3, 2)
    train(optimizer, params, 3, 2)
    assert_same(values(params[:1]), values(others[:1]))
    assert optimizer.state[params[0]]["step"].item() == 2
    assert optimizer.state[params[1]]["step"].item() == 5


def test_a_count_that_the_user_sets_is_used() -> None:
    params, others = cases.parameters(torch), cases.parameters(torch)
    one, other = optim.Adam(params, lr=0.1), optim.Adam(others, lr=0.1)
    train(one, params, 0, 2)
    train(other, others, 0, 2)
    one.state[params[1]]["step"].fill_(10.0)
    other.state[others[1]]["step"] = torch.tensor(10.0)
    train(one, params, 2, 2)
    train(other, others, 2, 2)
    assert_same(values(params), values(others))
    assert [one.state[p]["step"].item() for p in params] == [4, 12, 4, 4]


@pytest.mark.parametrize("name", FAMILIES)
def test_data_replaced_between_steps(name: str) -> None:
    params, others = cases.parameters(torch), cases.parameters(torch)
    one, other = make(name, params), make(name, others)
    for k in range(4):
        params[0].data = params[0].data.clone()
        train(one, params, k, 1)
        train(other, others, k, 1)
    assert_same(values(params), values(others))


def test_data_of_another_type_takes_its_state_along() -> None:
    params, wide = cases.parameters(torch), cases.parameters(torch, "float64")
    one, other = optim.Adam(params, lr=0.1), optim.Adam(wide, lr=0.1)
    train(one, params, 0, 3)
    train(other, wide, 0, 3)
    for p in params:
        p.grad = None
        p.data = p.data.double()
    train(one, params, 3, 3)
    train(other, wide, 3, 3)
    assert_same(values(params), values(wide), rtol=1e-5, atol=1e-6)
    assert one.state[params[0]]["exp_avg"].dtype == torch.float64


def test_data_of_another_shape_is_an_error() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.Adam([p])
    train(optimizer, [p], 0, 1)
    p.grad = None
    p.data = torch.ones(1)
    p.grad = torch.ones(1)
    with pytest.raises(RuntimeError, match=r"'exp_avg' has shape \[3\], its parameter \[1\]"):
        optimizer.step()


def test_parameters_that_come_late() -> None:
    """A group added later counts its own steps; a parameter put into a group's list is found."""
    params, others = cases.parameters(torch), cases.parameters(torch)
    optimizer = optim.Adam(params[:1], lr=0.1)
    train(optimizer, params[:1], 0, 3)
    optimizer.add_param_group({"params": params[1]})
    optimizer.param_groups[0]["params"].append(params[2])
    train(optimizer, params[:3], 3, 3)
    assert [optimizer.state[p]["step"].item() for p in params[:3]] == [6, 3, 3]
    separate = [optim.Adam([p], lr=0.1) for p in others[:3]]
    train(separate[0], others[:1], 0, 3)
    for k in range(3, 6):
        cases.set_gradients(torch, others[:3], k)
        for part in separate:
            part.step()
    assert_same(values(params[:3]), values(others[:3]))


def test_a_step_is_seen_by_the_version_counter() -> None:
    p = nn.Parameter(torch.ones(2))
    loss = (p * p).sum()
    for name in FAMILIES:
        p.grad = torch.ones(2)
        before = p._version
        make(name, [p]).step()
        assert p._version > before
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


# ---- options -----------------------------------------------------------------------------------------------
def test_rates_may_change_at_any_time() -> None:
    """In the group, as a tensor, by a schedule."""
    params, others = cases.parameters(torch), cases.parameters(torch)
    one, other = optim.SGD(params, lr=0.1), optim.SGD(others, lr=torch.tensor(0.1, dtype=torch.float64))
    for k, lr in enumerate((0.1, 0.01, 0.5)):
        one.param_groups[0]["lr"] = lr
        other.param_groups[0]["lr"].fill_(lr)
        train(one, params, k, 1)
        train(other, others, k, 1)
    assert_same(values(params), values(others))


def test_tensor_options_of_adam() -> None:
    params, others = cases.parameters(torch), cases.parameters(torch)
    betas = torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.9, dtype=torch.float64)
    one = optim.Adam(params, lr=torch.tensor(0.1, dtype=torch.float64), betas=betas)
    other = optim.Adam(others, lr=0.1, betas=(0.5, 0.9))
    train(one, params, 0, 3)
    train(other, others, 0, 3)
    assert_same(values(params), values(others))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SGD([p], lr=-1)", "Invalid learning rate: -1"),
        ("SGD([p], momentum=-1)", "Invalid momentum value: -1"),
        ("SGD([p], weight_decay=-1)", "Invalid weight_decay value: -1"),
        ("SGD([p], nesterov=True)", "Nesterov momentum requires a momentum and zero dampening"),
        ("SGD([p], lr=torch.ones(2))", "Tensor lr must be 1-element"),
        ("Adam([p], lr=-1)", "Invalid learning rate: -1"),
        ("Adam([p], eps=-1)", "Invalid epsilon value: -1"),
        ("Adam([p], weight_decay=-1)", "Invalid weight_decay value: -1"),
        ("Adam([p], betas=(1.0, 0.9))", "Invalid beta parameter at index 0: 1.0"),
        ("Adam([p], betas=(0.9, -0.1))", "Invalid beta parameter at index 1: -0.1"),
        ("Adam([p], betas=(0.9, torch.tensor(0.9)))", "betas must be either both floats or both Tensors"),
        ("Adam([p], betas=(torch.ones(2), torch.ones(2)))", r"Tensor betas\[0\] must be 1-element"),
        ("Adam([p], lr=torch.tensor(0.1), foreach=True)", "lr as a Tensor is not supported"),
        ("Adam([p], betas=(torch.tensor(.9), torch.tensor(.9)), foreach=True)", r"betas\[0\] as a Tensor"),
        ("RMSprop([p], alpha=-1)", "Invalid alpha value: -1"),
        ("RMSprop([p], momentum=-1)", "Invalid momentum value: -1"),
        ("Adagrad([p], lr_decay=-1)", "Invalid lr_decay value: -1"),
        ("Adagrad([p], initial_accumulator_value=-1)", "Invalid initial_accumulator_value value: -1"),
        ("SGD([])", "optimizer got an empty parameter list"),
        ("SGD([p * 2])", "can't optimize a non-leaf Tensor"),
        ("SGD([{'params': [p]}, {'params': [p]}])", "some parameters appear in more than one parameter group"),
        ("SGD([('a', p), p])", "all optimizer params should be with/without names"),
        ("SGD([{'params': [('a', p)]}, {'params': [q]}])", "groups should be with/without names"),
    ],
)
def test_bad_values(code: str, message: str) -> None:
    names = {"p": nn.Parameter(torch.ones(2)), "q": nn.Parameter(torch.ones(2)), "torch": torch, **vars(optim)}
    with pytest.raises(ValueError, match=message):
        eval(code, names)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SGD(p)", "params argument given to the optimizer should be an iterable of Tensors or dicts"),
        ("SGD([1.0])", "optimizer can only optimize Tensors, but one of the params is float"),
        ("SGD([{'params': {p}}])", "optimizer parameters need to be organized in ordered collections"),
        ("SGD([{'params': [p]}, [p]])", "param_group must be a dict, but got <class 'list'>"),
    ],
)
def test_what_is_no_parameter(code: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        eval(code, {"p": nn.Parameter(torch.ones(2)), **vars(optim)})


def test_options_that_only_pytorch_tells_apart() -> None:
    p = nn.Parameter(torch.ones(2))
    for options in ({"foreach": True}, {"fused": True}, {"foreach": False, "fused": False}):
        assert optim.Adam([p], capturable=True, **options).defaults["capturable"] is True
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        optim.SGD([p], fused=True, foreach=True)


def test_by_name() -> None:
    assert [by_name(name) for name in ("sgd", "ADAM", "RMSprop")] == [optim.SGD, optim.Adam, optim.RMSprop]
    with pytest.raises(ValueError, match="unknown optimizer 'momentum': choose one of adadelta, adafactor"):
        by_name("momentum")


# ---- groups, gradients, closures ---------------------------------------------------------------------------
def test_groups_are_dicts_with_the_defaults() -> None:
    p, q = (nn.Parameter(torch.ones(2)) for _ in range(2))
    given = {"params": q, "lr": 0.5}
    optimizer = optim.SGD([{"params": [p]}, given], lr=0.1)
    assert optimizer.param_groups[1] is given
    assert given["params"] == [q]
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]
    named = optim.SGD(nn.Linear(2, 1).named_parameters())
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]
    assert named.state_dict()["param_groups"][0]["params"] == [0, 1]


def test_a_parameter_twice_in_a_group_warns() -> None:
    p = nn.Parameter(torch.ones(2))
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optimizer = optim.SGD([p, p], lr=0.1)
    p.grad = torch.ones(2)
    optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), 0.9)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_without_gradients_does_nothing(name: str) -> None:
    params = cases.parameters(torch)
    before = values(params)
    optimizer = make(name, params)
    optimizer.step()
    assert_same(values(params), before)
    assert name == "Adagrad" or not optimizer.state


def test_zero_grad() -> None:
    params = cases.parameters(torch)
    optimizer = optim.SGD(params)
    cases.set_gradients(torch, params, 0)
    grad = params[0].grad
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad is grad
    assert not grad.numpy().any()
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


def test_zero_grad_of_a_gradient_with_history() -> None:
    p = nn.Parameter(torch.ones(2))
    (g,) = torch.autograd.grad((p**3).sum(), p, create_graph=True)
    p.grad = g
    optim.SGD([p]).zero_grad(set_to_none=False)
    assert not p.grad.requires_grad
    assert not p.grad.numpy().any()


def test_closure() -> None:
    p = nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([p], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 2.0
    np.testing.assert_allclose(p.detach().numpy(), 0.8, rtol=1e-6)
    assert optimizer.step() is None


def test_infinite_gradients_pass_without_a_warning() -> None:
    for name in FAMILIES:
        p = nn.Parameter(torch.ones(3))
        p.grad = torch.tensor([float("inf"), float("nan"), 1e38])
        optimizer = make(name, [p])
        optimizer.step()
        optimizer.step()


# ---- hooks -------------------------------------------------------------------------------------------------
def test_step_hooks() -> None:
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    optimizer = optim.SGD([p], lr=0.1)
    calls: list[Any] = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("before", o, args, kwargs)))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(("after", o, args, kwargs)))
    replace = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: 7.0), {}))
    assert optimizer.step() == 7.0
    assert [call[0] for call in calls] == ["before", "after"]
    assert calls[0][1] is optimizer
    assert calls[0][2] == (optimizer,)
    assert len(calls[1][2]) == 2
    for handle in (before, after, replace):
        handle.remove()
    assert optimizer.step() is None
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"):
        optimizer.step()


def test_step_hooks_of_all_optimizers() -> None:
    """The ones before a step come before the optimizer's own, the ones after it after them."""
    calls: list[str] = []
    every = [
        register_optimizer_step_pre_hook(lambda *_: calls.append("all before")),
        register_optimizer_step_post_hook(lambda *_: calls.append("all after")),
    ]
    optimizer = optim.Adam([nn.Parameter(torch.ones(2))])
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    optimizer.step()
    for handle in every:
        handle.remove()
    optimizer.step()
    assert calls == ["all before", "before", "after", "all after", "before", "after"]


def test_state_dict_hooks() -> None:
    p = nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([p], lr=0.1)
    calls: list[str] = []
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 1})
    state = optimizer.state_dict()
    assert calls == ["first", "second"]
    assert state["extra"] == 1
    groups = [{"params": [0], "lr": 5.0}]
    optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "param_groups": groups})
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
    optimizer.load_state_dict(state)
    assert calls[-1] == "loaded"
    assert optimizer.param_groups[0]["lr"] == 5.0
    assert optimizer.param_groups[0]["momentum"] == 0  # options that the loaded one has not come from the defaults


# ---- checkpoints -------------------------------------------------------------------------------------------
def by_state_dict(optimizer: Any, name: str, params: list[Any]) -> Any:
    other = make(name, params)
    other.load_state_dict(optimizer.state_dict())
    return other


def by_file(optimizer: Any, name: str, params: list[Any]) -> Any:
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = make(name, params)
    other.load_state_dict(torch.load(file))
    return other


def by_pickled_state(optimizer: Any, name: str, params: list[Any]) -> Any:
    other = make(name, params)
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    return other


@pytest.mark.parametrize("way", [by_state_dict, by_file, by_pickled_state])
@pytest.mark.parametrize("name", FAMILIES)
def test_continuing_from_a_state_dict(name: str, way: Any) -> None:
    params = cases.parameters(torch)
    optimizer = make(name, params)
    train(optimizer, params, 0, 4)
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = way(optimizer, name, copies)
    train(optimizer, params, 4, 4)
    train(other, copies, 4, 4)
    assert_same(values(params), values(copies))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("way", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_go_on_alone(name: str, way: Any) -> None:
    params = cases.parameters(torch)
    optimizer = make(name, params)
    train(optimizer, params, 0, 3)
    other, copies = way((optimizer, params))
    train(optimizer, params, 3, 3)
    assert not np.array_equal(values(params)[0], values(copies)[0])
    train(other, copies, 3, 3)
    assert_same(values(params), values(copies))


def test_load_state_dict_checks_groups() -> None:
    params = cases.parameters(torch)
    optimizer = optim.SGD(params)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(optim.SGD([{"params": params[:1]}, {"params": params[1:]}]).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(optim.SGD(params[:1]).state_dict())


def test_loading_keeps_names_types_and_foreign_state() -> None:
    linear = nn.Linear(2, 1).double()
    optimizer = optim.Adam(linear.named_parameters())
    moments = {"exp_avg": torch.ones(1, 2), "exp_avg_sq": torch.ones(1, 2)}
    state = {
        "state": {0: {"step": 3, **moments, "more": [torch.ones(1)]}, "x": 1},
        "param_groups": [{"lr": 0.5, "params": [0, 1]}],
    }
    optimizer.load_state_dict(state)
    held = optimizer.state[linear.weight]
    assert held["exp_avg"].dtype == torch.float64
    assert held["more"][0].dtype == torch.float64
    assert optimizer.state["x"] == 1
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    linear.weight.grad = torch.ones(1, 2, dtype=torch.float64)
    optimizer.step()
    assert held["step"].item() == 4  # a count that was a plain number becomes a tensor


def test_adamw_stays_decoupled_when_it_loads_adam() -> None:
    p = nn.Parameter(torch.ones(2))
    optimizer = optim.AdamW([p])
    optimizer.load_state_dict(optim.Adam([p]).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


# ---- own optimizers ----------------------------------------------------------------------------------------
class Signs(optim.Optimizer):
    """Steps of equal length."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["count"] = self.state[p].get("count", 0) + 1
                p.sub_(group["lr"] * p.grad.sign())


def test_an_optimizer_of_one_s_own() -> None:
    p = nn.Parameter(torch.ones(2))
    optimizer = Signs([p], lr=0.25)
    calls: list[str] = []
    optimizer.register_step_post_hook(lambda *args: calls.append("hook"))
    p.grad = torch.tensor([3.0, -3.0])
    optimizer.step()
    assert p.tolist() == [0.75, 1.25]
    assert calls == ["hook"]
    other = Signs([p], lr=1.0)
    other.load_state_dict(optimizer.state_dict())
    assert other.state[p] == {"count": 1}
    assert other.param_groups[0]["lr"] == 0.25


def test_an_optimizer_without_a_step() -> None:
    class Nothing(optim.Optimizer):
        pass

    with pytest.raises(NotImplementedError, match="Nothing does not define step"):
        Nothing([nn.Parameter(torch.ones(2))], {}).step()


def test_required_options() -> None:
    from mini_torch.optim.optimizer import required

    p = nn.Parameter(torch.ones(2))
    assert repr(required) == "<required parameter>"
    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        optim.Optimizer([p], {"lr": required})
    assert optim.Optimizer([{"params": [p], "lr": 1.0}], {"lr": required}).param_groups[0]["lr"] == 1.0
