"""Modules, their registries, hooks and state; containers. What PyTorch does too is tested on both."""

from __future__ import annotations

import ast
import copy
import importlib
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mini_torch
from mini_torch.network import LazyModuleMixin, Network, global_hooks, hooks


def small(torch: ModuleType) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(2, 3),
        nn.ReLU(),
        nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.2)),
        nn.Linear(3, 1, bias=False),
    )


def with_all(torch: ModuleType) -> Any:
    """A module with a child, parameters, buffers and a parameter that is None."""
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.w = nn.Parameter(torch.zeros(2))
            self.register_buffer("count", torch.ones(1))
            self.register_buffer("cache", torch.ones(1), persistent=False)
            self.register_parameter("none", None)

        def forward(self, x: Any, scale: float = 1.0) -> Any:
            return self.fc(x) * scale

    return Net()


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


# ---- registration and search -------------------------------------------------------------------------------
def test_members_are_found_in_the_order_of_registration(torch: ModuleType) -> None:
    net = with_all(torch)
    assert names(net.named_parameters()) == ["w", "fc.weight", "fc.bias"]
    assert names(net.named_parameters(prefix="net", recurse=False)) == ["net.w"]
    assert names(net.named_buffers()) == ["count", "cache"]
    assert len(list(net.buffers())) == 2
    assert names(net.named_modules()) == ["", "fc"]
    assert names(net.named_children()) == ["fc"]
    assert list(net.modules()) == [net, net.fc]
    assert list(net.children()) == [net.fc]
    assert list(net.state_dict()) == ["w", "count", "fc.weight", "fc.bias"]
    assert {"fc", "w", "count", "training", "forward"} <= set(dir(net))


def test_what_is_attached_later_is_seen(torch: ModuleType) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(1, 1))
    net.late = torch.nn.Linear(1, 1)
    net[0].extra = torch.nn.Parameter(torch.ones(1))
    net.w = torch.nn.Parameter(torch.ones(1))
    assert names(net.named_parameters()) == ["w", "0.weight", "0.bias", "0.extra", "late.weight", "late.bias"]
    net.w = None
    net.late = None
    assert names(net.named_parameters()) == ["0.weight", "0.bias", "0.extra"]
    assert repr(net).endswith("(late): None\n)")
    del net.w, net.late
    net.w = torch.ones(1)  # now a plain attribute
    assert names(net.named_parameters()) == ["0.weight", "0.bias", "0.extra"]


