"""Parameters that are functions of others: what is kept, what is read, norms of weights, the older hooks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.nn.utils import parametrizations, parametrize

nn = torch.nn


class Symmetric(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.triu() + x.triu(1).mT


class Exponential(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.exp()

    def right_inverse(self, y: Any) -> Any:
        return y.log()


class Trace(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.trace()


def test_a_parameter_is_computed_when_it_is_read() -> None:
    layer = nn.Linear(3, 3)
    start = layer.weight.detach().clone()
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.weight.equal(Symmetric()(start))
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer(torch.ones(1, 3)).sum().backward()
    gradient = layer.parametrizations.weight.original.grad
    assert gradient.tolist() == [[1, 2, 2], [0, 1, 2], [0, 0, 1]]
    other = copy.deepcopy(layer)
    assert other.weight.equal(layer.weight)
    with torch.no_grad():
        other.parametrizations.weight.original.zero_()
    assert other.weight.count_nonzero() == 0 != layer.weight.count_nonzero()
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)


def test_assignment_goes_through_the_inverse() -> None:
    layer = nn.Linear(2, 2, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.abs_()
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Exponential())
    np.testing.assert_allclose(layer.weight.detach().numpy(), before.numpy(), rtol=1e-14)
    layer.weight = torch.full((2, 2), 3.0, dtype=torch.float64)
    np.testing.assert_allclose(layer.parametrizations.weight.original.detach().numpy(), np.log(3), rtol=1e-14)
    parametrize.register_parametrization(layer, "weight", Symmetric())  # a second one, which has no inverse
    with pytest.raises(RuntimeError, match="does not implement right_inverse"):
        layer.weight = before


@pytest.mark.parametrize("leave", [True, False])
def test_removal(leave: bool) -> None:
    layer = nn.Linear(3, 3)
    start, weight = layer.weight.detach().clone(), layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    now = layer.weight.detach().clone()
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert type(layer) is nn.Linear
    assert layer.weight is weight  # so an optimizer's parameter stays the layer's
    assert layer.weight.equal(now if leave else start)
    assert not parametrize.is_parametrized(layer)
    with pytest.raises(ValueError, match="does not have a parametrization"):
        parametrize.remove_parametrizations(layer, "weight")


def test_cached() -> None:
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    with parametrize.cached():
        assert layer.weight is layer.weight
    assert layer.weight is not layer.weight


def test_transfer() -> None:
    one = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    other = nn.Linear(2, 2)
    parametrize.transfer_parametrizations_and_params(one, other)
    assert other.weight.equal(one.weight)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="with name 'height'"):
        parametrize.register_parametrization(nn.Linear(2, 2), "height", Symmetric())
    with pytest.raises(ValueError, match=r"\[\] for torch.float32 \[2, 2\]"):
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", Trace())
    with pytest.raises(ValueError, match="n_power_iterations=0"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)


@pytest.mark.parametrize(("parts", "found"), [(3, "Got int"), ([3], "Got element 0 of the sequence with type int")])
def test_an_inverse_must_give_tensors(parts: Any, found: str) -> None:
    class Wrong(nn.Module):
        def forward(self, x: Any) -> Any:
            return x

        def right_inverse(self, x: Any) -> Any:
            return parts

    with pytest.raises(ValueError, match=found):
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", Wrong())


def test_a_second_parametrization_must_fit_the_first() -> None:
    class Cast(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.double()

    class Shorter(Exponential):
        def right_inverse(self, x: Any) -> Any:
            return x[0]

    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    with pytest.raises(ValueError, match=r"A parametrization may not change the dtype.* got torch.float64 \[3, 3\]"):
        parametrize.register_parametrization(layer, "weight", Cast())
    with pytest.raises(ValueError, match=r"right_inverse may not change .* got torch.float32 \[3\]"):
        parametrize.register_parametrization(layer, "weight", Shorter())
    parametrize.register_parametrization(layer, "weight", Exponential())
    assert len(layer.parametrizations.weight) == 2
    assert torch.allclose(layer.weight, layer.weight.T)
    with pytest.raises(ValueError, match="ParametrizationList requires one or more modules"):
        parametrize.ParametrizationList([], torch.ones(1))


def test_a_buffer_as_a_function() -> None:
    layer = nn.BatchNorm1d(2)
    parametrize.register_parametrization(layer, "running_var", Exponential())
    assert "parametrizations.running_var.original" in layer.state_dict()
    parametrize.remove_parametrizations(layer, "running_var")
    assert layer.running_var.tolist() == pytest.approx([1, 1])
    assert "running_var" in layer.state_dict()


# ---- norms -----------------------------------------------------------------------------------------------------------
def test_weight_norm() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 2)
    weight = layer.weight.detach().clone()
    parametrizations.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach().numpy(), weight.numpy(), rtol=1e-6)
    g, v = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    assert (g.shape, v.shape) == ((4, 1, 1, 1), (4, 3, 2, 2))
    with torch.no_grad():
        g.fill_(2.0)
    np.testing.assert_allclose(layer.weight.flatten(1).norm(dim=1).tolist(), 2, rtol=1e-6)
    with pytest.warns(FutureWarning, match="parametrizations.weight_norm"):
        old = nn.utils.weight_norm(nn.Conv2d(3, 4, 2))
    assert list(old.state_dict()) == ["bias", "weight_g", "weight_v"]
    layer.load_state_dict(old.state_dict())
    x = torch.randn(1, 3, 4, 4)
    np.testing.assert_allclose(layer(x).detach().numpy(), old(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    nn.utils.remove_weight_norm(old)
    assert list(old.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not found"):
        nn.utils.remove_weight_norm(old)


@pytest.mark.parametrize("bound", [parametrizations.spectral_norm, nn.utils.spectral_norm])
@pytest.mark.parametrize(("kind", "axis"), [(nn.Linear, 0), (nn.ConvTranspose1d, 1)])
def test_spectral_norm(bound: Any, kind: Any, axis: int) -> None:
    torch.manual_seed(0)
    layer = bound(kind(3, 4, *[2] * axis))
    x = torch.randn(3, 3)
    for _ in range(60):
        layer(x)
    matrix = np.moveaxis(layer.weight.detach().numpy(), axis, 0)
    np.testing.assert_allclose(np.linalg.svd(matrix.reshape(len(matrix), -1))[1][0], 1, rtol=1e-4)
    layer.eval()
    assert layer(x).equal(layer(x))  # no more iterations
    layer.train()(x).sum().backward()
    layer(x)
    if bound is nn.utils.spectral_norm:
        assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
        assert layer.state_dict()._metadata[""] == {"version": 1, "spectral_norm": {"weight.version": 1}}
        with torch.no_grad():
            layer(x)  # now the computed weight is no part of a graph
        assert pickle.loads(pickle.dumps(copy.deepcopy(layer))).weight_u.equal(layer.weight_u)
        nn.utils.remove_spectral_norm(layer)
        assert list(layer.state_dict()) == ["bias", "weight"]
        assert layer.state_dict()._metadata[""] == {"version": 1}
    else:
        names = [f"parametrizations.weight.{part}" for part in ("original", "0._u", "0._v")]
        assert list(layer.state_dict()) == ["bias", *names]


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5)])
@pytest.mark.parametrize("kept", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(shape: tuple[int, int], kept: str, trivial: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(shape[1], shape[0], dtype=torch.float64)
    parametrizations.orthogonal(layer, orthogonal_map=kept, use_trivialization=trivial)

    def is_orthogonal() -> bool:
        w = layer.weight.detach().numpy()
        w = w.T if shape[0] < shape[1] else w
        return np.allclose(w.T @ w, np.eye(min(shape)), atol=1e-12)

    assert is_orthogonal()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    x = torch.randn(4, shape[1], dtype=torch.float64)
    before = layer.weight.detach().clone()
    for _ in range(3):
        optimizer.zero_grad()
        layer(x).pow(3).sum().backward()
        optimizer.step()
    assert is_orthogonal()
    assert not before.allclose(layer.weight)
    wanted = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))[0][: shape[0], : shape[1]]
    wanted = wanted.contiguous() if shape != (3, 3) else torch.eye(3, dtype=torch.float64).flip(0)
    if trivial or kept == "householder":
        layer.weight = wanted
        np.testing.assert_allclose(layer.weight.detach().numpy(), wanted.numpy(), atol=1e-12)
    else:
        with pytest.raises(NotImplementedError, match="use_trivialization=False"):
            layer.weight = wanted
