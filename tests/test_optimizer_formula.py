"""An optimizer's formula, written down as calls into buffers, in blocks, and followed on Tensors with a graph."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import nn, optim
from mini_torch.gradcheck import gradcheck
from mini_torch.optimizer import block
from mini_torch.optimizer.formula import Plan

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.6)}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("Adadelta", {"lr": 1.0}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "t0": 1}),
    ("Rprop", {"lr": 0.1}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]


def random(*shape: int, seed: int = 0, dtype: Any = "float64") -> torch.Tensor:
    numbers = np.random.default_rng(seed).standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        numbers = numbers + 1j * np.random.default_rng(seed + 1).standard_normal(shape)
    return torch.tensor(numbers.astype(dtype))


# ---- the plan ----------------------------------------------------------------------------------------------
def run(plan: Plan, named: dict[str, np.ndarray]) -> np.ndarray:
    """The plan's result on these arrays, the state among which it changes."""
    buffers: dict[Any, np.ndarray] = {("named", name): array for name, array in named.items()}

    def buffer(place: tuple[str, Any]) -> np.ndarray:
        if place[0] == "number":
            return np.asarray(place[1], np.float64)
        shape = named["g"].shape
        return buffers.setdefault(place, np.empty(shape, bool if place[0] == "mask" else np.float64))

    for call in plan.bind(buffer):
        call()
    return buffers[plan.result]


FORMULAS = {
    "a mean, in place": lambda x, k: vars(x).update(m=k.b * x.m + x.g) or k.b * x.m,
    "the gradient itself": lambda x, k: vars(x).update(m=x.g) or x.g,
    "the old state read after the new one": lambda x, k: _late(x, k),
    "a place taken while the new state waits": lambda x, k: _waiting(x, k),
    "both from the old ones": lambda x, k: vars(x).update(m=x.v + x.g, v=x.m * x.g) or x.m + x.v,
    "masks": lambda x, k: x.m * (x.g < 0) + k.b * (x.m * ((x.g > x.v) == (x.m > 0))) * ~(x.v < 0),
    "the parameter": lambda x, k: x.p - np.sqrt(np.abs(x.p)) + 1,
    "a largest value": lambda x, k: vars(x).update(m=np.maximum(x.m, np.minimum(x.v, x.g))) or x.m,
}


def _late(x: Any, k: Any) -> Any:
    old = x.m
    x.m = old + x.g
    return x.m * old - k.b * old


def _waiting(x: Any, k: Any) -> Any:
    half = k.b * x.m  # may lie in m's buffer, but is still read when the new m is there
    x.m = x.g - 3.0
    return half * x.m


@pytest.mark.parametrize("name", FORMULAS)
def test_a_plan_computes_what_the_formula_says(name: str) -> None:
    arrays = {key: random(7, seed=i).numpy() for i, key in enumerate("gpmv")}
    formula = FORMULAS[name]
    x = SimpleNamespace(**arrays)
    expected = formula(x, SimpleNamespace(b=0.7))
    named = {**{key: array.copy() for key, array in arrays.items()}, "b": np.array(0.7)}
    result = run(Plan(formula, ("m", "v"), {"b": 0.7, "new": False}), named)
    np.testing.assert_allclose(result, expected, rtol=1e-14)
    np.testing.assert_allclose(named["v"], x.v, rtol=1e-14)
    np.testing.assert_allclose(named["m"], x.m, rtol=1e-14)


def test_state_is_updated_in_place() -> None:
    plan = Plan(FORMULAS["a mean, in place"], ("m",), {"b": 0.7})
    assert [out for _, _, out in plan.calls] == [("named", "m"), ("named", "m"), ("work", 0)]
    assert not plan.reads_p


@pytest.mark.parametrize("formula", [lambda x, k: np.add.reduce(x.g), lambda x, k: np.cumsum(x.g)])
def test_a_formula_is_for_each_number_alone(formula: Any) -> None:
    with pytest.raises(TypeError, match="a formula"):
        Plan(formula, (), {})


