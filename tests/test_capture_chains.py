"""Chains of elementwise calls, block by block: the numbers of eager, whatever the shapes, and less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import settings
from mini_torch.capture import chains, domain, threads
from mini_torch.capture.chains import Chain


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 1 KiB from arrays of 4 KiB on, so that small arrays make many of them."""
    monkeypatch.setattr(chains, "LARGE", 4096)
    monkeypatch.setattr(domain, "BLOCK", 1024)
    torch.manual_seed(0)


def same(a: Any, b: Any) -> None:
    """Bit for bit."""
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def check(function: Callable[..., Any], *arguments: Any, runs: int = 3, count: int = 1) -> Any:
    """The function compiled gives what it gives, at each run, and has so many chains."""
    compiled = torch.compile(function, fullgraph=True)
    for _ in range(runs):
        fresh = [torch.randn(x.shape) if x.dtype == torch.float32 else x for x in arguments]
        found, wanted = compiled(*fresh), function(*fresh)
        for a, b in zip(*[x if isinstance(x, tuple) else (x,) for x in (found, wanted)]):
            same(a, b)
    assert sum(isinstance(call, Chain) for call in compiled.plan.program.calls) == count, compiled.source
    return compiled


SHAPES = [(37, 101), (1, 5003), (5003,), (3, 50, 41), (40, 3, 2, 17), (2, 2003), (1, 1, 3, 700), (64, 64)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_chain_equals_eager_bit_for_bit(shape: tuple[int, ...]) -> None:
    check(lambda x, y: torch.exp(-torch.tanh(x * 2 + y)) * x, torch.randn(*shape), torch.randn(*shape))


@pytest.mark.parametrize("other", [(101,), (1, 101), (37, 1), (1, 1), (1,), ()])
def test_rows_columns_and_numbers_spread(other: tuple[int, ...]) -> None:
    x, y = torch.randn(37, 101), torch.randn(other)
    check(lambda x, y: torch.sigmoid(x * y - y) + x, x, y)
    check(lambda x, y: torch.maximum(y - x, x) * y, x, y)


@pytest.mark.parametrize("other", [(3, 1, 41), (50, 1), (1, 50, 41), (3, 50, 1), (41,)])
def test_spreading_in_three_dimensions(other: tuple[int, ...]) -> None:
    check(lambda x, y: torch.exp(x * y) - y * x, torch.randn(3, 50, 41), torch.randn(other))


def test_parameters_and_constants_are_cut_once() -> None:
    weight, shift = torch.randn(37, 101), torch.randn(101)
    compiled = check(lambda x: (x * weight + shift).relu() * weight, torch.randn(37, 101))
    weight.mul_(2)  # in place: the blocks show the same memory
    x = torch.randn(37, 101)
    same(compiled(x), (x * weight + shift).relu() * weight)


def test_a_transposed_array_is_cut_along_its_memory() -> None:
    check(lambda x: torch.exp(torch.tanh(x.t() * 3) - 1).t() + 0.5, torch.randn(37, 101))


def test_a_result_in_the_order_of_what_it_is_made_of() -> None:
    compiled = check(lambda x: torch.exp(x.t() * 2) + 1, torch.randn(37, 101))
    assert compiled(torch.randn(37, 101)).stride() == (1, 101)


def test_choices_by_a_constant() -> None:
    check(lambda x: torch.tril(x * 2).exp() - x, torch.randn(60, 40))


def test_sums_of_negatives() -> None:
    def function(x: Any) -> Any:
        y = torch.exp(torch.tanh(x))
        return (-y).sum(0), (y * x).sum(1), y.sum()

    compiled = torch.compile(function, fullgraph=True)
    for _ in range(2):
        x = torch.randn(60, 40)
        for a, b in zip(compiled(x), function(x)):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-4)


def test_values_that_are_used_after_the_chain() -> None:
    def function(x: Any, w: Any) -> Any:
        a = torch.tanh(x * 2)
        b = torch.exp(a) + a
        return a, b @ w, b * a

    check(function, torch.randn(60, 40), torch.randn(40, 7))


def test_writing_in_place_in_the_middle() -> None:
    def function(x: Any) -> Any:
        y = x * 2
        z = torch.tanh(y)
        y.mul_(z).add_(1)
        z.add_(y[:1])  # reads another block than its own
        return torch.exp(y) * z, y

    compiled = torch.compile(function, fullgraph=True)
    for _ in range(3):
        x = torch.randn(60, 40)
        for a, b in zip(compiled(x), function(x)):
            same(a, b)


def test_state_from_outside_that_is_written_in_place() -> None:
    state, twin = torch.zeros(60, 40), torch.zeros(60, 40)

    def step(state: Any, x: Any) -> Any:
        state.mul_(0.9).add_(x * 0.1)
        state.copy_(torch.exp(state) - x)
        return torch.tanh(state) * x

    compiled = torch.compile(lambda x: step(state, x), fullgraph=True)
    for _ in range(4):
        x = torch.randn(60, 40)
        same(compiled(x), step(twin, x))
    same(state, twin)
    assert "_rows[...] = " in compiled.source


