"""Modules that hold modules or parameters. What PyTorch does too is tested on both."""

from __future__ import annotations

from collections import OrderedDict
from types import ModuleType
from typing import Any

import pytest

import mini_torch
from mini_torch.network import Network


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


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
