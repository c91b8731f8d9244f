"""Layers: sizes, first values, lazy sizes, dropout. What PyTorch does too is tested on both."""

from __future__ import annotations

import copy
import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.initializer import Constant, HeNormal
from mini_torch.layer import Dense
from mini_torch.network import Network, is_lazy


# ---- Linear ------------------------------------------------------------------------------------------------
def test_linear_starts_with_pytorchs_numbers(torch: ModuleType) -> None:
    torch.manual_seed(3)
    layer = torch.nn.Linear(2, 2)
    assert layer.weight.tolist() == [
        [-0.7010772228240967, -0.5578091740608215],
        [-0.3028644621372223, -0.6689868569374084],
    ]
    assert layer.bias.tolist() == [-0.04014335572719574, -0.6220895051956177]


def test_linear(torch: ModuleType) -> None:
    layer = torch.nn.Linear(3, 2, dtype=torch.float64)
    assert repr(layer) == "Linear(in_features=3, out_features=2, bias=True)"
    assert names(layer) == ["weight", "bias"]
    x = torch.arange(12, dtype=torch.float64).reshape(2, 2, 3)
    y = layer(x)
    assert y.shape == (2, 2, 2)
    expected = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(y.detach().numpy(), expected)
    assert layer(x[0, 0]).shape == (2,)
    assert torch.nn.Linear(3, 2, bias=False).bias is None
    assert torch.nn.Linear(3, 2, bias=False)(torch.ones(3)).shape == (2,)
    bound = 1 / math.sqrt(100)
    wide = torch.nn.Linear(100, 50)
    before = wide.weight.tolist()
    wide.reset_parameters()
    assert before != wide.weight.tolist()
    assert wide.weight.abs().max() <= bound
    assert wide.bias.abs().max() <= bound


def names(module: Any) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def test_linear_refuses_what_does_not_fit(torch: ModuleType) -> None:
    layer = torch.nn.Linear(3, 2)
    with pytest.raises(RuntimeError, match=r"mat1 and mat2 shapes cannot be multiplied \(4x5 and 3x2\)"):
        layer(torch.ones(4, 5))
    with pytest.raises(RuntimeError, match="same dtype"):
        layer(torch.ones(4, 3, dtype=torch.float64))


def test_linear_without_inputs(torch: ModuleType) -> None:
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        layer = torch.nn.Linear(0, 2)
    assert layer(torch.ones(3, 0)).tolist() == [[0.0, 0.0]] * 3


def test_linear_with_its_weight_taken_out(torch: ModuleType) -> None:
    """Weight normalisation and its kind put a computed tensor in the parameter's place."""
    layer = torch.nn.Linear(2, 1, bias=False)
    direction = torch.nn.Parameter(layer.weight.detach())
    del layer.weight
    layer.direction = direction
    layer.register_forward_pre_hook(lambda module, args: setattr(module, "weight", module.direction * 2))
    y = layer(torch.ones(1, 2))
    y.sum().backward()
    assert y.item() == pytest.approx(2 * direction.sum().item())
    assert direction.grad.tolist() == [[2.0, 2.0]]


