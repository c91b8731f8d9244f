"""Initializers: PyTorch's functions with PyTorch's numbers, and the objects made of them."""

from __future__ import annotations

import math
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import initializer as init

# The first three numbers under seed 5, shape (5, 7), and what the generator gives next.
FIRST: dict[str, tuple[dict[str, Any], list[float], float]] = {
    "uniform_": ({}, [0.8302518725395203, 0.12611091136932373, 0.9074696898460388], 0.7431865334510803),
    "uniform_ -0.3 1.7": (
        {"a": -0.3, "b": 1.7},
        [1.3605036735534668, -0.047778189182281494, 1.514939308166504],
        0.7431865334510803,
    ),
    "normal_": ({}, [1.8423298597335815, 0.5188871622085571, -1.7119213342666626], 0.4572209119796753),
    "normal_ 2 0.1": (
        {"mean": 2.0, "std": 0.1},
        [2.1842329502105713, 2.0518887042999268, 1.8288078308105469],
        0.4572209119796753,
    ),
    "trunc_normal_": ({}, [1.8423298597335815, 0.5188871622085571, -1.7119213342666626], 0.142356276512146),
    "trunc_normal_ far out": (
        {"a": 2.0, "b": 3.0},
        [2.092557668685913, 2.249523162841797, 2.9074697494506836],
        0.2418404221534729,
    ),
    "xavier_uniform_": (
        {},
        [0.46704667806625366, -0.5287590026855469, 0.5762491226196289],
        0.7431865334510803,
    ),
    "xavier_normal_ 2.5": (
        {"gain": 2.5},
        [1.8803199529647827, 0.5295869708061218, -1.7472223043441772],
        0.4572209119796753,
    ),
    "kaiming_uniform_": (
        {},
        [0.6115076541900635, -0.6923080682754517, 0.7544872760772705],
        0.7431865334510803,
    ),
    "kaiming_uniform_ sqrt5": (
        {"a": 2.23606797749979},
        [0.24964694678783417, -0.28263357281684875, 0.30801811814308167],
        0.7431865334510803,
    ),
    "kaiming_normal_ relu": (
        {"mode": "fan_out", "nonlinearity": "relu"},
        [1.165191650390625, 0.32817304134368896, -1.0827140808105469],
        0.4572209119796753,
    ),
    "sparse_": (
        {"sparsity": 0.3},
        [0.018423298373818398, 0.005188871640712023, -0.017119212076067924],
        0.46817559003829956,
    ),
    "constant_": ({"val": 3.0}, [3.0, 3.0, 3.0], 0.8302518725395203),
}


@pytest.mark.parametrize("name", FIRST)
def test_functions_draw_pytorchs_numbers(torch: ModuleType, name: str) -> None:
    options, first, following = FIRST[name]
    torch.manual_seed(5)
    tensor = torch.empty(5, 7)
    assert getattr(torch.nn.init, name.split()[0])(tensor, **options) is tensor
    assert tensor.flatten()[:3].tolist() == first
    assert torch.rand(1).item() == following


@pytest.mark.parametrize(
    ("initial", "std"),
    [
        (init.XavierUniform(), math.sqrt(2 / 1200)),
        (init.XavierNormal(gain=2.0), 2 * math.sqrt(2 / 1200)),
        (init.HeUniform(), math.sqrt(2 / 400)),
        (init.HeNormal(), math.sqrt(2 / 400)),
        (init.HeNormal(mode="fan_out"), math.sqrt(2 / 800)),
        (init.HeNormal(gain=1.0), math.sqrt(1 / 400)),
        (init.HeUniform(gain=1.0), math.sqrt(1 / 400)),
        (init.Normal(0.0, 0.3), 0.3),
        (init.Uniform(-0.6, 0.6), 0.6 / math.sqrt(3)),
        (init.TruncatedNormal(std=0.5, a=-10.0, b=10.0), 0.5),
        (init.Orthogonal(gain=2.0), 2 / math.sqrt(800)),
    ],
    ids=repr,
)
def test_objects_have_the_scale_they_say(initial: init.Initializer, std: float) -> None:
    tensor = initial(mini_torch.empty(800, 400))
    assert tensor.mean().item() == pytest.approx(0, abs=0.005)
    assert tensor.std().item() == pytest.approx(std, rel=0.02)


def test_objects() -> None:
    assert init.Zeros()(mini_torch.ones(2)).tolist() == [0.0, 0.0]
    assert init.Ones()(mini_torch.zeros(2)).tolist() == [1.0, 1.0]
    assert init.Constant(3)(mini_torch.zeros(2)).tolist() == [3.0, 3.0]
    assert repr(init.HeNormal(gain=1.0)) == "HeNormal(gain=1.0, mode='fan_in')"
    assert pickle.loads(pickle.dumps(init.XavierNormal(2.0))) == init.XavierNormal(2.0)
    assert init.initializer("kaiming_uniform") == init.HeUniform()
    assert init.initializer(init.Zeros()) == init.Zeros()
    with pytest.raises(NotImplementedError):
        init.Initializer()(mini_torch.zeros(1))


def test_objects_are_the_functions() -> None:
    pairs = [
        (init.HeUniform(), lambda t: init.kaiming_uniform_(t, nonlinearity="relu")),
        (
            init.HeNormal(mode="fan_out"),
            lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
        ),
        (init.XavierUniform(2.0), lambda t: init.xavier_uniform_(t, 2.0)),
    ]
    for one, other in pairs:
        mini_torch.manual_seed(1)
        expected = other(mini_torch.empty(4, 6)).tolist()
        mini_torch.manual_seed(1)
        assert one(mini_torch.empty(4, 6)).tolist() == expected