# ---- blocks ------------------------------------------------------------------------------------------------
def train(name: str, options: dict[str, Any], dtype: Any) -> list[np.ndarray]:
    shapes = [(3, 4), (0, 2), (), (50,), (2,)]
    params = [nn.Parameter(random(*shape, seed=i, dtype=dtype)) for i, shape in enumerate(shapes)]
    params.append(nn.Parameter(random(8, 5, dtype=dtype).T))
    optimizer = getattr(optim, name)(params, **options)
    for k in range(6):
        for i, p in enumerate(params):
            p.grad = None if k == 2 and i == 3 else random(*p.shape, seed=10 * k + i, dtype=dtype)
        optimizer.step()
    return [p.detach().numpy().copy() for p in params]


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_blocks_of_any_size_give_the_same(
    name: str, options: dict[str, Any], dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train(name, options, dtype)
    for size in (7 * 16, 20 * 16):
        monkeypatch.setattr(block, "SIZE", size)
        for a, b in zip(train(name, options, dtype), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_large_parameter_is_cut_and_small_ones_share_a_block() -> None:
    large, small, strided = (nn.Parameter(torch.zeros(n)) for n in (block.SIZE // 4 + 3, 5, 6))
    strided.data = torch.zeros(3 * block.SIZE)[::3]
    pieces = [piece for p in (large, small, strided) for piece in block.cut(p)]
    assert [piece.array.size for piece in pieces] == [block.SIZE // 4, 3, 5, block.SIZE]
    assert [len(pack) for pack in block.pack(pieces)] == [1, 2, 1]
    assert np.shares_memory(pieces[1].array, large._array)


# ---- each parameter's own numbers --------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["ASGD", "NAdam"])
def test_parameters_frozen_while_the_options_change_keep_their_own_numbers(name: str) -> None:
    """With the same count of steps behind them two parameters may still differ in η or Π μ."""
    together = [nn.Parameter(random(3, seed=i)) for i in range(2)]
    alone = [nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [getattr(optim, name)(together, lr=0.1), *(getattr(optim, name)([p], lr=0.1) for p in alone)]
    betas = {"ASGD": {"lr": (0.1, 0.5)}, "NAdam": {"betas": ((0.9, 0.99), (0.5, 0.99))}}[name]
    for k in range(6):
        for optimizer in optimizers:
            for key, values in betas.items():
                optimizer.param_groups[0][key] = values[k % 2]
        for params in (together, alone):
            for i, p in enumerate(params):
                p.grad = None if k < 2 and k == i else random(3, seed=10 * k + i)
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)


# ---- differentiable=True -----------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_the_step_with_a_graph_is_the_same_step(name: str, options: dict[str, Any], dtype: Any) -> None:
    results = []
    for differentiable in (False, True):
        p = random(4, dtype=dtype)
        optimizer = getattr(optim, name)([p], differentiable=differentiable, **options)
        for k in range(4):
            p.grad = random(4, seed=k + 1, dtype=dtype)
            optimizer.step()
        state = {key: value.detach().numpy() for key, value in optimizer.state[p].items()} if optimizer.state else {}
        results.append((p.numpy(), state))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
    assert list(results[0][1]) == list(results[1][1])
    for key, value in results[0][1].items():
        np.testing.assert_allclose(value, results[1][1][key], rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_gradients_flow_through_steps(name: str, options: dict[str, Any]) -> None:
    """From what comes out of three steps back to the parameter before them, and to the gradients."""

    def after(start: torch.Tensor, *grads: torch.Tensor) -> torch.Tensor:
        p = start.clone()
        optimizer = getattr(optim, name)([p], differentiable=True, **options)
        for grad in grads:
            p.grad = grad
            optimizer.step()
        return p

    assert gradcheck(after, [random(3, seed=i).requires_grad_() for i in range(4)])


def test_the_learning_rate_has_a_gradient() -> None:
    lr, p = torch.tensor(0.1, requires_grad=True), torch.tensor([1.0, 2.0]).clone()
    optimizer = optim.SGD([p], lr=lr, differentiable=True)
    p.grad = torch.tensor([3.0, 4.0])
    optimizer.step()
    p.sum().backward()
    assert lr.grad == -7.0


def test_leaves_that_require_grad_cannot_step_with_a_graph() -> None:
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        optim.SGD([p], lr=0.1, differentiable=True).step()


# ---- implementations that PyTorch has elsewhere ------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Adam", {}, "params and state_steps must be on supported devices: ['cuda', 'xpu', 'hpu', 'privateuseone', "),
        ("RMSprop", {"foreach": True}, "on supported devices: ['cuda', 'xpu', 'hpu', 'privateuseone']"),
        ("NAdam", {}, "params, mu_products and state_steps must be on supported devices"),
        ("ASGD", {}, "params, mus, etas, and state_steps must be on supported devices"),
    ],
)
def test_capturable_is_for_other_devices(name: str, options: dict[str, Any], message: str) -> None:
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    optimizer = getattr(optim, name)([p], capturable=True, **options)
    with pytest.raises(AssertionError) as error:
        optimizer.step()
    assert message in str(error.value)


def test_fused_is_for_real_numbers_and_without_a_graph() -> None:
    p = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    p.grad = torch.ones(2, dtype=torch.complex64)
    with pytest.raises(RuntimeError, match=r"requires all the params to be floating point .* but torch.complex64"):
        optim.Adam([p], fused=True).step()
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        optim.Adam([p], fused=True, differentiable=True)


def test_rprop_leaves_nan_where_it_is() -> None:
    """Of nan PyTorch says that its sign is 0; an infinite gradient is a step like any other."""
    p = nn.Parameter(torch.ones(4))
    optimizer = optim.Rprop([p], lr=0.1)
    for grad in ([1.0, 1.0, 1.0, 1.0], [-np.inf, np.inf, np.nan, -1.0], [1.0, 1.0, 1.0, 1.0]):
        p.grad = torch.tensor(grad)
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), [0.85, 0.636, 0.8, 0.85], rtol=1e-6)


# ---- parameters that take turns ----------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_parameters_that_take_turns_step_as_if_alone(name: str, options: dict[str, Any]) -> None:
    """Also with memory and state replaced in between: what an earlier step was bound to is not written to."""
    together = [nn.Parameter(random(3, seed=i)) for i in range(4)]
    alone = [nn.Parameter(p.detach().clone()) for p in together]
    one = getattr(optim, name)(together, **options)
    many = [getattr(optim, name)([p], **options) for p in alone]
    for k in range(12):
        turns = [i for i in range(4) if (i // 2 + k) % 2 or k > 8]
        for i, pair in enumerate(zip(together, alone, strict=True)):
            for p in pair:
                p.grad = random(3, seed=10 * k + i) if i in turns else None
                if k == 6:
                    p.data = p.data * 0.5
        if k == 7:
            one.load_state_dict(one.state_dict())
        for optimizer in (one, *many):
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)
    layouts = one._layouts[0]
    assert layouts.run(0, 0, len(layouts.sheets[0].params), False) is layouts.run(0, 0, 4, False)
    for first in range(4):
        for last in range(first + 1, 5):
            for new in (True, False):
                layouts.run(0, first, last, new)
    assert len(layouts.kept) <= 16