def test_a_name_moves_between_registries(torch: ModuleType) -> None:
    nn = torch.nn
    net = nn.Module()
    net.a = 3
    net.a = nn.ReLU()
    net.a = nn.Parameter(torch.ones(1))
    net.b = nn.Buffer(torch.ones(1))
    net.b = torch.zeros(2)
    net.c = nn.Buffer(torch.ones(1), persistent=False)
    assert list(net.state_dict()) == ["a", "b"]
    net.c = nn.Parameter(torch.ones(1))
    assert list(net.state_dict()) == ["a", "c", "b"]
    assert names(net.named_modules()) == [""]
    net.b = None
    assert net.b is None


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda t, m: setattr(m, "w", 3), TypeError, "cannot assign 'int' as parameter 'w'"),
        (lambda t, m: setattr(m, "w", t.zeros(2)), TypeError, "cannot assign 'torch.FloatTensor' as parameter 'w'"),
        (lambda t, m: setattr(m, "fc", 3), TypeError, "cannot assign 'int' as child module 'fc'"),
        (lambda t, m: setattr(m, "count", 3), TypeError, "cannot assign 'int' as buffer 'count'"),
        (lambda t, m: m.missing, AttributeError, "'Net' object has no attribute 'missing'"),
        (lambda t, m: delattr(m, "missing"), AttributeError, "missing"),
        (lambda t, m: m.register_parameter("a.b", None), KeyError, r'parameter name can.*t contain "\."'),
        (lambda t, m: m.register_parameter("", None), KeyError, "parameter name can.*t be empty"),
        (lambda t, m: m.register_parameter("fc", None), KeyError, "attribute 'fc' already exists"),
        (lambda t, m: m.register_parameter(3, None), TypeError, "parameter name should be a string. Got int"),
        (lambda t, m: m.register_parameter("q", t.zeros(1)), TypeError, "'torch.FloatTensor' object to parameter 'q'"),
        (lambda t, m: m.register_parameter("q", m.w * 1), (TypeError, ValueError), "q"),
        (lambda t, m: m.register_buffer("q", 3), TypeError, "cannot assign 'int' object to buffer 'q'"),
        (lambda t, m: m.register_buffer("w", None), KeyError, "attribute 'w' already exists"),
        (lambda t, m: m.add_module("w", t.nn.ReLU()), KeyError, "attribute 'w' already exists"),
        (lambda t, m: m.add_module("a.b", t.nn.ReLU()), KeyError, r'can.*t contain "\.", got: a\.b'),
        (lambda t, m: m.add_module("", t.nn.ReLU()), KeyError, "module name can.*t be empty"),
        (lambda t, m: m.add_module("k", 3), TypeError, "int is not a Module subclass"),
        (lambda t, m: m.train(3), ValueError, "training mode is expected to be boolean"),
        (lambda t, m: t.nn.Module()(1), NotImplementedError, r'Module \[Module\] is missing the required "forward"'),
        (lambda t, m: m.get_submodule("fc.x"), AttributeError, "Linear has no attribute `x`"),
        (lambda t, m: m.get_submodule("w"), AttributeError, "`w` is not an nn.Module"),
        (lambda t, m: m.get_parameter("fc"), AttributeError, "`fc` is not an nn.Parameter"),
        (lambda t, m: m.get_buffer("w"), AttributeError, "`w` is not a buffer"),
        (lambda t, m: m.get_buffer("zz"), AttributeError, "Net has no attribute `zz`"),
        (lambda t, m: m.set_submodule("", t.nn.ReLU()), ValueError, "without a target name"),
        (lambda t, m: m.set_submodule("fc", 3), ValueError, "`module` is not an nn.Module"),
        (lambda t, m: m.set_submodule("w", t.nn.ReLU()), AttributeError, "`w` is not an nn.Module"),
        (lambda t, m: m.set_submodule("new", t.nn.ReLU(), strict=True), AttributeError, "no attribute `new`"),
        (lambda t, m: m.to(t.int64), TypeError, "only accepts floating point or complex dtypes"),
        (lambda t, m: t.nn.Parameter(t.ones(2, dtype=t.int64)), RuntimeError, "floating point and complex dtype"),
    ],
)  # fmt: skip
def test_wrong_use_says_so(torch: ModuleType, action: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        action(torch, with_all(torch))


@pytest.mark.parametrize(
    ("kind", "message"), [("parameter", "cannot assign parameters"), ("module", "cannot assign module"),
                          ("buffer", "cannot assign buffer"), ("none", "cannot assign parameter")],
)  # fmt: skip
def test_members_before_init(torch: ModuleType, kind: str, message: str) -> None:
    class Hasty(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            if kind == "parameter":
                self.w = torch.nn.Parameter(torch.zeros(1))
            elif kind == "module":
                self.w = torch.nn.ReLU()
            elif kind == "buffer":
                self.register_buffer("w", torch.zeros(1))
            else:
                self.register_parameter("w", None)

    with pytest.raises(AttributeError, match=message + r" before Module.__init__\(\) call"):
        Hasty()


def test_dotted_paths(torch: ModuleType) -> None:
    net = with_all(torch)
    assert net.get_submodule("") is net
    assert net.get_submodule("fc") is net.fc
    assert net.get_parameter("fc.weight") is net.fc.weight
    assert net.get_buffer("count") is net.count
    net.set_submodule("fc", torch.nn.Identity())
    net.set_submodule("new", torch.nn.ReLU())
    assert names(net.named_children()) == ["fc", "new"]


def test_cuda_is_refused() -> None:
    assert with_all(mini_torch).cpu().w.device.type == "cpu"
    with pytest.raises(RuntimeError, match="not available"):
        with_all(mini_torch).cuda()


# ---- all at once -------------------------------------------------------------------------------------------
def test_apply_visits_children_first(torch: ModuleType) -> None:
    seen: list[str] = []
    net = small(torch)
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Dropout", "Sequential", "Linear", "Sequential"]


def test_eval_of_one_changes_no_other(torch: ModuleType) -> None:
    one, other = small(torch), small(torch)
    assert one.eval() is one
    assert not any(module.training for module in one.modules())
    assert all(module.training for module in other.modules())
    assert all(module.training for module in one.train().modules())


def test_freezing_and_zero_grad(torch: ModuleType) -> None:
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    grad = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad is grad
    assert grad.tolist() == [[0.0, 0.0]]
    net.zero_grad()
    assert net.weight.grad is None
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())


def test_types_change_in_place(torch: ModuleType) -> None:
    net = with_all(torch)
    net.register_buffer("whole", torch.ones(1, dtype=torch.int64))
    w = net.w
    net(torch.ones(1, 2)).sum().backward()
    assert net.double() is net
    assert net.w is w
    assert (w.dtype, net.fc.weight.grad.dtype, net.count.dtype, net.whole.dtype) == (
        torch.float64, torch.float64, torch.float64, torch.int64,
    )  # fmt: skip
    assert net(torch.ones(1, 2, dtype=torch.float64)).dtype == torch.float64
    assert net.half().w.dtype == torch.float16
    assert net.float().w.dtype == torch.float32
    assert net.to("cpu", torch.float64).w.dtype == torch.float64
    assert net.to(torch.zeros(1)).w.dtype == torch.float32
    assert net.to(dtype=torch.float64).w.dtype == torch.float64
    assert net.to(device="cpu").w.dtype == torch.float64
    assert net.type(torch.float32).whole.dtype == torch.float32


# ---- sharing, copies ---------------------------------------------------------------------------------------
def test_shared_members_are_named_once(torch: ModuleType) -> None:
    a, b = torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 2, bias=False)
    b.weight = a.weight
    tied, twice = torch.nn.Sequential(a, b), torch.nn.Sequential(a, a)
    assert names(tied.named_parameters()) == ["0.weight"]
    assert names(tied.named_parameters(remove_duplicate=False)) == ["0.weight", "1.weight"]
    assert list(tied.state_dict()) == ["0.weight", "1.weight"]
    assert names(twice.named_modules()) == ["", "0"]
    assert names(twice.named_modules(remove_duplicate=False)) == ["", "0", "1"]
    assert names(twice.named_children()) == ["0"]
    clone = copy.deepcopy(tied)
    assert clone[0].weight is clone[1].weight
    assert clone[0].weight is not a.weight


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_copies(torch: ModuleType, duplicate: Any) -> None:
    net = small(torch).eval()
    net[0].weight.requires_grad_(False)
    net(torch.ones(1, 2)).sum().backward()
    other = duplicate(net)
    assert repr(other) == repr(net)
    assert not other.training
    assert not other[0].weight.requires_grad
    assert type(other[0].weight) is torch.nn.Parameter
    assert other[0].bias.grad is None
    assert other[0].weight.tolist() == net[0].weight.tolist()
    with torch.no_grad():
        other[0].weight.zero_()
    assert net[0].weight.abs().sum() > 0


