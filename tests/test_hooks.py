"""Hooks of modules: forward, backward, of one and of all. What PyTorch does too is tested on both."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import pytest

import mini_torch
from mini_torch.network import global_hooks, hooks


# ---- forward hooks -----------------------------------------------------------------------------------------
def test_forward_hooks_see_and_replace(torch: ModuleType) -> None:
    seen: list[Any] = []
    net = torch.nn.Identity()
    x = torch.ones(2)
    first = net.register_forward_hook(
        lambda module, args, out: seen.append((module is net, args[0] is x, out is x))
    )
    net.register_forward_hook(lambda module, args, out: out * 2)
    net.register_forward_hook(lambda module, args, out: out + 1, prepend=True)
    assert net(x).tolist() == [4.0, 4.0]
    assert seen == [(True, True, False)]
    first.remove()
    first.remove()
    with net.register_forward_pre_hook(lambda module, args: (args[0] * 10,)):
        assert net(x).tolist() == [22.0, 22.0]
        net.register_forward_pre_hook(lambda module, args: args[0] - 1, prepend=True)
        assert net(x).tolist() == [2.0, 2.0]
    assert net(x).tolist() == [2.0, 2.0]
    assert len(seen) == 1


def test_hooks_with_keywords(torch: ModuleType) -> None:
    class Scaled(torch.nn.Linear):  # type: ignore[name-defined, misc]
        def forward(self, x: Any, scale: float = 1.0) -> Any:
            return super().forward(x) * scale

    seen: list[Any] = []
    net = Scaled(2, 2)
    net.register_forward_hook(lambda module, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    net.register_forward_pre_hook(lambda module, args, kwargs: None, with_kwargs=True)
    handle = net.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"scale": 0.0}), with_kwargs=True
    )
    assert net(torch.ones(2)).tolist() == [0.0, 0.0]
    assert seen == [{"scale": 0.0}]
    handle.remove()
    net.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"forward pre-hook must return None or a tuple"):
        net(torch.ones(2))


def test_hooks_that_are_always_called(torch: ModuleType) -> None:
    seen: list[Any] = []

    class Failing(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, x: Any) -> Any:
            raise ValueError("boom")

    net = Failing()
    net.register_forward_hook(lambda module, args, out: seen.append(out), always_call=True)
    net.register_forward_hook(
        lambda module, args, kwargs, out: seen.append(kwargs), always_call=True, with_kwargs=True
    )
    net.register_forward_hook(lambda module, args, out: seen.append("never"))
    with pytest.raises(ValueError, match="boom"):
        net(1)
    assert seen == [None, {}]
    net.register_forward_hook(lambda module, args, out: 1 / 0, always_call=True)
    with (
        pytest.warns(UserWarning, match="silenced as another error was raised"),
        pytest.raises(ValueError, match="boom"),
    ):
        net(1)


# ---- backward hooks ----------------------------------------------------------------------------------------
def test_backward_hooks_see_and_replace(torch: ModuleType) -> None:
    seen: list[Any] = []
    net = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(3.0)
    net.register_full_backward_hook(
        lambda module, g_in, g_out: seen.append((g_in[0].tolist(), g_out[0].tolist()))
    )
    x = torch.ones(1, 2, requires_grad=True)
    (net(x) * 5).sum().backward()
    assert seen == [([[15.0, 15.0]], [[5.0]])]
    net.register_full_backward_hook(lambda module, g_in, g_out: (g_in[0] * 10,))
    net.register_full_backward_pre_hook(lambda module, g_out: (g_out[0] * 2,))
    net.register_full_backward_pre_hook(lambda module, g_out: None, prepend=True)
    x.grad = None
    (net(x) * 5).sum().backward()
    assert seen[1] == ([[30.0, 30.0]], [[10.0]])
    assert x.grad.tolist() == [[300.0, 300.0]]
    assert net.weight.grad.tolist() == [[15.0, 15.0]]  # 5, then 10
    assert not net(torch.ones(1, 2)).isnan().any()
    with torch.no_grad():
        assert net(x).item() == 6.0


def test_backward_hooks_of_several_inputs_and_outputs(torch: ModuleType) -> None:
    seen: list[Any] = []

    class Several(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, a: Any, b: Any, c: int) -> Any:
            return a * b, (a + 2 * b).sum(), c

    net = Several()
    net.register_full_backward_hook(lambda module, g_in, g_out: seen.append((g_in, g_out)))
    a = torch.ones(2, requires_grad=True)
    b = torch.full((2, 3), 2.0, requires_grad=True)
    product, total, five = net(a, b[:, 0], 5)
    (product.sum() * 2 + total).backward()
    ((g_in, g_out),) = seen
    assert [None if g is None else g.tolist() for g in g_in] == [[5.0, 5.0], [4.0, 4.0], None]
    assert [None if g is None else g.tolist() for g in g_out] == [[2.0, 2.0], 1.0, None]
    assert (a.grad.tolist(), five) == ([5.0, 5.0], 5)


def test_backward_hooks_in_second_order(torch: ModuleType) -> None:
    net = torch.nn.Tanh()
    net.register_full_backward_hook(lambda module, g_in, g_out: (g_in[0] * 2,))
    x = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    (gg,) = torch.autograd.grad(g.sum(), x)
    t = torch.tanh(x.detach())
    assert torch.allclose(g.detach(), 2 * (1 - t * t))
    assert torch.allclose(gg, -4 * t * (1 - t * t))


def test_backward_hooks_without_inputs_that_require_grad(torch: ModuleType) -> None:
    seen: list[Any] = []
    net = torch.nn.Linear(1, 1)
    net.register_full_backward_hook(lambda module, g_in, g_out: seen.append((g_in, g_out[0].tolist())))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        net(torch.ones(1, 1)).sum().backward()
    assert seen == [((None,), [[1.0]])]
    net.register_full_backward_hook(lambda module, g_in, g_out: (g_out[0],))
    with (
        pytest.raises(RuntimeError, match="should always return None"),
        pytest.warns(UserWarning, match="no inputs"),
    ):
        net(torch.ones(1, 1)).sum().backward()


def test_backward_hooks_used_wrongly(torch: ModuleType) -> None:
    def backward(register: str, hook: Any) -> None:
        net = torch.nn.Tanh()
        getattr(net, register)(hook)
        net(torch.ones(1, requires_grad=True)).sum().backward()

    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        backward("register_full_backward_hook", lambda module, g_in, g_out: (g_in[0], g_in[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_output, got 2, but expected 1"):
        backward("register_full_backward_pre_hook", lambda module, g_out: (g_out[0], g_out[0]))

    class Mapping(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, x: Any) -> Any:
            return {"y": x * 2}

    net = Mapping()
    net.register_full_backward_hook(lambda *args: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            net(torch.ones(1, requires_grad=True))
        except TypeError:  # PyTorch warns and then fails
            assert torch is not mini_torch
    assert "module output should be a Tensor or a tuple of Tensors" in str(caught[0].message)


# ---- hooks of all modules ------------------------------------------------------------------------------------
@pytest.fixture
def common(torch: ModuleType) -> Any:
    """`nn.modules.module`, whose hooks the test must remove."""
    return torch.nn.modules.module


def test_forward_hooks_of_all_modules(torch: ModuleType, common: Any) -> None:
    seen: list[Any] = []
    net = torch.nn.Sequential(torch.nn.Identity())
    net[0].register_forward_pre_hook(lambda m, args: seen.append("own before"))
    net[0].register_forward_hook(lambda m, args, out: seen.append("own after"))
    with (
        common.register_module_forward_pre_hook(lambda m, args: seen.append(("before", len(args))) or args[0] + 1),
        common.register_module_forward_hook(lambda m, args, out: seen.append("after") or out * 10),
        common.register_module_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True),
    ):
        assert net(torch.zeros(1)).tolist() == [200]
    assert seen == [("before", 1), ("before", 1), "own before", "after", {}, "own after", "after", {}]
    seen.clear()
    net(torch.zeros(1))
    assert seen == ["own before", "own after"]


def test_hooks_of_all_modules_after_an_error(torch: ModuleType, common: Any) -> None:
    class Broken(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, x: Any) -> Any:
            raise ValueError("broken")

    seen: list[Any] = []
    with (
        common.register_module_forward_hook(lambda m, args, out: seen.append(out), always_call=True),
        common.register_module_forward_hook(lambda m, args, out: seen.append("never")),
        pytest.raises(ValueError, match="broken"),
    ):
        Broken()(1)
    assert seen == [None]


def test_backward_hooks_of_all_modules(torch: ModuleType, common: Any) -> None:
    seen: list[Any] = []
    net = torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU())
    x = torch.ones(1, requires_grad=True)
    with (
        common.register_module_full_backward_pre_hook(lambda m, g: seen.append(("before", type(m).__name__))),
        common.register_module_full_backward_hook(lambda m, g, out: seen.append(type(m).__name__) or (g[0] * 2,)),
    ):
        net(x).sum().backward()
        with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks as a"):
            common.register_module_backward_hook(lambda *_: None)
    assert x.grad.tolist() == [8]
    assert seen == [("before", "Sequential"), ("before", "ReLU"), "ReLU", ("before", "Identity"), "Identity",
                    "Sequential"]  # fmt: skip


def test_registration_hooks(torch: ModuleType, common: Any) -> None:
    nn, seen = torch.nn, []
    with (
        common.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        common.register_module_buffer_registration_hook(lambda m, name, b: seen.append(name)),
        common.register_module_module_registration_hook(lambda m, name, child: seen.append(name)),
    ):
        net = nn.Sequential(nn.BatchNorm1d(1))
        net.act = nn.ReLU()
        net.extra = nn.Buffer(torch.ones(1))
        net.extra = torch.zeros(1)
        net.act = None
    assert seen == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked", "0", "act", "extra",
                    "extra", "act"]  # fmt: skip
    with common.register_module_module_registration_hook(lambda m, name, child: nn.Tanh()):
        assert type(nn.Sequential(nn.ReLU())[0]) is nn.Tanh
    with common.register_module_parameter_registration_hook(lambda m, name, p: nn.Parameter(torch.ones(7))):
        net.register_parameter("w", nn.Parameter(torch.ones(1)))
    assert net.w.shape == (7,)


@pytest.mark.filterwarnings("ignore:Using.*non-full backward hook:FutureWarning")
def test_backward_hooks_of_the_old_kind(torch: ModuleType, common: Any) -> None:
    """They see the last operation: its gradient, of the (first) output, is what programs want of them."""

    class Nested(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, x: Any) -> Any:
            return {"name": "nested", "out": x * 2}

    seen: list[Any] = []
    for module, out in ((torch.nn.Linear(2, 1), lambda y: y), (Nested(), lambda y: y["out"])):
        module.register_backward_hook(lambda m, grad_input, grad_output: seen.append(grad_output[0].tolist()))
        out(module(torch.ones(1, 2, requires_grad=True))).sum().backward()
    assert seen == [[[1]], [[1, 1]]]
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks on a"):
        module.register_full_backward_hook(lambda *_: None)


def test_backward_hooks_of_the_old_kind_and_all_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "common", hooks.ModuleHooks())  # one kind excludes the other for the whole program
    monkeypatch.setattr(global_hooks, "common", hooks.common)
    seen: list[Any] = []
    module = mini_torch.nn.ReLU()
    with global_hooks.register_module_backward_hook(lambda m, grad_input, out: seen.append((m, out[0].tolist()))):
        module(mini_torch.ones(1, requires_grad=True)).sum().backward()
        module(mini_torch.ones(1))
    assert seen == [(module, [1])]
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks as a"):
        global_hooks.register_module_full_backward_hook(lambda *_: None)


def test_gradients_that_do_not_come(torch: ModuleType) -> None:
    """To an output that is not used comes None; an input that wants no gradient has zeros."""
    seen: list[Any] = []

    class Two(torch.nn.Module):  # type: ignore[name-defined, misc]
        def forward(self, a: Any, b: Any) -> Any:
            return a * b, a + 1, "text"

    two = Two()
    two.register_full_backward_pre_hook(lambda m, out: seen.append([g if g is None else g.tolist() for g in out]))
    two.register_full_backward_hook(lambda m, g, out: seen.append([x if x is None else x.tolist() for x in g]))
    a = torch.ones(2, requires_grad=True)
    two(a, torch.tensor([3.0, 4.0]))[0].sum().backward()
    two(a, 5)[1].sum().backward()
    assert seen == [[[1, 1], None, None], [[3, 4], [0, 0]], [None, [1, 1], None], [[1, 1], None]]


def test_a_number_of_another_program_is_not_used_twice() -> None:
    """Hooks that were unpickled keep their numbers, which a new hook may not take."""
    layer = mini_torch.nn.Linear(1, 1)
    handle = layer.register_forward_hook(lambda m, args, out: None)
    layer._forward_hooks[handle.id + 1] = lambda m, args, out: out + 1
    layer.register_forward_hook(lambda m, args, out: None)
    assert len(layer._forward_hooks) == 3