def test_bilinear(torch: ModuleType) -> None:
    layer = torch.nn.Bilinear(2, 3, 4)
    a, b = torch.randn(5, 2), torch.randn(5, 3)
    expected = np.einsum("ni,oij,nj->no", a.numpy(), layer.weight.detach().numpy(), b.numpy())
    found = layer(a, b).detach().numpy()
    np.testing.assert_allclose(found, expected + layer.bias.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert repr(layer) == "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)"
    assert layer.weight.abs().max() <= 1 / math.sqrt(2)
    assert torch.nn.Bilinear(2, 3, 4, bias=False)(a, b).shape == (5, 4)
    with pytest.raises(ValueError, match="in1_features must be > 0"):
        torch.nn.Bilinear(0, 1, 1)


# ---- lazy sizes --------------------------------------------------------------------------------------------
def test_lazy_linear_becomes_linear(torch: ModuleType) -> None:
    torch.manual_seed(0)
    eager = torch.nn.Linear(5, 3)
    layer = torch.nn.LazyLinear(3)
    weight = layer.weight
    assert repr(layer) == "LazyLinear(in_features=0, out_features=3, bias=True)"
    layer.reset_parameters()  # has nothing to draw yet
    torch.manual_seed(0)
    layer(torch.ones(2, 5))
    assert type(layer) is torch.nn.Linear
    assert repr(layer) == "Linear(in_features=5, out_features=3, bias=True)"
    assert layer.weight is weight
    assert weight.tolist() == eager.weight.tolist()
    assert layer.bias.tolist() == eager.bias.tolist()
    assert torch.nn.LazyLinear(3, bias=False)(torch.ones(2, 5)).shape == (2, 3)


def test_lazy_linear_takes_a_state(torch: ModuleType) -> None:
    source, layer = torch.nn.Linear(3, 2), torch.nn.LazyLinear(2)
    layer.load_state_dict(source.state_dict())
    assert layer.weight.shape == (2, 3)
    assert layer(torch.ones(1, 3)).tolist() == source(torch.ones(1, 3)).tolist()
    assert repr(layer) == repr(source)
    empty = torch.nn.LazyLinear(2).state_dict()
    torch.nn.LazyLinear(2).load_state_dict(empty)
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        source.load_state_dict(empty)


def test_lazy_linear_in_another_type(torch: ModuleType) -> None:
    layer = copy.deepcopy(torch.nn.LazyLinear(2)).double()
    assert layer(torch.ones(1, 3, dtype=torch.float64)).dtype == torch.float64


def test_dense_is_linear_with_the_size_inferred() -> None:
    mini_torch.manual_seed(0)
    eager = mini_torch.nn.Sequential(
        mini_torch.nn.Linear(2, 4), mini_torch.nn.ReLU(), mini_torch.nn.Linear(4, 1)
    )
    mini_torch.manual_seed(0)
    network = Network(Dense(4), mini_torch.nn.ReLU(), Dense(1))
    parameters = list(network.parameters())
    assert all(is_lazy(p) for p in parameters)
    assert repr(network[0]) == "Dense(in_features=None, out_features=4, bias=True)"
    x = mini_torch.ones(3, 2)
    assert network(x).tolist() == eager(x).tolist()
    assert list(network.parameters()) == parameters
    assert [p.tolist() for p in parameters] == [p.tolist() for p in eager.parameters()]
    assert repr(network[2]) == "Dense(in_features=4, out_features=1, bias=True)"
    network(x).sum().backward()
    assert all(p.grad is not None for p in parameters)


def test_dense_takes_initializers() -> None:
    layer = Dense(2, weight_initializer=Constant(2.0), bias_initializer=lambda tensor: tensor.fill_(-1.0))
    assert layer(mini_torch.ones(1, 3)).tolist() == [[5.0, 5.0]]
    mini_torch.manual_seed(0)
    drawn = Dense(2, bias=False, weight_initializer="he_normal")
    drawn(mini_torch.ones(1, 3))
    mini_torch.manual_seed(0)
    assert drawn.weight.tolist() == HeNormal()(mini_torch.empty(2, 3)).tolist()
    half = Dense(2, weight_initializer="zeros")
    half(mini_torch.ones(1, 4))
    assert half.weight.tolist() == [[0.0] * 4] * 2
    assert 0 < half.bias.abs().max() <= 0.5


def test_dense_takes_a_state_before_its_first_call() -> None:
    layer, source = Dense(2), mini_torch.nn.Linear(3, 2)
    layer.load_state_dict(source.state_dict())
    assert layer(mini_torch.ones(1, 3)).tolist() == source(mini_torch.ones(1, 3)).tolist()
    assert layer.in_features == 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"out_features": -1}, ValueError, "out_features must be a number of outputs, got -1"),
        ({"out_features": 2.5}, ValueError, "got 2.5"),
        (
            {"out_features": 2, "weight_initializer": "foo"},
            ValueError,
            "unknown initializer 'foo', expected one of zeros",
        ),
        (
            {"out_features": 2, "bias_initializer": 3},
            TypeError,
            "an initializer is a name or a callable, got int",
        ),
    ],
)
def test_dense_refuses(arguments: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Dense(**arguments)


def test_dense_of_another_size_later() -> None:
    layer = Dense(2)
    layer(mini_torch.ones(1, 3))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        layer(mini_torch.ones(1, 4))


# ---- shapes ------------------------------------------------------------------------------------------------
def test_shape_layers(torch: ModuleType) -> None:
    nn = torch.nn
    x = torch.zeros(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (3, 1))(x).shape == (2, 3, 1, 4)
    assert nn.Unflatten(-1, torch.Size([2, -1]))(x).shape == (2, 3, 2, 2)
    assert nn.Identity(1, 2, whatever=3)(x) is x
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, (3, 1))) == "Unflatten(dim=1, unflattened_size=(3, 1))"
    for wrong in ((1, 3), (1, (1.5,))):
        with pytest.raises(TypeError):
            nn.Unflatten(*wrong)