def test_a_parameter_shares_memory_and_prints() -> None:
    data = mini_torch.ones(2)
    parameter = mini_torch.nn.Parameter(data)
    data[0] = 5.0
    assert parameter.tolist() == [5.0, 1.0]
    assert repr(parameter) == "Parameter containing:\ntensor([5., 1.], requires_grad=True)"
    assert not mini_torch.nn.Parameter(data, requires_grad=False).requires_grad
    assert mini_torch.nn.Parameter().shape == (0,)
    with pytest.raises(TypeError, match="holds a Tensor, got list"):
        mini_torch.nn.Parameter([1.0])  # type: ignore[arg-type]


# ---- repr --------------------------------------------------------------------------------------------------
def test_repr(torch: ModuleType) -> None:
    assert repr(small(torch)) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): ReLU()\n  (2): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=3, bias=True)\n    (1): Dropout(p=0.2, inplace=False)\n  )\n"
        "  (3): Linear(in_features=3, out_features=1, bias=False)\n)"
    )

    class Wordy(torch.nn.Module):  # type: ignore[name-defined, misc]
        def extra_repr(self) -> str:
            return "one\ntwo"

    assert repr(Wordy()) == "Wordy(\n  one\n  two\n)"


# ---- state dicts -------------------------------------------------------------------------------------------
def test_state_dict_shares_memory_and_knows_versions(torch: ModuleType) -> None:
    net = small(torch)
    state = net.state_dict(prefix="net.")
    assert next(iter(state)) == "net.0.weight"
    assert not state["net.0.weight"].requires_grad
    assert state["net.0.weight"].data_ptr() == net[0].weight.data_ptr()
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight
    assert isinstance(state, OrderedDict)
    assert dict(state._metadata)["net.2.0"] == {"version": 1}
    target: dict[str, Any] = {}
    assert net.state_dict(destination=target) is target
    assert len(target) == 5


def test_loading_copies_values(torch: ModuleType) -> None:
    one, other = small(torch), small(torch)
    weight = other[0].weight
    result = other.load_state_dict(one.state_dict())
    assert repr(result) == str(result) == "<All keys matched successfully>"
    assert other[0].weight is weight
    assert weight.tolist() == one[0].weight.tolist()
    part = other.load_state_dict({"0.bias": torch.ones(3), "more": torch.ones(1)}, strict=False)
    assert part.missing_keys == ["0.weight", "2.0.weight", "2.0.bias", "3.weight"]
    assert part.unexpected_keys == ["more"]
    assert "missing_keys=['0.weight'" in repr(part)
    assert other[0].bias.tolist() == [1.0, 1.0, 1.0]


def test_everything_that_does_not_fit_is_said_at_once(torch: ModuleType) -> None:
    net = small(torch)
    state = net.state_dict()
    del state["0.weight"]
    state["0.bias"] = torch.zeros(5)
    state["2.0.q"] = torch.zeros(1)
    state["3.weight"] = 3
    state["zz"] = torch.zeros(1)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    assert str(caught.value) == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "0.weight". \n'
        '\tUnexpected key(s) in state_dict: "zz", "2.0.q". \n'
        "\tsize mismatch for 0.bias: copying a param with shape torch.Size([5]) from checkpoint, "
        "the shape in current model is torch.Size([3]).\n"
        '\tWhile copying the parameter named "3.weight", expected torch.Tensor or Tensor-like object '
        "from checkpoint but received <class 'int'>"
    )
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(state, strict=False)
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        net.load_state_dict(3)


