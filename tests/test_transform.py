"""Functions of functions: gradients, Jacobians, batches. What they must equal is derived by hand or by backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.testing import assert_close

W = torch.tensor(np.random.default_rng(0).standard_normal((3, 4)))
X = torch.tensor(np.random.default_rng(1).standard_normal((5, 4)))
V = torch.tensor(np.random.default_rng(2).standard_normal(4))
func, functional = torch.func, torch.autograd.functional


def layer(w: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x @ w.T)


def diagonal(values: torch.Tensor) -> torch.Tensor:
    return torch.diag(values)


# ---- grad --------------------------------------------------------------------------------------------------
def test_grad_is_what_backward_gives() -> None:
    loss = lambda p, x: (layer(p["w"], x) ** 2).sum() * p["scale"][0]  # noqa: E731
    p = {"w": W, "scale": [torch.tensor(2.0, dtype=torch.float64)]}
    found, found_x = func.grad(loss, argnums=(0, 1))(p, X)
    leaves = [W.clone().requires_grad_(), p["scale"][0].clone().requires_grad_(), X.clone().requires_grad_()]
    loss({"w": leaves[0], "scale": [leaves[1]]}, leaves[2]).backward()
    for ours, leaf in zip((found["w"], found["scale"][0], found_x), leaves, strict=True):
        assert_close(ours, leaf.grad)
        assert not ours.requires_grad


def test_grad_nests_and_sees_through_to_plain_backward() -> None:
    assert_close(func.grad(func.grad(torch.sin))(V[0]), -torch.sin(V[0]))
    w = W.clone().requires_grad_()
    func.grad(lambda v: torch.sin(w @ v).sum())(V).sum().backward()
    expected = W.clone().requires_grad_()
    (torch.cos(expected @ V) @ expected).sum().backward()
    assert_close(w.grad, expected.grad)


def test_grad_with_aux_and_value() -> None:
    f = lambda v: ((v**2).sum(), {"seen": v * 1})  # noqa: E731
    g, aux = func.grad(f, has_aux=True)(V)
    assert_close(g, 2 * V)
    assert_close(aux["seen"], V)
    assert not aux["seen"].requires_grad
    g, value = func.grad_and_value(lambda v: (v**2).sum())(V)
    assert_close((g, value), (2 * V, (V**2).sum()))


def test_what_does_not_depend_has_zero_gradient() -> None:
    assert_close(func.grad(lambda v, w: (w * 3).sum())(V, W), torch.zeros_like(V))
    assert_close(func.grad(lambda v: torch.tensor(1.0))(V), torch.zeros_like(V))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: func.grad(torch.sin)(V), "scalar tensor, got tensor with 1 dims"),
        (lambda: func.grad(lambda v: 1.0)(V), "got type"),
        (lambda: func.grad(torch.sum, argnums=2)(V), "only 1 positional inputs"),
        (lambda: func.grad(torch.sum, has_aux=True)(V), "has_aux"),
        (lambda: func.jvp(torch.sin, (V,), (V, V)), "structure"),
        (lambda: func.jvp(torch.sin, (V,), (W,)), "shape"),
        (lambda: func.vmap(lambda v: torch.rand(2) + v[0])(W), "randomness"),
        (lambda: func.vmap(torch.sin, randomness="some"), "randomness"),
    ],
)
def test_refusals(call: Any, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        call()


# ---- products and Jacobians --------------------------------------------------------------------------------
def test_vjp_and_jvp_are_the_jacobian_from_both_sides() -> None:
    jacobian = func.jacrev(layer, argnums=1)(W, V)
    assert jacobian.shape == (3, 4)
    out, pull = func.vjp(lambda v: layer(W, v), V)
    assert_close(pull(out)[0], out @ jacobian)
    _, push = func.jvp(lambda v: layer(W, v), (V,), (V * 2,))
    assert_close(push, jacobian @ (V * 2))
    out, linear = func.linearize(lambda v: layer(W, v), V)
    assert_close(linear(V * 2), push)
    assert_close(func.jacfwd(layer, argnums=1)(W, V), jacobian)


def test_jacobians_nest_as_their_results_and_arguments_do() -> None:
    f = lambda p, x: {"out": layer(p["w"], x), "sum": x.sum()}  # noqa: E731
    for jacobian in (func.jacrev(f, (0, 1)), func.jacfwd(f, (0, 1))):
        blocks = jacobian({"w": W}, V)
        assert blocks["out"][0]["w"].shape == (3, 3, 4)
        assert_close(blocks["sum"][1], torch.ones_like(V))
        assert_close(blocks["sum"][0]["w"], torch.zeros_like(W))


def test_hessian() -> None:
    assert_close(func.hessian(lambda v: (v**3).sum())(V), diagonal(6 * V))
    assert_close(functional.hessian(lambda v: (v**3).sum(), V), diagonal(6 * V))
    blocks = functional.hessian(lambda v, u: (v * u).sum(), (V, V + 1))
    assert_close(blocks[0][1], torch.eye(4, dtype=torch.float64))


def test_complex_jacobian_of_a_holomorphic_function() -> None:
    z = torch.complex(V, V * 2) if hasattr(torch, "complex") else V.to(torch.complex128) * (1 + 2j)
    out, pull = func.vjp(torch.sin, z)
    assert_close(pull(torch.ones_like(out))[0], torch.cos(z).conj())


# ---- vmap --------------------------------------------------------------------------------------------------
def test_vmap_stacks_what_a_loop_gives() -> None:
    f = lambda a, b: {"p": a * b, "s": a.sum()}  # noqa: E731
    found = func.vmap(f, in_dims=(1, None), out_dims={"p": 1, "s": 0})(X, X[:, 0])
    assert_close(found["p"], X * X[:, :1])
    assert_close(found["s"], X.sum(0))
    per_sample = torch.vmap(func.grad(lambda w, x: layer(w, x).sum()), in_dims=(None, 0))(W, X)
    assert_close(per_sample.sum(0), func.grad(lambda w: layer(w, X).sum())(W))


def test_vmap_keeps_the_graph() -> None:
    x = X.clone().requires_grad_()
    torch.vmap(torch.sin)(x).sum().backward()
    assert_close(x.grad, torch.cos(X))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: torch.vmap(torch.add)(X, W), "same size"),
        (lambda: torch.vmap(torch.sin, in_dims=3)(X), "dimensionality 2"),
        (lambda: torch.vmap(torch.add, in_dims=(0,))(X, X), "structure"),
        (lambda: torch.vmap(lambda x: 1)(X), "only return Tensors"),
        (lambda: torch.vmap(torch.sin, in_dims=None)(X), "at least one input"),
    ],
)
def test_vmap_refuses(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_vmap_randomness() -> None:
    draw = lambda x: torch.rand(3)  # noqa: E731
    same = torch.vmap(draw, randomness="same")(X)
    assert (same == same[0]).all()
    assert torch.vmap(draw, randomness="different")(X).unique().numel() == 15


# ---- a module's parameters from outside --------------------------------------------------------------------
def test_functional_call_replaces_and_restores() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh())
    before = {name: p.clone() for name, p in net.named_parameters()}
    found = func.functional_call(net, {"0.weight": W.float(), "0.bias": torch.zeros(3)}, (X.float(),))
    assert_close(found, layer(W.float(), X.float()))
    assert all((p == before[name]).all() for name, p in net.named_parameters())
    grads = func.grad(lambda p: func.functional_call(net, p, X.float()).sum())(dict(net.named_parameters()))
    assert grads["0.weight"].shape == (3, 4)
    with pytest.raises(RuntimeError, match=r"0\.nothing"):
        func.functional_call(net, {"0.nothing": W}, (X,), strict=True)


def test_an_ensemble_as_one_stack() -> None:
    nets = [torch.nn.Linear(4, 2) for _ in range(3)]
    parameters, buffers = func.stack_module_state(nets)
    assert parameters["weight"].shape == (3, 2, 4)
    assert buffers == {}
    call = lambda p, x: func.functional_call(nets[0], p, (x,))  # noqa: E731
    found = torch.vmap(call, in_dims=(0, None))(parameters, X.float())
    assert_close(found, torch.stack([net(X.float()) for net in nets]))


# ---- at given inputs ---------------------------------------------------------------------------------------
def test_products_with_the_hessian() -> None:
    f = lambda v: (v**3).sum()  # noqa: E731
    for product in (functional.vhp, functional.hvp):
        value, found = product(f, V, V + 1)
        assert_close(value, (V**3).sum())
        assert_close(found, 6 * V * (V + 1))
    value, found = functional.vjp(lambda v: layer(W, v), V, torch.ones(3, dtype=torch.float64))
    assert_close(found, func.jacrev(lambda v: layer(W, v))(V).sum(0))
    _, found = functional.jvp(lambda v: layer(W, v), V, V, create_graph=True)
    assert not found.requires_grad or found.grad_fn is not None


def test_strict_refuses_what_does_not_depend() -> None:
    with pytest.raises(RuntimeError, match="independent"):
        functional.jacobian(lambda v: torch.ones(2), V, strict=True)
    with pytest.raises(RuntimeError, match="independent of the input"):
        functional.hessian(lambda v: (2 * v).sum(), V, strict=True)
    with pytest.raises(TypeError, match="must be a Tensor"):
        functional.jacobian(torch.sin, 1.0)
    with pytest.raises(RuntimeError, match="invalid size"):
        functional.vjp(torch.sin, V, W)
