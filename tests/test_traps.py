"""Known traps: defects that libraries like this one have had, each held off by a test.

The tests run on PyTorch too where it is installed, so that what they expect is what PyTorch does.
"""

from __future__ import annotations

import gc
import math
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch


# ---- gradients that must add up ----------------------------------------------------------------------------
def test_an_index_used_twice_adds_up(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[torch.tensor([0, 0, 2, 0])].sum().backward()
    assert x.grad.tolist() == [3.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "pick",
    [
        lambda torch, x: x[[1, 1]],
        lambda torch, x: x.index_select(0, torch.tensor([1, 1])),
        lambda torch, x: x.gather(0, torch.tensor([[1, 1], [1, 1]])),
        lambda torch, x: torch.nn.functional.embedding(torch.tensor([1, 1]), x),
        lambda torch, x: torch.stack([x[1], x[1]]),
        lambda torch, x: x[torch.tensor([1, 1]), torch.tensor([0, 0])],
    ],
    ids=["list", "index_select", "gather", "embedding", "twice", "pairs"],
)
def test_a_row_used_twice_adds_up(torch: ModuleType, pick: Callable[..., Any]) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = pick(torch, x)
    y.sum().backward()
    assert x.grad.sum().item() == y.numel()
    assert x.grad[0].tolist() == [0.0, 0.0]


def test_a_tensor_used_twice_adds_up(torch: ModuleType) -> None:
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    (x * x).sum().backward()
    assert x.grad.tolist() == [9.0, 13.0]


# ---- in-place ----------------------------------------------------------------------------------------------
def test_writing_into_a_view_reaches_its_base(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[1:].mul_(10)
    assert y.tolist() == [2.0, 40.0, 60.0]
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 20.0, 20.0]


def test_writing_into_a_base_reaches_its_view(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    view = y[1:]
    y.mul_(10)
    assert view.tolist() == [40.0, 60.0]
    view.sum().backward()
    assert x.grad.tolist() == [0.0, 20.0, 20.0]


def test_assignment_takes_its_value_into_the_graph(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.tensor(5.0, requires_grad=True)
    y = x * 3
    y[0] = v * 2
    (y * y).sum().backward()
    assert x.grad.tolist() == [0.0, 36.0]
    assert v.grad.item() == 40.0


def test_an_in_place_change_of_an_unsaved_value_is_allowed(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    z = y + 1
    y.mul_(3)
    (y + z).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]


def test_copying_into_a_tensor_reaches_its_source(torch: ModuleType) -> None:
    w, a = torch.tensor([1.0, 2.0], requires_grad=True), torch.zeros(2)
    a.copy_(w)
    a.register_hook(lambda g: g * 100)
    (a * 3).sum().backward()
    assert w.grad.tolist() == [300.0, 300.0]
    assert not a.is_leaf
    w.grad = None
    y, b = w * 2, torch.zeros(2)
    b.copy_(y)
    b.register_hook(lambda g: g * 100)  # of the copy alone
    (y + b).sum().backward()
    assert w.grad.tolist() == [202.0, 202.0]


def test_copying_a_tensor_onto_itself_through_a_view(torch: ModuleType) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    view = y.reshape(-1)
    y.mul_(0.5)
    y.copy_(view)
    y.sum().backward()
    assert x.grad.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("write", ["mul_", "div_", "pow_", "atan2_"])
def test_an_in_place_op_may_need_the_value_it_overwrites(torch: ModuleType, write: str) -> None:
    """`y *= w` keeps what `w`'s gradient needs of the old y."""
    x, w = torch.tensor([2.0, 3.0], requires_grad=True), torch.tensor([4.0, 0.5], requires_grad=True)
    y = x * 1
    getattr(y, write)(w)
    y.sum().backward()
    found = x.grad.tolist(), w.grad.tolist()
    x.grad = w.grad = None
    getattr(x * 1, write[:-1])(w).sum().backward()
    assert found == (x.grad.tolist(), w.grad.tolist())


def test_a_parameter_may_change_in_no_grad(torch: ModuleType) -> None:
    w = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        w -= 0.5
        w[0] = 7.0
    assert w.tolist() == [7.0, 0.5]
    assert w.requires_grad
    assert w.is_leaf


# ---- numbers that are what they say ------------------------------------------------------------------------
@pytest.mark.parametrize(("logits", "target", "loss"), [
    ([[1000.0, -1000.0]], 0, 0.0),
    ([[1000.0, -1000.0]], 1, 2000.0),
    ([[-1000.0, -1000.0]], 0, math.log(2)),
    ([[1000.0, 1000.0]], 1, math.log(2)),
])  # fmt: skip
def test_cross_entropy_of_large_logits(torch: ModuleType, logits: Any, target: int, loss: float) -> None:
    x = torch.tensor(logits, requires_grad=True)
    value = torch.nn.functional.cross_entropy(x, torch.tensor([target]))
    value.backward()
    assert value.item() == pytest.approx(loss)
    expected = np.exp(logits[0] - np.logaddexp.reduce(logits[0])) - np.eye(2)[target]
    assert x.grad[0].tolist() == pytest.approx(expected.tolist())


def test_bce_with_large_logits(torch: ModuleType) -> None:
    x = torch.tensor([1000.0, -1000.0, 1000.0, -1000.0], requires_grad=True)
    y = torch.tensor([1.0, 0.0, 0.0, 1.0])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0.0, 0.0, 1000.0, 1000.0]
    assert x.grad.tolist() == [0.0, 0.0, 1.0, -1.0]


def test_softmax_subtracts_each_rows_own_maximum(torch: ModuleType) -> None:
    y = torch.softmax(torch.tensor([[0.0, 1.0], [1000.0, 1001.0], [-1000.0, -999.0]]), 1)
    for row in y.tolist():
        assert row == pytest.approx([0.26894142, 0.73105858], rel=1e-5)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturated_values_and_gradients(torch: ModuleType, name: str) -> None:
    x = torch.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
    y = getattr(torch, name)(x)
    y.sum().backward()
    assert y.tolist() == ([0.0, 0.5, 1.0] if name == "sigmoid" else [-1.0, 0.0, 1.0])
    assert x.grad.tolist() == ([0.0, 0.25, 0.0] if name == "sigmoid" else [0.0, 1.0, 0.0])


def test_tanh_and_sigmoid_are_what_they_say(torch: ModuleType) -> None:
    x = np.linspace(-3, 3, 13)
    t = torch.tensor(x)
    np.testing.assert_allclose(torch.tanh(t).numpy(), np.tanh(x), rtol=1e-12)
    np.testing.assert_allclose(torch.sigmoid(t).numpy(), 1 / (1 + np.exp(-x)), rtol=1e-12)


@pytest.mark.parametrize(("init", "std", "bound"), [
    ("kaiming_uniform_", math.sqrt(2 / 400), math.sqrt(6 / 400)),
    ("kaiming_normal_", math.sqrt(2 / 400), None),
    ("xavier_uniform_", math.sqrt(2 / 700), math.sqrt(6 / 700)),
    ("xavier_normal_", math.sqrt(2 / 700), None),
])  # fmt: skip
def test_initialisers_have_their_scale(torch: ModuleType, init: str, std: float, bound: float | None) -> None:
    torch.manual_seed(0)
    w = torch.empty(300, 400)
    arguments = {"nonlinearity": "relu"} if "kaiming" in init else {}
    getattr(torch.nn.init, init)(w, **arguments)
    assert w.std().item() == pytest.approx(std, rel=0.02)
    assert abs(w.mean().item()) < 0.05 * std
    if bound is not None:
        assert 0.99 * bound < w.abs().max().item() <= bound


# ---- gradients at kinks and zeros --------------------------------------------------------------------------
def gradient(torch: ModuleType, f: Callable[[Any], Any], x: Any) -> Any:
    t = torch.tensor(x, requires_grad=True)
    f(t).sum().backward()
    return t.grad.tolist()


@pytest.mark.parametrize(("name", "x", "expected"), [
    ("abs", [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0]),
    ("norm", [0.0, 0.0], [0.0, 0.0]),
    ("norm", [3.0, 4.0], [0.6000000238418579, 0.800000011920929]),
    ("relu", [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
    ("sign", [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
    ("prod", [2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
    ("prod", [2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
    ("prod", [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
    ("max", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    ("min", [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
    ("amax", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
])  # fmt: skip
def test_gradient_at_kinks_and_zeros(torch: ModuleType, name: str, x: Any, expected: Any) -> None:
    assert gradient(torch, lambda t: getattr(t, name)(), x) == expected


@pytest.mark.parametrize(("f", "x", "expected"), [
    (lambda torch, t: t.clamp(0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
    (lambda torch, t: torch.maximum(t, torch.tensor(1.0)), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
    (lambda torch, t: torch.minimum(t, torch.tensor(1.0)), [0.0, 1.0, 2.0], [1.0, 0.5, 0.0]),
    (lambda torch, t: t.max(0)[0], [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
    (lambda torch, t: t ** 0, [0.0, 2.0], [0.0, 0.0]),
    (lambda torch, t: t ** 2, [0.0, 2.0], [0.0, 4.0]),
    (lambda torch, t: torch.pow(t, torch.tensor([1.0, 2.0])), [0.0, 0.0], [1.0, 0.0]),
    (lambda torch, t: torch.pow(torch.tensor(0.0), t), [1.0, 2.0], [0.0, 0.0]),
    (lambda torch, t: t.norm(1), [-2.0, 0.0], [-1.0, 0.0]),
    (lambda torch, t: t.norm(float("inf")), [-3.0, 1.0], [-1.0, 0.0]),
    (lambda torch, t: torch.where(t > 0, t, torch.zeros_like(t)), [-1.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
    (lambda torch, t: torch.nn.functional.leaky_relu(t, 0.5), [-1.0, 0.0, 2.0], [0.5, 0.5, 1.0]),
    (lambda torch, t: torch.nn.functional.elu(t), [0.0, 1.0], [1.0, 1.0]),
    (lambda torch, t: torch.nn.functional.l1_loss(t, torch.zeros(3), reduction="sum"), [-1.0, 0.0, 1.0],
     [-1.0, 0.0, 1.0]),
    (lambda torch, t: t.prod(0), [[2.0, 0.0], [3.0, 5.0]], [[3.0, 5.0], [2.0, 0.0]]),
])  # fmt: skip
def test_gradient_at_more_kinks(torch: ModuleType, f: Callable[..., Any], x: Any, expected: Any) -> None:
    assert gradient(torch, lambda t: f(torch, t), x) == expected


def test_second_gradient_of_prod_with_zeros(torch: ModuleType) -> None:
    x = torch.tensor([0.0, 0.0, 4.0], requires_grad=True)
    (g,) = torch.autograd.grad(x.prod(), x, create_graph=True)
    (h,) = torch.autograd.grad(g[0], x)
    assert h.tolist() == [0.0, 4.0, 0.0]


# ---- types -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [
    "x * 2.0", "2.0 * x", "x / 3", "x ** 2.0", "x + np.float64(1.5)", "x.sum() * 0.5", "x.mean() + 1.0",
    "x.std() * 2.0", "x.max() * 1.5", "1.0 - x", "1.0 / x", "2.0 ** x", "x.norm() * 2.0", "x.prod() / 2.0",
    "x[0, 0] * 3.0", "x.sum(0).sum() / 7.0", "x.clamp(0.5, 2.0)", "x.exp().log()",
    "x.sum() ** 2.5", "x.sum() ** 3", "2.5 ** x.sum()", "x.sum().sqrt()", "x.mean().clamp(0.5)", "x.sum() % 3.0",
    "1.0 - x.sum()", "torch.where(x.sum() > 0, x.sum(), 0.0)", "x.sum().lerp(x.mean(), 0.5)",
    "torch.nn.functional.gelu(x.sum())", "torch.nn.functional.softplus(x.sum())", "torch.nn.functional.elu(x.mean())",
    "torch.nn.functional.leaky_relu(x.mean(), 0.1)", "torch.maximum(x.sum(), x.mean())", "x.sum().pow(0.5)",
    "torch.nn.functional.huber_loss(x.sum(), x.mean())", "x.std() * x.var()", "torch.logaddexp(x.sum(), x.mean())",
])  # fmt: skip
def test_float32_stays_float32(torch: ModuleType, code: str) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = eval(code, {"np": np, "torch": torch, "x": x})
    y.sum().backward()
    assert y.dtype is torch.float32
    assert x.grad.dtype is torch.float32


def test_gradients_of_mixed_types_keep_their_own(torch: ModuleType) -> None:
    single = torch.ones(3, requires_grad=True)
    double = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (single * double).sum().backward()
    assert (single.grad.dtype, double.grad.dtype) == (torch.float32, torch.float64)


# ---- what fails or is switched off leaves nothing behind ---------------------------------------------------
def test_a_failed_backward_breaks_no_later_one(torch: ModuleType) -> None:
    class Broken(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ValueError("broken on purpose")

    x = torch.ones(2, requires_grad=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken on purpose"):
            (Broken.apply(x * 3) + x * 5).sum().backward()
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    assert torch.is_grad_enabled()


def test_a_failing_hook_breaks_no_later_backward(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    handle = y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward(retain_graph=True)
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_no_grad_nests_and_restores(torch: ModuleType) -> None:
    seen = [torch.is_grad_enabled()]
    with torch.no_grad():
        with torch.no_grad():
            seen.append(torch.is_grad_enabled())
        seen.append(torch.is_grad_enabled())
        with torch.enable_grad():
            seen.append(torch.is_grad_enabled())
        seen.append(torch.is_grad_enabled())
    seen.append(torch.is_grad_enabled())
    assert seen == [True, False, False, True, False, True]


def test_no_grad_restores_after_an_error(torch: ModuleType) -> None:
    with pytest.raises(ValueError, match="x"), torch.no_grad():
        raise ValueError("x")
    assert torch.is_grad_enabled()


def test_no_grad_as_decorator_and_reused(torch: ModuleType) -> None:
    @torch.no_grad()
    def inner(depth: int) -> list[bool]:
        return [torch.is_grad_enabled(), *(inner(depth - 1) if depth else [])]

    guard = torch.no_grad()
    for _ in range(2):
        with guard:
            assert not torch.is_grad_enabled()
        assert torch.is_grad_enabled()
    assert inner(2) == [False, False, False]
    assert torch.is_grad_enabled()


def test_no_grad_of_a_generator_is_off_outside(torch: ModuleType) -> None:
    @torch.no_grad()
    def states() -> Any:
        yield torch.is_grad_enabled()
        yield torch.is_grad_enabled()

    assert [(inside, torch.is_grad_enabled()) for inside in states()] == [(False, True), (False, True)]


def test_grad_mode_is_per_thread(torch: ModuleType) -> None:
    seen: list[bool] = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


# ---- modules -----------------------------------------------------------------------------------------------
def test_eval_changes_no_other_model(torch: ModuleType) -> None:
    one = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5))
    other = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5))
    one.eval()
    assert [module.training for module in one.modules()] == [False] * 3
    assert [module.training for module in other.modules()] == [True] * 3


def test_layers_attached_later_are_seen(torch: ModuleType) -> None:
    net = torch.nn.Module()
    net.first = torch.nn.Linear(2, 3)
    net.layers = torch.nn.ModuleList()
    net.layers.append(torch.nn.Linear(3, 4, bias=False))
    net.scale = torch.nn.Parameter(torch.ones(1))
    assert [name for name, _ in net.named_parameters()] == [
        "scale", "first.weight", "first.bias", "layers.0.weight",
    ]  # fmt: skip
    del net.first
    assert len(list(net.parameters())) == 2


def test_parameter_order_is_the_same_in_every_run() -> None:
    code = (
        "import mini_torch as torch; from mini_torch import nn\n"
        "net = nn.Module()\n"
        "for name in 'zebra apple mango kiwi'.split(): setattr(net, name, nn.Linear(1, 1))\n"
        "print(*dict(net.named_parameters()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed}, cwd=mini_torch.__path__[0] + "/..",
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    layers = ["zebra", "apple", "mango", "kiwi"]
    assert runs == {" ".join(f"{layer}.{p}" for layer in layers for p in ("weight", "bias")) + "\n"}


# ---- gradient arrays that others hold ----------------------------------------------------------------------
def test_a_gradient_held_by_a_hook_does_not_change(torch: ModuleType) -> None:
    held: list[Any] = []
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(held.append)
    z = y * 3
    (z + y * y + z).sum().backward()
    before = held[0].clone()
    (x * 5).sum().backward()
    assert held[0].tolist() == before.tolist() == [10.0] * 3
    assert x.grad.tolist() == [25.0] * 3


def test_a_gradient_argument_does_not_change(torch: ModuleType) -> None:
    x = torch.ones(3, requires_grad=True)
    g = torch.tensor([1.0, 2.0, 3.0])
    y = x + 0
    y.backward(g, retain_graph=True)
    y.backward(g)
    assert g.tolist() == [1.0, 2.0, 3.0]
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_two_leaves_do_not_share_one_gradient(torch: ModuleType) -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (a + b).sum().backward()
    a.grad.mul_(10)
    assert (a.grad.tolist(), b.grad.tolist()) == ([10.0, 10.0], [1.0, 1.0])


def test_a_users_gradient_array_does_not_change(torch: ModuleType) -> None:
    """PyTorch adds into `.grad` itself; what a user took out of it before is theirs if it is a copy."""
    x = torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    taken = x.grad.clone()
    x.grad = None
    (x * 3).sum().backward()
    assert (taken.tolist(), x.grad.tolist()) == ([2.0, 2.0], [3.0, 3.0])


def test_the_gradient_of_grad_is_not_shared_with_its_argument(torch: ModuleType) -> None:
    x = torch.ones(2, requires_grad=True)
    g = torch.tensor([1.0, 2.0])
    (x * 1).backward(g)
    x.grad.zero_()
    assert g.tolist() == [1.0, 2.0]


# ---- the engine: long, wide, and clean ---------------------------------------------------------------------
def test_a_chain_of_100000_ops(torch: ModuleType) -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_a_long_chain_is_freed_without_recursion() -> None:
    """Nodes are let go one by one: no recursion of destructors, whether or not backward ran."""
    x = mini_torch.ones(1, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    del y


def test_a_diamond_200_deep_is_visited_once(torch: ModuleType) -> None:
    x = torch.ones(1, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**200


def test_a_chain_of_second_gradients(torch: ModuleType) -> None:
    x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    y = x**5
    for k in range(5):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(math.prod(range(5 - k, 6)) * 1.5 ** (4 - k))


def test_dead_branches_cost_nothing(torch: ModuleType) -> None:
    """A branch that does not reach the loss is not walked: its hook stays silent."""
    called: list[Any] = []
    x = torch.ones(2, requires_grad=True)
    dead = x * 3
    dead.register_hook(called.append)
    (x * 2).sum().backward()
    assert called == []


def train(steps: int) -> Callable[[], None]:
    nn = mini_torch.nn
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = mini_torch.optim.Adam(net.parameters(), lr=1e-3)
    x, y = mini_torch.randn(32, 2), mini_torch.randn(32, 1)

    def run() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()

    return run


def test_training_leaves_nothing_behind() -> None:
    """3,000 steps without the cycle collector: memory flat once caches are full, nothing for it to find.

    A leak of one object a step would show in every round; caches that fill up in some do not.
    """
    run, growth = train(500), []
    run()
    gc.collect()
    gc.disable()
    try:
        for _ in range(6):
            before = sys.getallocatedblocks()
            run()
            growth.append(sys.getallocatedblocks() - before)
        assert min(growth) < 50, growth
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_graph_is_gone_after_backward() -> None:
    x = mini_torch.ones(1000, requires_grad=True)
    y = x.exp()
    inner = weakref.ref(y)
    loss = y.sin().sum()
    del y
    loss.backward()
    assert inner() is None