def test_loading_by_assignment(torch: ModuleType) -> None:
    net = with_all(torch)
    net.w.requires_grad_(False)
    state = {name: torch.full_like(t, 2.0) for name, t in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert all(net.state_dict()[name].data_ptr() == t.data_ptr() for name, t in state.items())
    assert type(net.w) is torch.nn.Parameter
    assert [p.requires_grad for p in net.parameters()] == [False, True, True]
    parameters = {name: torch.nn.Parameter(t) for name, t in state.items()}
    net.load_state_dict(parameters, assign=True)
    assert net.w is parameters["w"]


def test_a_0d_value_may_come_with_one_dimension(torch: ModuleType) -> None:
    net = torch.nn.Module()
    net.register_buffer("count", torch.tensor(1.0))
    net.load_state_dict({"count": torch.tensor([7.0])})
    assert net.count.item() == 7.0


def test_extra_state(torch: ModuleType) -> None:
    class Counting(torch.nn.Module):  # type: ignore[name-defined, misc]
        count = 3

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    one, other = torch.nn.Sequential(Counting()), torch.nn.Sequential(Counting())
    one[0].count = 7
    state = one.state_dict()
    assert dict(state) == {"0._extra_state": {"count": 7}}
    other.load_state_dict(state)
    assert other[0].count == 7
    with pytest.raises(RuntimeError, match=r'Missing key.*"0\._extra_state"'):
        other.load_state_dict({})
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"0\._extra_state"'):
        torch.nn.Sequential(torch.nn.ReLU()).load_state_dict(state)
    for call in (lambda: torch.nn.ReLU().get_extra_state(), lambda: torch.nn.ReLU().set_extra_state(1)):
        with pytest.raises(RuntimeError):
            call()


def test_state_hooks(torch: ModuleType) -> None:
    seen: list[Any] = []
    net = torch.nn.Sequential(torch.nn.Linear(1, 1))
    net[0].register_state_dict_pre_hook(lambda module, prefix, keep_vars: seen.append((prefix, keep_vars)))
    net[0].register_state_dict_post_hook(
        lambda module, state, prefix, meta: state.update({prefix + "x": torch.ones(1)})
    )
    state = net.state_dict()
    assert (seen, list(state)) == ([("0.", False)], ["0.weight", "0.bias", "0.x"])
    net[0].register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: state.pop(prefix + "x"))
    net.register_load_state_dict_post_hook(lambda module, keys: seen.append(tuple(keys)))
    net.load_state_dict(state)
    assert seen[-1] == ([], [])
    net.register_load_state_dict_post_hook(lambda module, keys: 3)
    with pytest.raises(AssertionError, match="not expected to return new values"):
        net.load_state_dict(net.state_dict())
    net.register_state_dict_post_hook(lambda *args: 3)
    with pytest.raises(RuntimeError, match=r"state_dict post-hook must return None"):
        net.state_dict()


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
    seen: list[Any] = []
    net = with_all(torch)
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


