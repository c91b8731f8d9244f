"""Modules: their registries, copies and state. What PyTorch does too is tested on both."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections import OrderedDict
from types import ModuleType
from typing import Any

import pytest

import mini_torch
from mini_torch.network import LazyModuleMixin


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
        (lambda t, m: m.to(t.float64, t.float32), TypeError, "to()"),
        (lambda t, m: m.to(copy=True), RuntimeError, r"\.to\(\) does not accept copy argument"),
        (lambda t, m: m.to(foo=1), TypeError, "foo"),
        (lambda t, m: m.type(t.int32), RuntimeError, "data set to a tensor that requires gradients must be floating"),
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
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
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
    with pytest.raises(TypeError):
        torch.nn.utils.skip_init(torch.nn.Linear, 3, "four")
    assert torch.nn.Linear(3, 4).weight.abs().sum() > 0  # drawn again after it, and after its errors
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