def test_arguments_that_are_written_in_place() -> None:
    def step(x: Any, y: Any) -> Any:
        x.mul_(0.9)
        y.copy_(torch.tanh(x) * y)
        return x.sum(), y

    compiled = torch.compile(step, fullgraph=True)
    for _ in range(3):
        x, y = torch.randn(60, 40), torch.randn(60, 40)
        found, wanted = [x.clone(), y.clone()], [x, y]
        for (_, a), (_, b) in zip([compiled(*found)], [step(*wanted)]):
            same(a, b)
        for a, b in zip(found, wanted):
            same(a, b)


def test_a_shifted_view_of_what_is_written_is_not_mixed_up() -> None:
    def function(x: Any) -> Any:
        y = x * 1.5
        y[1:].add_(y[:-1] * 0.5)
        return torch.exp(y) - y

    compiled = torch.compile(function, fullgraph=True)
    for _ in range(2):
        x = torch.randn(61, 40)
        same(compiled(x), function(x))


def test_kinds_of_calls() -> None:
    other = torch.randn(60, 40)

    def function(x: Any) -> Any:
        chosen = torch.where(x > other, x * 2, other)
        return torch.clamp(chosen, -1, 1).double() * chosen, (chosen > 0) & (x < 1), -chosen.abs()

    check(function, torch.randn(60, 40))


def test_softmax_of_rows_stays_inside_blocks() -> None:
    def function(x: Any) -> Any:
        y = torch.exp(x * 2 - x.amax(1, keepdim=True))
        return y / (y + 1)

    check(function, torch.randn(60, 40))


def losses(function: Callable[[Any, Any, Any], Any], *leaves: Any) -> Callable[[], Any]:
    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        loss = function(*leaves)
        loss.backward()
        return loss

    return step


@pytest.mark.parametrize("shape", [(37, 101), (60, 40), (6, 30, 20)])
def test_forward_and_backward_with_sums(shape: tuple[int, ...]) -> None:
    """Sums of blocks differ from sums of the whole by rounding."""
    n, leaves = shape[-1], [torch.randn(*shape), torch.randn(shape[-1]), torch.randn(*shape[:-1], 1)]
    assert n
    for leaf in leaves:
        leaf.requires_grad_()

    def function(x: Any, row: Any, column: Any) -> Any:
        y = torch.tanh(x * row + column)
        z = torch.sigmoid(y * column - row)
        return (torch.exp(-z) * y + z).relu().sum()

    step = losses(function, *leaves)
    compiled = torch.compile(step, fullgraph=True)
    for _ in range(3):
        wanted = step().item()
        grads = [leaf.grad.numpy().copy() for leaf in leaves]
        assert compiled().item() == pytest.approx(wanted, rel=1e-5)
        for leaf, grad in zip(leaves, grads):
            np.testing.assert_allclose(leaf.grad.numpy(), grad, rtol=2e-5, atol=2e-5)
    assert any(isinstance(call, Chain) for call in compiled.plan.program.calls)


def test_sums_of_products_join_a_chain() -> None:
    """Of arrays that are large enough for eager to add up products without storing them."""
    leaves = [torch.randn(300, 200), torch.randn(200), torch.randn(300, 1)]
    for leaf in leaves:
        leaf.requires_grad_()
    step = losses(lambda x, row, column: torch.tanh(x * row * column - row).exp().sum(), *leaves)
    compiled = torch.compile(step, fullgraph=True)
    for _ in range(3):
        wanted = step().item()
        grads = [leaf.grad.numpy().copy() for leaf in leaves]
        assert compiled().item() == pytest.approx(wanted, rel=1e-5)
        for leaf, grad in zip(leaves, grads):
            np.testing.assert_allclose(leaf.grad.numpy(), grad, rtol=1e-4, atol=1e-4)
    [chain] = [call for call in compiled.plan.program.calls if isinstance(call, Chain)]
    names = [call.name for call in chain.calls]
    assert "einsum" in names
    assert names.count("matmul") + names.count("dot") >= 2


def test_a_way_back_that_comes_later_has_chains_of_its_own() -> None:
    def function(x: Any) -> Any:
        return torch.exp(-torch.tanh(x * 2 + 1)) * x

    compiled = torch.compile(function, fullgraph=True)
    for _ in range(3):
        found, wanted = (torch.randn(61, 40).requires_grad_() for _ in range(2))
        with torch.no_grad():
            wanted.copy_(found)
        for leaf, call in ((found, compiled), (wanted, function)):
            y = call(leaf)
            y.backward(torch.ones(61, 40) * 2)
        same(found.grad, wanted.grad)
    assert compiled.source.count(" in blocks") == 2