# ---- Sequential, Network, ModuleList, ModuleDict --------------------------------------------------------------
def test_sequential_as_a_list(torch: ModuleType) -> None:
    nn = torch.nn
    net = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert net.append(nn.GELU()) is net
    assert list(net.state_dict()) == []
    assert names(net.named_children()) == ["a", "b", "2"]
    assert names(net[1:].named_children()) == ["b", "2"]
    assert net[-1] is net[2]
    assert len(net + net) == 6
    assert len(net * 2) == len(2 * net) == 6
    assert net.pop(0).__class__ is nn.ReLU
    assert names(net.named_children()) == ["0", "1"]
    net[0] = nn.Sigmoid()
    net.insert(1, nn.ReLU()).extend([nn.ELU()])
    net.insert(-1, nn.SELU())
    assert [type(m).__name__ for m in net] == ["Sigmoid", "ReLU", "GELU", "SELU", "ELU"]
    del net[1:3]
    net += nn.Sequential(nn.Tanh())
    net *= 2
    assert [type(m).__name__ for m in net] == ["Sigmoid", "SELU", "ELU", "Tanh"] * 2
    assert names(net.named_modules(remove_duplicate=False))[1:] == [str(i) for i in range(8)]


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda nn: nn.Sequential(nn.ReLU()) + 3, ValueError, "add operator supports only objects of Sequential class"),
        (lambda nn: nn.Sequential(nn.ReLU()) * 0, ValueError, "Non-positive multiplication factor 0"),
        (lambda nn: nn.Sequential(nn.ReLU()) * 1.5, TypeError, "unsupported operand type"),
        (lambda nn: nn.Sequential(nn.ReLU())[1], IndexError, "index 1 is out of range"),
        (lambda nn: nn.Sequential(3), TypeError, "int is not a Module subclass"),
        (lambda nn: nn.Sequential(nn.ReLU()).insert(5, nn.ReLU()), IndexError, "Index out of range: 5"),
        (lambda nn: nn.ModuleList([nn.ReLU()])[3], IndexError, "index 3 is out of range"),
        (lambda nn: nn.ModuleList(3), TypeError, "ModuleList.extend should be called with an iterable, but got int"),
        (lambda nn: nn.ModuleList([nn.ReLU()])(1), NotImplementedError, "missing the required"),
        (lambda nn: nn.ModuleDict({"a": 3}), TypeError, "int is not a Module subclass"),
        (lambda nn: nn.ModuleDict(3), TypeError, "iterable of key/value pairs, but got int"),
        (lambda nn: nn.ModuleDict([3]), TypeError, "sequence element #0 should be Iterable; isint"),
        (lambda nn: nn.ModuleDict([[1, 2, 3]]), ValueError, "sequence element #0 has length 3; 2 is required"),
        (lambda nn: nn.ModuleDict()["x"], KeyError, "x"),
        (lambda nn: nn.ParameterList([1])[4], IndexError, "index 4 is out of range"),
        (lambda nn: nn.ParameterList(3), TypeError, "ParameterList.extend should be called with an iterable"),
        (lambda nn: nn.ParameterList([1])(2), RuntimeError, "ParameterList should not be called."),
        (lambda nn: nn.ParameterDict({1: 2}), TypeError, "not a string"),
        (lambda nn: nn.ParameterDict()(1), RuntimeError, "ParameterDict should not be called."),
    ],
)  # fmt: skip
def test_containers_used_wrongly(torch: ModuleType, action: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        action(torch.nn)


def test_module_list(torch: ModuleType) -> None:
    nn = torch.nn
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)] + [nn.ReLU()])
    assert repr(layers) == (
        "ModuleList(\n  (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)\n  (3): ReLU()\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"
    layers.insert(1, nn.Tanh())
    layers += [nn.ReLU()]
    del layers[0]
    layers[-1] = nn.Sigmoid()
    assert [type(m).__name__ for m in layers] == ["Tanh", "Linear", "Linear", "ReLU", "Sigmoid"]
    assert list(layers.state_dict()) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert type(layers[1:3]) is nn.ModuleList
    assert len(layers + nn.ModuleList([nn.ReLU()])) == 6
    assert layers.pop(-2).__class__ is nn.ReLU


def test_module_dict(torch: ModuleType) -> None:
    nn = torch.nn
    choices = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 1)})
    choices["c"] = nn.Tanh()
    choices.update([["d", nn.GELU()]])
    choices.update(nn.ModuleDict({"a": nn.ELU()}))
    assert list(choices) == list(choices.keys()) == ["a", "b", "c", "d"]
    assert "a" in choices
    assert len(choices) == 4
    assert [type(m).__name__ for m in choices.values()] == ["ELU", "Linear", "Tanh", "GELU"]
    assert choices.pop("a").__class__ is nn.ELU
    del choices["d"]
    assert names(choices.items()) == ["b", "c"]
    assert repr(choices).startswith("ModuleDict(\n  (b): Linear(")
    choices.clear()
    assert len(choices) == 0


def test_network_is_a_sequential() -> None:
    nn = mini_torch.nn
    layers = [nn.Linear(2, 3), nn.ReLU()]
    for network in (Network(layers), Network(*layers), Network(nn.ModuleList(layers))):
        assert list(network) == layers
    network.add(nn.Linear(3, 1))
    assert network(mini_torch.ones(4, 2)).shape == (4, 1)
    assert repr(network).startswith("Network(\n  (0): Linear(")
    assert isinstance(network[1:], Network)
    assert list(Network(OrderedDict(first=nn.ReLU())).state_dict()) == []


# ---- ParameterList, ParameterDict ----------------------------------------------------------------------------
def test_parameter_list(torch: ModuleType) -> None:
    weights = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2)), torch.zeros(1, 2)])
    weights.append(3)
    weights += [torch.ones(1)]
    weights[0] = torch.zeros(3)
    assert names(weights.named_parameters()) == ["0", "1", "3"]
    assert (len(weights), len(weights[1:]), weights[2]) == (4, 3, 3)
    assert weights[-1] is list(weights)[3]
    assert repr(weights) == (
        "ParameterList(\n    (0): Parameter containing: [torch.float32 of size 3]\n"
        "    (1): Parameter containing: [torch.float32 of size 1x2]\n    (2): Object of type: int\n"
        "    (3): Parameter containing: [torch.float32 of size 1]\n)"
    )


def test_parameter_dict(torch: ModuleType) -> None:
    nn = torch.nn
    weights = nn.ParameterDict(OrderedDict(a=nn.Parameter(torch.ones(2)), b=torch.zeros(1, 2)))
    weights["c"] = 3
    assert names(weights.named_parameters()) == ["a", "b"]
    assert (len(weights), list(weights.keys()), list(reversed(weights))) == (
        3,
        ["a", "b", "c"],
        ["c", "b", "a"],
    )
    assert weights.get("zz", 5) == 5
    assert weights.setdefault("q", torch.ones(1)) is weights["q"]
    assert "q" in weights
    assert list(weights.copy()) == ["a", "b", "c", "q"]
    assert weights.popitem()[0] == "q"
    assert weights.pop("a").tolist() == [1.0, 1.0]
    assert repr(weights) == (
        "ParameterDict(\n    (b): Parameter containing: [torch.FloatTensor of size 1x2]\n"
        "    (c): Object of type: int\n)"
    )
    assert list(weights | nn.ParameterDict({"x": torch.ones(1)})) == ["b", "c", "x"]
    weights |= nn.ParameterDict({"y": torch.ones(1)})
    assert list(weights.values())[1] == 3
    assert list(weights.fromkeys(["k"], 1).items()) == [("k", 1)]
    weights.clear()
    assert len(weights) == 0
    with pytest.raises(KeyError):
        weights.popitem()