def test_parameters_are_filled_outside_the_graph(torch: ModuleType) -> None:
    layer = torch.nn.Linear(3, 2)
    version = layer.weight._version
    torch.nn.init.constant_(layer.weight, 0.5)
    torch.nn.init.zeros_(layer.bias)
    assert layer.weight.requires_grad
    assert layer.weight.is_leaf
    assert layer.weight._version > version
    assert layer(torch.ones(1, 3)).tolist() == [[1.5, 1.5]]


def test_gains(torch: ModuleType) -> None:
    gain = torch.nn.init.calculate_gain
    assert (gain("linear"), gain("conv2d"), gain("sigmoid")) == (1, 1, 1)
    assert (gain("tanh"), gain("relu"), gain("selu")) == (5 / 3, math.sqrt(2), 0.75)
    assert gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert gain("leaky_relu", 0.2) == math.sqrt(2 / (1 + 0.2**2))


def test_orthogonal(torch: ModuleType) -> None:
    for shape in ((6, 4), (4, 6), (4, 3, 2)):
        q = (
            torch.nn.init.orthogonal_(torch.empty(*shape, dtype=torch.float64), gain=2.0)
            .numpy()
            .reshape(shape[0], -1)
        )
        product = q.T @ q if q.shape[0] > q.shape[1] else q @ q.T
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)
    assert torch.nn.init.orthogonal_(torch.empty(0, 3)).shape == (0, 3)


def test_structured(torch: ModuleType) -> None:
    init = torch.nn.init
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    x = torch.arange(12.0).reshape(1, 2, 6)
    weight = init.dirac_(torch.empty(2, 2, 3))
    assert weight[:, :, 1].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert weight.sum() == x.shape[1]
    grouped = init.dirac_(torch.empty(4, 2, 3, 3), groups=2)
    assert grouped[:, :, 1, 1].tolist() == [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    sparse = init.sparse_(torch.empty(10, 4), sparsity=0.25)
    assert (sparse == 0).sum(0).tolist() == [3, 3, 3, 3]


def test_truncated_stays_inside(torch: ModuleType) -> None:
    for options in (
        {"a": -0.5, "b": 0.5},
        {"a": 2.0, "b": 3.0},
        {"mean": 1.0, "std": 0.5, "a": 0.8, "b": 3.0},
    ):
        values = torch.nn.init.trunc_normal_(torch.empty(1000), **options)
        assert options["a"] <= values.min()
        assert values.max() <= options["b"]
    with pytest.warns(UserWarning, match="mean is more than 2 std"):
        torch.nn.init.trunc_normal_(torch.empty(3), mean=5.0, a=-1.0, b=1.0)


def test_a_generator_of_ones_own(torch: ModuleType) -> None:
    generator = torch.Generator()
    generator.manual_seed(3)
    state = torch.get_rng_state()
    first = torch.nn.init.normal_(torch.empty(3), generator=generator).tolist()
    assert torch.nn.init.xavier_uniform_(torch.empty(2, 2), generator=generator).shape == (2, 2)
    generator.manual_seed(3)
    assert torch.nn.init.normal_(torch.empty(3), generator=generator).tolist() == first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda i, t: i.xavier_uniform_(t.empty(3)), ValueError, "fewer than 2 dimensions"),
        (lambda i, t: i.kaiming_normal_(t.empty(3, 3), mode="foo"), ValueError, "Mode foo not supported"),
        (lambda i, t: i.kaiming_normal_(t.empty(3, 3), nonlinearity="foo"), ValueError, "Unsupported nonlinearity foo"),
        (lambda i, t: i.uniform_(t.empty(3), 2.0, 1.0), RuntimeError, "from=2.* > to=1"),
        (lambda i, t: i.normal_(t.empty(3), std=-1.0), RuntimeError, "std >= 0.0, but found std -1"),
        (lambda i, t: i.orthogonal_(t.empty(3)), ValueError, "2 or more dimensions"),
        (lambda i, t: i.eye_(t.empty(3)), ValueError, "2 dimensions"),
        (lambda i, t: i.sparse_(t.empty(3), 0.1), ValueError, "2 dimensions"),
        (lambda i, t: i.dirac_(t.empty(3, 3)), ValueError, "3, 4, or 5 dimensions"),
        (lambda i, t: i.dirac_(t.empty(3, 3, 3), groups=2), ValueError, "divisible by groups"),
        (lambda i, t: i.calculate_gain("foo"), ValueError, "Unsupported nonlinearity foo"),
        (lambda i, t: i.calculate_gain("leaky_relu", "x"), ValueError, "negative_slope x not a valid number"),
    ],
)  # fmt: skip
def test_wrong_use_says_so(torch: ModuleType, action: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        action(torch.nn.init, torch)


def test_names_without_the_underscore_warn(torch: ModuleType) -> None:
    weight = torch.empty(3, 2)
    with pytest.warns(FutureWarning, match=r"`nn.init.constant` is now deprecated in favor of `nn.init.constant_`"):
        assert torch.nn.init.constant(weight, 2.0) is weight
    assert weight.sum() == 12
    assert torch.nn.init._calculate_fan_in_and_fan_out(torch.ones(2, 3, 4)) == (12, 8)
    assert torch.nn.init._calculate_correct_fan(torch.ones(2, 3), "fan_out") == 2