def test_bias_and_relu_of_a_wide_layer() -> None:
    layer, other = torch.nn.Linear(20, 200), torch.nn.Linear(20, 200)
    other.load_state_dict(layer.state_dict())

    def step_of(layer: Any) -> Callable[[Any], Any]:
        def step(x: Any) -> Any:
            layer.zero_grad()
            y = layer(x).relu()
            (y * y).sum().backward()
            return y

        return step

    step, compiled = step_of(other), torch.compile(step_of(layer), fullgraph=True)
    for _ in range(3):
        x = torch.randn(303, 20)
        same(compiled(x), step(x))
        for a, b in zip(layer.parameters(), other.parameters()):
            np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-4, atol=1e-4)
    assert any(isinstance(call, Chain) for call in compiled.plan.program.calls)


def test_a_network_with_its_optimizer() -> None:
    def make() -> tuple[Any, Any]:
        torch.manual_seed(1)
        nn = torch.nn
        network = nn.Sequential(nn.Linear(20, 40), nn.Tanh(), nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 1))
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = ((network(x).tanh() - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step, network

    (step, network), (twin, other) = make(), make()
    compiled = torch.compile(step, fullgraph=True)
    for i in range(6):
        x = torch.randn(64 if i < 4 else 50, 20)
        y = x[:, :1].sin()
        assert compiled(x, y).item() == pytest.approx(twin(x, y).item(), rel=1e-4)
    for a, b in zip(network.parameters(), other.parameters()):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_a_negative_that_is_written_to_is_no_negative() -> None:
    def function(x: Any) -> Any:
        y = -x
        y[1:].add_(torch.tanh(x[:-1]))
        return x + y, (x * 2) - y

    check(function, torch.randn(60, 40), count=2)


def test_sums_along_an_axis_that_is_cut() -> None:
    compiled = torch.compile(lambda x: (torch.exp(x * 2) - x).sum(-1), fullgraph=True)
    for _ in range(2):
        x = torch.randn(1, 3003)
        np.testing.assert_allclose(compiled(x).numpy(), (torch.exp(x * 2) - x).sum(-1).numpy(), rtol=1e-4)


def test_a_view_that_is_made_later_is_not_read_before() -> None:
    def function(x: Any, w: Any) -> Any:
        y = torch.exp(x * 2) - x
        z = y @ w
        turned = w.t()
        return z, turned[:1] @ (y * turned), y.sum(0)

    compiled = torch.compile(function, fullgraph=True)
    for _ in range(2):
        x, w = torch.randn(40, 40), torch.randn(40, 40)
        for a, b in zip(compiled(x, w), function(x, w)):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 40), (40, 0), (0,)])
def test_empty_arrays_are_in_no_chain(shape: tuple[int, ...]) -> None:
    check(lambda x: torch.relu(torch.zeros_like(x) + 1) * x, torch.randn(*shape), count=0)


def test_a_chain_needs_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def bytes_of() -> int:
        compiled = torch.compile(lambda x: (torch.exp(-torch.tanh(x * 2 + 1)) * x).sqrt() + x, fullgraph=True)
        compiled(torch.randn(200, 100))
        return sum(buffer.nbytes for buffer in compiled.plan.memory.buffers)

    in_blocks = bytes_of()
    monkeypatch.setattr(chains, "LARGE", 1 << 40)
    assert in_blocks < bytes_of() / 10


def test_the_source_is_a_loop() -> None:
    compiled = check(lambda x: torch.exp(x * 2) + 1, torch.randn(60, 40))
    assert "for rows in all_rows:  # " in compiled.source
    assert "exp(mul, mul)" in compiled.source


@pytest.mark.parametrize("shape", [(60, 40), (61, 40), (3, 50, 41), (5003,)])
def test_threads_give_the_same(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ENOUGH", 1)
    weight = torch.randn(*shape).requires_grad_()

    def step(x: Any) -> Any:
        weight.grad = None
        y = torch.exp(-torch.tanh(x * weight + 1).relu()) * x
        y.sum().backward()
        return y

    compiled = torch.compile(step, fullgraph=True)
    x, found = torch.randn(*shape), []
    monkeypatch.setattr(settings, "_kept", dict(settings._kept))
    for n in (1, 2, 3):
        torch.set_num_threads(n)
        for factor in (1, 2, 3):  # the first one is recorded
            y = compiled(x * factor).detach().numpy().copy()
        found.append((y, weight.grad.numpy().copy()))
        assert ("together(" in compiled.source) == (n > 1)
    for y, grad in found[1:]:
        np.testing.assert_array_equal(y, found[0][0])
        np.testing.assert_array_equal(grad, found[0][1])


def test_an_error_in_a_thread_is_raised() -> None:
    def run(share: int) -> None:
        if share == 1:
            raise ValueError("second")

    with pytest.raises(ValueError, match="second"):
        threads.together(run, [0, 1])