def test_a_plain_dictionary_of_parameters_is_sorted(torch: ModuleType) -> None:
    nn, one = torch.nn, torch.ones(1)
    assert list(nn.ParameterDict({"b": one, "a": one})) == ["a", "b"]
    ordered = nn.ParameterDict(OrderedDict(b=one, a=one))
    assert list(ordered) == list(ordered.copy()) == ["b", "a"]
    ordered.update({"z": one, "c": one})
    assert names(ordered.named_parameters()) == ["b", "a", "c", "z"]
    ordered.update([("y", one), ("x", one)])
    assert list(ordered) == ["b", "a", "c", "z", "y", "x"]
    assert list({"k": 3} | nn.ParameterDict([("j", one)])) == ["k", "j"]


# ---- parameters without a shape ------------------------------------------------------------------------------
def test_uninitialized_parameters(torch: ModuleType) -> None:
    lazy = torch.nn.UninitializedParameter(dtype=torch.float64)
    assert repr(lazy) == "<UninitializedParameter>"
    assert lazy.dtype == torch.float64
    assert torch.nn.parameter.is_lazy(lazy)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        lazy.shape  # noqa: B018
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        lazy + 1
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized parameter"):
        lazy.share_memory_()
    for other in (copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy))):
        assert torch.nn.parameter.is_lazy(other)
    lazy.materialize((2, 3))
    assert (type(lazy), lazy.shape, lazy.dtype) == (torch.nn.Parameter, (2, 3), torch.float64)
    buffer = torch.nn.UninitializedBuffer()
    buffer.materialize((2,), dtype=torch.float64)
    assert (type(buffer), buffer.shape, buffer.dtype) == (torch.Tensor, (2,), torch.float64)


def test_lazy_modules_must_be_complete() -> None:
    class Forgetful(LazyModuleMixin):
        def __init__(self) -> None:
            super().__init__()
            self.w = mini_torch.nn.UninitializedParameter()

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Forgetful"):
        Forgetful()(1)

    class Lax(Forgetful):
        def initialize_parameters(self, *args: Any, **kwargs: Any) -> None: ...

    with pytest.raises(RuntimeError, match="module Lax has not been fully initialized"):
        Lax()(1)


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


# ---- the old ways ---------------------------------------------------------------------------------------------
def test_state_dict_by_position(torch: ModuleType) -> None:
    net, given = torch.nn.Linear(1, 1), OrderedDict()
    with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
        assert net.state_dict(given) is given
    with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
        net.state_dict(given, "a.", True)
    assert list(given) == ["weight", "bias", "a.weight", "a.bias"]
    assert given["a.weight"] is net.weight


def test_hooks_of_state_that_begin_with_an_underscore(torch: ModuleType) -> None:
    layer, seen = torch.nn.Linear(1, 1), []
    layer._register_state_dict_hook(lambda module, state, prefix, metadata: {"other": len(state)})
    assert layer.state_dict() == {"other": 2}
    layer = torch.nn.Linear(1, 1)
    layer._register_load_state_dict_pre_hook(lambda *args: seen.append(len(args)))
    layer._register_load_state_dict_pre_hook(lambda *args: seen.append(len(args)), with_module=True)
    layer.load_state_dict(layer.state_dict())
    assert seen == [7, 8]


def test_a_value_that_cannot_be_copied(torch: ModuleType) -> None:
    layer = torch.nn.Linear(1, 1)
    whole = {"weight": torch.ones(1, 1, dtype=torch.int64), "bias": torch.ones(1)}
    with pytest.raises(RuntimeError, match='While copying the parameter named "weight"'):
        layer.load_state_dict(whole, assign=True)


def test_memory_without_values(torch: ModuleType) -> None:
    layer = torch.nn.Linear(2, 2)
    weight, before = layer.weight, layer.weight.data
    assert layer.to_empty(device="cpu") is layer
    assert layer.weight is weight
    assert layer.weight.data.data_ptr() != before.data_ptr()
    assert layer.share_memory() is layer
    torch.manual_seed(3)
    first = torch.rand(1).item()
    torch.manual_seed(3)
    skipped = torch.nn.utils.skip_init(torch.nn.Linear, 3, 4, bias=False, dtype=torch.float64)
    assert (skipped.weight.shape, skipped.weight.dtype) == ((4, 3), torch.float64)
    assert torch.rand(1).item() == first
    with pytest.raises(RuntimeError, match="Module must support a 'device' arg"):
        torch.nn.utils.skip_init(torch.nn.ReLU)
    with pytest.raises(RuntimeError, match="Expected a Module; got"):
        torch.nn.utils.skip_init(dict)