# ---- dropout -----------------------------------------------------------------------------------------------
DROPOUTS = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]
SHAPES = {"Dropout1d": (8, 16, 5), "Dropout2d": (8, 16, 5, 2), "Dropout3d": (8, 16, 2, 5, 2)}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_acts_in_training_only(torch: ModuleType, name: str) -> None:
    layer = getattr(torch.nn, name)(0.25)
    assert repr(layer) == f"{name}(p=0.25, inplace=False)"
    x = torch.ones(*SHAPES.get(name, (8, 16)), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert 0 < (y != y.max()).sum() < y.numel()
    assert not (x.grad == x.grad.max()).all()
    assert layer.eval()(x).tolist() == x.tolist()
    with pytest.raises(ValueError, match=r"dropout probability has to be between 0 and 1, but got 1\.5"):
        getattr(torch.nn, name)(1.5)


def test_dropout_scales(torch: ModuleType) -> None:
    y = torch.nn.functional.dropout(torch.ones(10000), 0.25)
    assert sorted(set(y.tolist())) == [0.0, pytest.approx(4 / 3)]
    assert y.mean().item() == pytest.approx(1, abs=0.05)
    channels = torch.nn.functional.dropout2d(torch.ones(4, 50, 3, 3), 0.5)
    assert set(channels.sum((2, 3)).flatten().tolist()) == {0.0, 18.0}
    single = torch.nn.functional.dropout1d(torch.ones(50, 4), 0.5)  # no batch
    assert set(single.sum(1).tolist()) == {0.0, 8.0}


def test_dropout_at_the_ends(torch: ModuleType) -> None:
    F = torch.nn.functional
    x = torch.ones(3, requires_grad=True)
    assert F.dropout(x, 0.0).tolist() == [1.0] * 3
    assert F.dropout(x, 1.0).tolist() == [0.0] * 3
    assert F.alpha_dropout(x, 1.0, training=True).tolist() == [0.0] * 3
    assert F.alpha_dropout(x, 0.0, training=True).tolist() == [1.0] * 3
    assert F.dropout(torch.ones(0)).shape == (0,)
    with pytest.raises(ValueError, match=r"between 0 and 1"):
        F.dropout(x, -0.1)
    with pytest.raises(RuntimeError, match="Expected 2D or 3D input"):
        F.dropout1d(x)


def test_dropout_in_place(torch: ModuleType) -> None:
    x = torch.ones(1000, requires_grad=True)
    y = x * 1
    assert torch.nn.Dropout(0.5, inplace=True)(y) is y
    y.sum().backward()
    assert set(x.grad.tolist()) == {0.0, 2.0}
    z = torch.ones(1000)
    assert torch.nn.functional.alpha_dropout(z, 0.5, training=True, inplace=True) is z
    assert len(set(z.tolist())) == 2


def test_alpha_dropout_keeps_mean_and_variance(torch: ModuleType) -> None:
    y = torch.nn.functional.alpha_dropout(torch.randn(100000), 0.3, training=True)
    assert y.mean().item() == pytest.approx(0, abs=0.02)
    assert y.std().item() == pytest.approx(1, abs=0.02)
