"""Every way in which a compiled function could differ from the function, each with its test: what may change between
two calls without being a tensor, what a plan cannot hold, what is returned, kept, written to, hooked, nested."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.utils.checkpoint import checkpoint

nn = torch.nn
X = torch.arange(6.0).reshape(2, 3)


@contextmanager
def warned(words: str) -> Iterator[Any]:
    """The block, in which a warning says these words."""
    with pytest.warns(UserWarning, match=words) as caught:
        yield caught


def plans(compiled: Any) -> int:
    return sum(map(len, getattr(compiled, "_compiled", compiled).plans.values()))


def follows(function: Any, compiled: Any, change: Any = None, calls: int = 3) -> None:
    """Both give the same, before the change and after it."""
    for _ in range(calls):
        assert torch.equal(compiled(X), function(X))
    if change is not None:
        change()
        for _ in range(calls):
            assert torch.equal(compiled(X), function(X))


# ---- what the function goes by ---------------------------------------------------------------------------------------
SCALE = 2.0
NUMBERS = [2.0, 3.0]
NAMED = {"scale": 2.0}


class Settings:
    scale = 2.0


SETTINGS = Settings()


def helped(x: Any) -> Any:
    return x * SCALE


GLOBALS = {
    "number": (lambda x: x * SCALE, lambda: globals().update(SCALE=SCALE + 1)),
    "list": (lambda x: x * NUMBERS[0], lambda: NUMBERS.insert(0, 7.0)),
    "dict": (lambda x: x * NAMED["scale"], lambda: NAMED.update(scale=5.0)),
    "object": (lambda x: x * SETTINGS.scale, lambda: setattr(SETTINGS, "scale", 4.0)),
    "of a called function": (lambda x: helped(x) + 1, lambda: globals().update(SCALE=SCALE + 1)),
    "function": (lambda x: helped(x), lambda: globals().update(helped=lambda x: x - 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", GLOBALS)
def test_globals_that_change(name: str) -> None:
    function, change = GLOBALS[name]
    follows(function, torch.compile(function), change)


def test_closures_that_change() -> None:
    scale, numbers = 2.0, [1.0]

    def function(x: Any) -> Any:
        return x * scale + numbers[0]

    def change() -> None:
        nonlocal scale
        scale = 3.0

    compiled = torch.compile(function)
    follows(function, compiled, change)
    follows(function, compiled, lambda: numbers.append(numbers.pop() + 1))


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale, self.steps, self.named, self.settings = 2.0, [1.0, 2.0], {"shift": 1.0}, Settings()
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        x = self.inner(x) * self.scale + self.named["shift"] * self.settings.scale
        return self.shifted(x) - sum(self.steps)

    def shifted(self, x: Any) -> Any:
        return x + SCALE


@pytest.mark.parametrize("change", [
    lambda m: setattr(m, "scale", 3.0), lambda m: m.steps.append(3.0), lambda m: m.named.update(shift=2.0),
    lambda m: setattr(m.settings, "scale", 5.0), lambda m: setattr(m, "inner", nn.Linear(3, 3)),
    lambda m: m.inner.weight.data.mul_(2), lambda m: setattr(m.inner.weight, "data", torch.ones(3, 3)),
    lambda m: setattr(m.inner, "bias", None), lambda m: m.inner.requires_grad_(False),
    lambda m: globals().update(SCALE=SCALE + 1),
    lambda m: m.register_forward_hook(lambda module, args, out: out * 2),
    lambda m: m.inner.register_forward_pre_hook(lambda module, args: (args[0] + 1,)),
], ids=range(12))  # fmt: skip
def test_modules_that_change(change: Any) -> None:
    module = Scaled()
    follows(module, torch.compile(module), lambda: change(module))


def test_methods() -> None:
    class Holder:
        scale = 2.0

        def times(self, x: Any) -> Any:
            return x * self.scale

    holder = Holder()
    follows(holder.times, torch.compile(holder.times), lambda: setattr(holder, "scale", 9.0))


@pytest.mark.parametrize("register", [
    lambda p: p.register_hook(lambda g: g * 2),
    lambda p: p.register_post_accumulate_grad_hook(lambda p: p.grad.mul_(3)),
])  # fmt: skip
def test_hooks_of_tensors(register: Any) -> None:
    layer = nn.Linear(3, 2)

    def step(x: Any) -> Any:
        layer.zero_grad()
        layer(x).square().sum().backward()
        return layer.weight.grad.clone()

    compiled = torch.compile(step)
    follows(step, compiled)
    handle = register(layer.weight)
    follows(step, compiled)
    handle.remove()
    follows(step, compiled)


def test_numbers_among_the_arguments() -> None:
    compiled = torch.compile(lambda x, k, flag=True: x * k if flag else x)
    for k in (1, 2, 2.0, 1, -1):
        for flag in (True, False):
            assert torch.equal(compiled(X, k, flag=flag), X * k if flag else X)
            assert compiled(X, k, flag=flag).dtype is (X * k).dtype


def test_tensors_in_arguments() -> None:
    compiled = torch.compile(lambda pair, named: pair[0] * named["b"] - pair[1])
    for k in range(3):
        assert torch.equal(compiled((X + k, X), {"b": X * k}), (X + k) * (X * k) - X)


def test_one_argument_twice() -> None:
    """A plan for two tensors is none for one tensor twice, if it is written to."""
    function = lambda x, y: x.add_(y).mul_(2)  # noqa: E731
    compiled = torch.compile(function)
    for _ in range(3):
        a, b = X.clone(), X.clone()
        assert torch.equal(compiled(a, X), function(b, X))
        assert torch.equal(compiled(a, a), function(b, b))
        assert torch.equal(a, b)


def test_arguments_that_share_memory() -> None:
    function = lambda x, y: x.add_(1).exp().sum() + y.exp().sum() + (x * y).exp().sum()  # noqa: E731
    with warned("shares memory with another"):
        compiled = torch.compile(function)
        for _ in range(3):
            a, b = X.clone() / 10, X.clone() / 10
            assert float(compiled(a[0], a.view(-1)[1:4])) == float(function(b[0], b.view(-1)[1:4]))
    compiled = torch.compile(function)
    for _ in range(2):
        assert torch.equal(compiled(X / 10, X / 9), function(X / 10, X / 9))
    with warned("shares memory with another"):
        a, b = X.clone() / 10, X.clone() / 10
        assert float(compiled(a, a.view(3, 2).view(2, 3))) == float(function(b, b.view(3, 2).view(2, 3)))


WEIGHT = torch.ones(2, 3) * 3


def test_an_argument_that_the_function_knows() -> None:
    function = lambda x: x * WEIGHT  # noqa: E731
    compiled = torch.compile(function)
    for _ in range(2):
        assert torch.equal(compiled(WEIGHT), WEIGHT * WEIGHT)
        assert torch.equal(compiled(X), X * WEIGHT)


def test_learning_rates_that_are_read() -> None:
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    follows(lambda x: x * optimizer.param_groups[0]["lr"], torch.compile(lambda x: x * optimizer.param_groups[0]["lr"]),
            scheduler.step)  # fmt: skip
    follows(lambda x: x * scheduler.get_last_lr()[0], torch.compile(lambda x: x * scheduler.get_last_lr()[0]),
            scheduler.step)  # fmt: skip


def test_modes() -> None:
    weight = torch.ones(3, requires_grad=True)
    compiled = torch.compile(lambda x: x * weight)
    assert compiled(X).requires_grad
    with torch.no_grad():
        assert not compiled(X).requires_grad
    with torch.inference_mode():
        assert compiled(X).is_inference()
    assert compiled(X).requires_grad
    compiled = torch.compile(lambda: torch.ones(2))
    assert compiled().dtype is torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.compile(lambda: torch.ones(2))().dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


# ---- what a plan cannot hold -----------------------------------------------------------------------------------------
class Numpy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return torch.from_numpy(np.exp(x.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


GIVEN_UP = {
    "item": (lambda x: x * x.sum().item(), "number"),
    "float": (lambda x: x * float(x[0, 1]), "number"),
    "branch": (lambda x: x * 2 if x.sum() > 3 else x, "number"),
    "tolist": (lambda x: x * sum(x[0].tolist()), "numbers"),
    "nonzero": (lambda x: x.nonzero(), "depends on values"),
    "mask": (lambda x: x[x > 2] * 2, "shape depends on values"),
    "masked_select": (lambda x: x.masked_select(x > 2), ""),
    "unique": (lambda x: (x % 2).unique(), "depends on values"),
    "print": (lambda x: x * len(repr(x)), "numbers out"),
    "numpy": (lambda x: torch.from_numpy(x.numpy() * 2), "numbers out"),
    "Function": (lambda x: Numpy.apply(x.clone().requires_grad_()).detach(), "numbers out"),
    "disable": (lambda x: torch.compiler.disable(lambda x: x * 2)(x), "compiler.disable"),
    "random": (lambda x: x + np.random.rand(), "random numbers of Python's or NumPy's"),  # noqa: NPY002
    "memory": (lambda x: x.clone().as_strided((2,), (1,)), "where in memory"),
}  # fmt: skip


@pytest.mark.parametrize("name", GIVEN_UP)
def test_given_up(name: str) -> None:
    """One warning, which says why and where; then the function as it is, with other numbers each time."""
    function, words = GIVEN_UP[name]
    compiled = torch.compile(function)
    with warned(f"without a plan: it .*{words}.*test_capture_surprises") as caught:
        for k in range(4):
            np.random.seed(k)  # noqa: NPY002
            found = compiled(X + k)
            np.random.seed(k)  # noqa: NPY002
            assert torch.equal(found, function(X + k))
    assert len([w for w in caught if "compile: " in str(w.message)]) == 1
    assert plans(compiled) == 0


@pytest.mark.parametrize("name", [name for name in GIVEN_UP if name != "disable"])
def test_fullgraph_names_the_line(name: str) -> None:
    function, words = GIVEN_UP[name]
    with pytest.raises(RuntimeError, match=rf"fullgraph=True.*{words}.*line \d+ of .*test_capture_surprises.py"):
        torch.compile(function, fullgraph=True)(X)


def test_something_new_at_every_call() -> None:
    """What goes by something that always changes is not recorded for ever."""
    count = 0

    def function(x: Any) -> Any:
        nonlocal count
        count += 1
        return x * count

    compiled = torch.compile(function)
    with warned("another at every call"):
        for k in range(20):
            assert torch.equal(compiled(X), X * (k + 1))


def test_errors_are_the_programs_own() -> None:
    compiled = torch.compile(lambda x, y: x @ y)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        compiled(X, X)
    assert torch.equal(compiled(X, X.t()), X @ X.t())
    index = torch.compile(lambda x, i: x[i])
    assert torch.equal(index(X, torch.tensor([1])), X[1:])
    for _ in range(2):
        with pytest.raises(IndexError):
            index(X, torch.tensor([5]))
    assert torch.equal(index(X, torch.tensor([0])), X[:1])
    probability = torch.compile(nn.functional.binary_cross_entropy)
    probability(X / 6, X / 6)
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        probability(X, X / 6)


# ---- what is made, kept and written to -------------------------------------------------------------------------------
def filled(x: Any) -> Any:
    out = x.new_zeros(2, 3)
    for i in range(3):
        out[:, i] = out[:, i - 1] + x[:, i]
    return out


def summed(x: Any) -> Any:
    total = torch.zeros(3)
    for row in x:
        total += row
    return total


MADE = {
    "zeros that are added to": summed, "zeros that are written to": filled,
    "tensor": lambda x: torch.tensor([1.0, 2.0, 3.0]).mul_(x[0]), "constant": lambda x: torch.ones(3),
    "view": lambda x: torch.zeros(2, 3).t().copy_(x.t()).t(),
    "mask": lambda x: x.clone().masked_fill_(x > 2, 0.0), "index": lambda x: x.clone().index_put_(
        (torch.tensor([0, 1]),), x[1]), "assigned": lambda x: assigned(x),
}  # fmt: skip


def assigned(x: Any) -> Any:
    y = x.clone()
    y[y > 2] = 0.5
    y[:, torch.tensor([0, 2])] = x[:, :2]
    return y


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_begins_anew(name: str) -> None:
    function = MADE[name]
    compiled = torch.compile(function, fullgraph=True)
    kept = [compiled(X + k) for k in range(4)]
    for k, found in enumerate(kept):
        assert torch.equal(found, function(X + k))
    assert plans(compiled) == 1


def test_arrays_that_others_know() -> None:
    """A NumPy array that the function makes a tensor of and writes to is written to."""
    array = np.zeros(3, np.float32)

    def function(x: Any) -> Any:
        return torch.from_numpy(array).add_(x[0]).clone()

    with warned("an array of NumPy's"):
        compiled = torch.compile(function)
        for k in range(1, 4):
            assert torch.equal(compiled(X), k * X[0])


def test_outer_tensors_that_are_written_to() -> None:
    total = torch.zeros(2, 3)
    step = torch.compile(lambda x: total.add_(x).sum(), fullgraph=True)
    for k in range(1, 5):
        assert float(step(X)) == k * 15
        assert torch.equal(total, k * X)
    total.zero_()
    assert float(step(X)) == 15


def test_arguments_that_are_written_to() -> None:
    def function(x: Any) -> Any:
        x[0] = 1.0
        part = x.view(-1)[2:5]
        part *= 2
        return x, part

    compiled = torch.compile(function, fullgraph=True)
    for k in range(3):
        a, b = X + k, X + k
        version = a._version
        x, part = compiled(a)
        function(b)
        assert x is a
        assert torch.equal(a, b)
        assert a._version > version
        part.zero_()
        assert float(a[1].sum()) == float(a[1, 2])


def test_what_is_returned() -> None:
    function = lambda x: {"x": x, "t": x.t(), "both": (x * 2, None, 3), "parts": list(x.unbind(0))}  # noqa: E731
    compiled = torch.compile(function, fullgraph=True)
    for k in range(3):
        x = X + k
        found, expected = compiled(x), function(x)
        assert found["x"] is x
        assert torch.equal(found["t"], expected["t"])
        assert torch.equal(found["both"][0], x * 2)
        assert found["both"][1:] == (None, 3)
        assert [p.tolist() for p in found["parts"]] == x.tolist()
        found["t"][0, 0] = 50.0
        assert float(x[0, 0]) == 50.0


def test_a_tensor_kept_outside() -> None:
    kept: list[Any] = []

    def function(x: Any) -> Any:
        kept.append(x * 2)
        return x

    with warned("somewhere outside"):
        compiled = torch.compile(function)
        for k in range(3):
            compiled(X + k)
    assert [float(x.sum()) for x in kept] == [30, 42, 54]


# ---- gradients -------------------------------------------------------------------------------------------------------
def test_gradients_of_arguments() -> None:
    compiled = torch.compile(lambda x, y: (x * y).sin(), fullgraph=True)
    for k in range(3):
        leaves = [(X + k).requires_grad_() for _ in range(4)]
        compiled(leaves[0] * 2, leaves[1]).sum().backward()
        ((leaves[2] * 2) * leaves[3]).sin().sum().backward()
        assert torch.allclose(leaves[0].grad, leaves[2].grad)
        assert torch.allclose(leaves[1].grad, leaves[3].grad)


def test_backward_inside_goes_on_outside() -> None:
    weight = torch.ones(3, requires_grad=True)

    def function(y: Any) -> Any:
        loss = (y * y).sum()
        loss.backward()
        return loss.detach()

    with warned("goes back through an argument"):
        compiled = torch.compile(function)
        for k in range(1, 4):
            weight.grad = None
            compiled(weight * k)
            assert weight.grad.tolist() == [2 * k * k] * 3


def test_stale_tensors() -> None:
    weight = torch.ones(3, requires_grad=True)
    compiled = torch.compile(lambda x: (x * weight).sum())
    for x in (X.clone(), X.clone()):
        loss = compiled(x)
        x.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
    loss = compiled(X)
    with torch.no_grad():
        weight.add_(1)
    loss.backward()  # x is what the weight's gradient is made of


def test_backward_twice() -> None:
    weight = torch.ones(3, requires_grad=True)
    compiled = torch.compile(lambda x: (x * weight).square().sum())
    for _ in range(2):
        loss = compiled(X)
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()
    with pytest.raises(RuntimeError, match="create_graph=True"):
        torch.autograd.grad(compiled(X), weight, create_graph=True)


def test_higher_orders_inside() -> None:
    def function(x: Any) -> Any:
        z = x.clone().requires_grad_()
        (g,) = torch.autograd.grad((z**3).sum(), z, create_graph=True)
        (h,) = torch.autograd.grad(g.sum(), z)
        first = torch.func.grad(lambda x: x.sin().sum())(x)
        return g.detach(), h, first, torch.func.vmap(lambda row: row.sum() * row)(x)

    compiled = torch.compile(function, fullgraph=True)
    for k in range(3):
        for a, b in zip(compiled(X + k), function(X + k)):
            assert torch.allclose(a, b)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    layer = nn.Linear(3, 3)

    def step(x: Any) -> Any:
        layer.zero_grad()
        part = lambda x: nn.functional.dropout(layer(x), 0.5).tanh()  # noqa: E731
        checkpoint(part, x.clone().requires_grad_(), use_reentrant=reentrant).sum().backward()
        return layer.weight.grad.clone()

    compiled = torch.compile(step, fullgraph=True)
    for k in range(4):
        torch.manual_seed(k)
        expected, place = step(X), torch.rand(1)
        torch.manual_seed(k)
        assert torch.equal(compiled(X), expected)
        assert torch.equal(torch.rand(1), place)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, scale: float) -> Any:
        ctx.save_for_backward(x)
        ctx.scale = scale
        return scale * x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * ctx.scale * g * x, None


def test_custom_functions() -> None:
    compiled = torch.compile(lambda x: Square.apply(x, 3.0), fullgraph=True)
    for k in range(3):
        x = (X + k).requires_grad_()
        out = compiled(x)
        assert torch.equal(out, 3 * x * x)
        out.sum().backward()
        assert torch.equal(x.grad, 6 * (X + k))


# ---- among others ----------------------------------------------------------------------------------------------------
def test_nested() -> None:
    inner = torch.compile(lambda x: x * SCALE)
    outer = torch.compile(lambda x: inner(x) + 1, fullgraph=True)
    for k in range(3):
        assert torch.equal(outer(X + k), (X + k) * SCALE + 1)
    assert plans(inner) == 0
    assert torch.equal(inner(X), X * SCALE)


def test_random_numbers() -> None:
    def function(x: Any) -> Any:
        return [
            torch.randn(3) + x[0], torch.rand_like(x), torch.bernoulli(torch.full((4,), 0.5)), torch.randperm(5),
            torch.randint(0, 9, (3,)), torch.empty(3).exponential_(), torch.normal(x, 1.0), torch.empty(3).cauchy_(),
            torch.multinomial(x[1], 2), torch.poisson(x), nn.functional.rrelu(-x, training=True),
            torch.empty(3).normal_(),
            nn.functional.dropout2d(x[None, :, :, None], 0.5), nn.functional.gumbel_softmax(x),
        ]  # fmt: skip

    compiled = torch.compile(function, fullgraph=True)
    for k in range(4):
        torch.manual_seed(k)
        expected = function(X + k)
        torch.manual_seed(k)
        for a, b in zip(compiled(X + k), expected):
            assert torch.equal(a, b)


def test_threads_with_one_function() -> None:
    """Several threads call it at once: each gets its own numbers."""
    weight = torch.ones(3, requires_grad=True)
    compiled = torch.compile(lambda x: (x * weight).exp().sum())
    wrong: list[Any] = []

    def calls(k: int) -> None:
        x = X / 10 + k
        expected = float((x * weight).exp().sum().detach())
        wrong.extend(k for _ in range(50) if float(compiled(x).detach()) != pytest.approx(expected))

    threads = [threading.Thread(target=calls, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_stance_and_reset() -> None:
    compiled = torch.compile(lambda x: x * 2)
    with torch.compiler.set_stance("force_eager"):
        compiled(X)
    assert plans(compiled) == 0
    compiled(X)
    with torch.compiler.set_stance("fail_on_recompile"):
        compiled(X)
        with pytest.raises(RuntimeError, match="fail_on_recompile"):
            compiled(X[0])
    assert plans(compiled) == 1
    torch.compiler.reset()
    assert plans(compiled) == 0


def test_no_warning_where_all_is_well() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.compile(nn.Linear(3, 2))(X)