def test_pickled_by_an_older_version(torch: ModuleType) -> None:
    layer = torch.nn.Linear(1, 1)
    state = {key: value for key, value in vars(layer).items() if not key.startswith(("_forward", "_state"))}
    other = torch.nn.Linear.__new__(torch.nn.Linear)
    other.__setstate__(state)
    other._forward_hooks = OrderedDict()
    handle = other.register_forward_hook(lambda m, args, out: out + 1)
    assert other(torch.ones(1, 1)) == layer(torch.ones(1, 1)) + 1
    handle.remove()


def test_modules_may_be_given_more_than_once(torch: ModuleType) -> None:
    act = torch.nn.ReLU()
    net = torch.nn.Sequential(act, act)
    assert (len(list(net.modules())), len(list(net.modules(remove_duplicate=False)))) == (2, 3)


def test_a_number_of_another_program_is_not_used_twice() -> None:
    """Hooks that were unpickled keep their numbers, which a new hook may not take."""
    layer = mini_torch.nn.Linear(1, 1)
    handle = layer.register_forward_hook(lambda m, args, out: None)
    layer._forward_hooks[handle.id + 1] = lambda m, args, out: out + 1
    layer.register_forward_hook(lambda m, args, out: None)
    assert len(layer._forward_hooks) == 3


def test_prefixes_of_wrapped_modules(torch: ModuleType) -> None:
    net = torch.nn.Module()
    net.module = torch.nn.Linear(1, 1)
    state = net.state_dict()
    state["other"] = 3
    torch.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert set(state) == {"weight", "bias", "other"}
    assert list(state._metadata) == [""]


def test_types_have_old_names(torch: ModuleType) -> None:
    nn = torch.nn
    assert [torch.typename(x) for x in (torch.ones(1), nn.Parameter(torch.ones(1)), 3, int, len)] == [
        "torch.FloatTensor", "torch.FloatTensor", "int", "int", "len",
    ]  # fmt: skip
    assert torch.typename(nn.ReLU()).endswith(".ReLU")
    net = nn.Sequential(nn.Linear(1, 1)).type("torch.DoubleTensor")
    assert net[0].weight.dtype == torch.float64
    assert net.type(torch.float16)[0].weight.dtype == torch.float16


# ---- other parameters for one call ---------------------------------------------------------------------------
def test_tied_weights_are_replaced_together(torch: ModuleType) -> None:
    class Twice(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = (torch.nn.Linear(1, 1, bias=False) for _ in range(2))
            self.b.weight = self.a.weight

        def forward(self, x: Any) -> Any:
            return self.b(self.a(x))

    call = importlib.import_module(f"{torch.__name__}.func").functional_call
    net, one = Twice(), torch.ones(1, 1)
    assert call(net, {"a.weight": one * 3}, one).item() == 9
    own = net.a.weight.item()
    assert call(net, {"a.weight": one * 3}, one, tie_weights=False).item() == pytest.approx(3 * own)
    assert call(net, {"a.weight": one * 3, "b.weight": one * 2}, one, tie_weights=False).item() == 6
    with pytest.raises(ValueError, match=r"multiple values for keys \['a.weight', 'b.weight'\], which are tied"):
        call(net, {"a.weight": one * 3, "b.weight": one * 2}, one)
    with pytest.raises(ValueError, match=r"\['a.weight'\] appeared in multiple dictionaries"):
        call(net, ({"a.weight": one}, {"a.weight": one}), one)
    with pytest.raises(ValueError, match="Expected parameter_and_buffer_dicts to be a dict"):
        call(net, 3, one)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'c'.\n\tMissing key\(s\): 'a.weight', 'b.weight'."):
        call(net, {"c": one}, one, strict=True)
    assert net.a.weight.item() == own


def test_averages_that_old_checkpoints_have(torch: ModuleType) -> None:
    layer = torch.nn.InstanceNorm1d(2)
    old = OrderedDict(running_mean=torch.zeros(2), running_var=torch.zeros(2))
    with pytest.raises(RuntimeError, match='"running_mean" and "running_var" for InstanceNorm1d'):
        layer.load_state_dict(old)
    old._metadata = OrderedDict({"": {"version": 2}})  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="Unexpected key"):
        layer.load_state_dict(old)


# ---- the doors -----------------------------------------------------------------------------------------------
def test_modules_under_the_names_of_pytorchs_files(torch: ModuleType) -> None:
    nn = torch.nn
    assert nn.modules.linear.Linear is nn.modules.Linear is nn.Linear
    assert nn.modules.module.Module is nn.Module
    assert nn.modules.container.Sequential is nn.Sequential
    assert nn.modules.activation.ReLU is nn.ReLU
    assert nn.modules.dropout.Dropout is nn.Dropout
    assert nn.modules.flatten.Flatten is nn.Flatten
    assert nn.modules.loss.MSELoss is nn.MSELoss
    assert nn.modules.lazy.LazyModuleMixin is not None
    assert nn.parameter.Parameter is nn.Parameter


@pytest.mark.parametrize(
    ("base", "names"),
    [("batchnorm._BatchNorm", "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm LazyBatchNorm2d"),
     ("batchnorm._NormBase", "BatchNorm1d InstanceNorm2d"), ("instancenorm._InstanceNorm", "InstanceNorm1d"),
     ("conv._ConvNd", "Conv1d Conv2d Conv3d ConvTranspose1d LazyConv2d"),
     ("conv._ConvTransposeNd", "ConvTranspose2d ConvTranspose3d"),
     ("dropout._DropoutNd", "Dropout Dropout2d AlphaDropout FeatureAlphaDropout"),
     ("pooling._MaxPoolNd", "MaxPool1d MaxPool2d MaxPool3d"), ("pooling._AvgPoolNd", "AvgPool1d AvgPool3d"),
     ("pooling._AdaptiveAvgPoolNd", "AdaptiveAvgPool2d"), ("pooling._AdaptiveMaxPoolNd", "AdaptiveMaxPool1d"),
     ("pooling._LPPoolNd", "LPPool2d"), ("pooling._MaxUnpoolNd", "MaxUnpool3d"),
     ("padding._ConstantPadNd", "ConstantPad1d ZeroPad2d"), ("padding._ReflectionPadNd", "ReflectionPad2d"),
     ("padding._ReplicationPadNd", "ReplicationPad1d"), ("padding._CircularPadNd", "CircularPad3d"),
     ("loss._Loss", "MSELoss CrossEntropyLoss CTCLoss"), ("loss._WeightedLoss", "NLLLoss BCELoss MultiMarginLoss"),
     ("rnn.RNNBase", "LSTM GRU RNN"), ("rnn.RNNCellBase", "LSTMCell"), ("lazy.LazyModuleMixin", "LazyLinear")],
)  # fmt: skip
def test_what_layers_have_in_common(torch: ModuleType, base: str, names: str) -> None:
    """Programs ask `isinstance(m, _BatchNorm)`."""
    room, name = base.split(".")
    common = getattr(importlib.import_module(f"{torch.__name__}.nn.modules.{room}"), name)
    for each in names.split():
        assert issubclass(getattr(torch.nn, each), common), each


def test_sizes_for_every_dimension(torch: ModuleType) -> None:
    utils = importlib.import_module(f"{torch.__name__}.nn.modules.utils")
    assert (utils._single(3), utils._pair(3), utils._triple([1, 2, 3]), utils._quadruple(0)) == (
        (3,), (3, 3), (1, 2, 3), (0, 0, 0, 0),
    )  # fmt: skip
    assert utils._ntuple(2)((4,)) == (4,)
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)


def test_the_old_files_of_utils(torch: ModuleType) -> None:
    """`weight_norm` and `spectral_norm` are files, too, and stay functions whoever imports those."""
    utils = torch.nn.utils
    for name in ("weight_norm", "spectral_norm", "clip_grad", "convert_parameters", "fusion", "init", "memory_format",
                 "stateless", "prune", "rnn", "parametrize", "parametrizations"):  # fmt: skip
        importlib.import_module(f"{torch.__name__}.nn.utils.{name}")
    assert callable(utils.weight_norm)
    assert callable(utils.spectral_norm)
    importlib.import_module(f"{torch.__name__}.nn.common_types")


def test_names_for_annotations(torch: ModuleType) -> None:
    types = importlib.import_module(f"{torch.__name__}.types")
    assert (types._dtype, types._device, types._int) == (torch.dtype, torch.device, int)
    assert {"Number", "Device", "FileLike", "_size", "_bool", "_TensorOrTensors"} <= set(dir(types))
    hooks = importlib.import_module(f"{torch.__name__}.utils.hooks")
    handle = torch.nn.ReLU().register_forward_hook(lambda *_: None)
    assert isinstance(handle, hooks.RemovableHandle)


def test_clones_share_nothing(torch: ModuleType) -> None:
    layers = torch.nn.modules.transformer._get_clones(torch.nn.Linear(1, 1), 2)
    assert layers[0].weight is not layers[1].weight
    assert layers[0].weight == layers[1].weight


def test_each_class_has_one_home() -> None:
    """A reader finds `Conv2d` in `layer`, `ReLU` in `activation`, `CrossEntropyLoss` in `loss`, and nowhere else."""
    package = Path(mini_torch.__file__).parent
    homes: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(".".join(path.relative_to(package).with_suffix("").parts))
    public = [name for name in mini_torch.nn.__all__ if name[0].isupper()]
    twice = {name: homes[name] for name in public if len(homes.get(name, ())) > 1}
    assert twice == {"Identity": ["layer.shape", "network.pruning"]}  # the second is a way of pruning
    assert (homes["Conv2d"], homes["ReLU"], homes["CrossEntropyLoss"]) == (["layer.conv"], ["activation"], ["loss"])
    with pytest.raises(AttributeError, match="has no attribute 'ReLU'"):
        mini_torch.layer.ReLU  # noqa: B018
    for name in public:
        assert getattr(mini_torch.nn.modules, name, None) in (getattr(mini_torch.nn, name), None)
