"""Gradients through complex numbers, in PyTorch's convention: the direction of steepest ascent, ∂L/∂a + i ∂L/∂b."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.op import row, rows, several

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((3, 3)) + 1j * RNG.standard_normal((3, 3)) + 2
R = RNG.standard_normal((3, 3)) + 2


def steepest_ascent(loss: Callable[[torch.Tensor], torch.Tensor], z: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """∂L/∂a + i ∂L/∂b by central differences."""
    found = np.zeros(z.shape, np.complex128)
    for at in np.ndindex(z.shape):
        for unit in (1, 1j):
            sides = []
            for step in (eps, -eps):
                moved = z.astype(np.complex128)
                moved[at] += unit * step
                sides.append(loss(torch.tensor(moved)).item())
            found[at] += unit * (sides[0] - sides[1]) / (2 * eps)
    return found


def energy(x: torch.Tensor) -> torch.Tensor:
    """A real loss of a complex tensor, with a gradient of its own at every element."""
    weights = torch.tensor(np.arange(1.0, x.numel() + 1).reshape(x.shape))
    return (weights * torch.abs(x) ** 2).sum()


HOLOMORPHIC = {
    "exp": torch.exp, "sin": torch.sin, "tanh": torch.tanh, "square": torch.square, "reciprocal": torch.reciprocal,
    "power": lambda z: z**3, "product": lambda z: z * z.T, "quotient": lambda z: z / (z.T + 4),
    "matmul": lambda z: z @ z, "sum": lambda z: z.sum(0), "index": lambda z: z[[0, 0, 2]],
    "transposed": lambda z: z.T.reshape(-1),
    "with a number": lambda z: (2 + 1j) * z - 3j, "sqrt": torch.sqrt, "log": torch.log, "cumsum": lambda z: z.cumsum(0),
}  # fmt: skip
OTHER = {"conj": torch.conj, "abs": torch.abs, "conj product": lambda z: z.conj() * z * z}


@pytest.mark.parametrize("name", [*HOLOMORPHIC, *OTHER])
def test_gradient_is_the_steepest_ascent(name: str) -> None:
    f = {**HOLOMORPHIC, **OTHER}[name]
    z = torch.tensor(Z, requires_grad=True)
    energy(f(z)).backward()
    np.testing.assert_allclose(z.grad.numpy(), steepest_ascent(lambda x: energy(f(x)), Z), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_second_order(name: str) -> None:
    f = HOLOMORPHIC[name]

    def slope(x: torch.Tensor) -> torch.Tensor:
        x = x if x.requires_grad else x.requires_grad_()
        (g,) = torch.autograd.grad(energy(f(x)), x, create_graph=True)
        return energy(g)

    z = torch.tensor(Z, requires_grad=True)
    slope(z).backward()
    expected = steepest_ascent(lambda x: slope(x).detach(), Z, 1e-5)
    np.testing.assert_allclose(z.grad.numpy(), expected, rtol=1e-4, atol=1e-3)


def test_a_real_input_gets_a_real_gradient() -> None:
    r = torch.tensor(R, requires_grad=True)
    z = torch.tensor(Z)
    energy(torch.exp(r * z * 0.1)).backward()
    assert r.grad.dtype is torch.float64
    expected = steepest_ascent(lambda x: energy(torch.exp(x * z * 0.1)), R).real
    np.testing.assert_allclose(r.grad.numpy(), expected, rtol=1e-6)


def test_casts_between_real_and_complex() -> None:
    r = torch.tensor([1.0, 2.0], requires_grad=True)
    r.to(torch.complex64).backward(torch.tensor([1 + 2j, 3 - 1j]))
    assert r.grad.dtype is torch.float32
    assert r.grad.tolist() == [1.0, 3.0]


def test_implicit_gradients_are_for_real_numbers() -> None:
    with pytest.raises(RuntimeError, match="only for real scalar outputs"):
        torch.tensor(1 + 1j, requires_grad=True).backward()


# ---- rows of several results -------------------------------------------------------------------------------
_polar_parts = several(
    "test_both", lambda x: (x * x, np.sin(x), np.arange(x.size)), ("square", "sine", "count"),
    x=lambda g_square, g_sine, x, sine: g_square * (2 * x) + g_sine * np.cos(x) + 0 * sine,
)  # fmt: skip
del rows["test_both"]  # the table is for what the package has


@pytest.mark.parametrize("values", [Z.real, Z])
def test_several_results_share_a_node(values: np.ndarray) -> None:
    x = torch.tensor(values, requires_grad=True)
    square, sine, count = _polar_parts(x)
    assert not count.requires_grad
    (g,) = torch.autograd.grad(energy(square) + energy(sine), x, create_graph=True)
    y = torch.tensor(values, requires_grad=True)
    (expected,) = torch.autograd.grad(energy(y * y) + energy(torch.sin(y)), y, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), expected.detach().numpy())
    (gg,) = torch.autograd.grad(energy(g), x)
    (expected,) = torch.autograd.grad(energy(expected), y)
    np.testing.assert_allclose(gg.numpy(), expected.numpy())
    assert all(isinstance(part, np.ndarray) for part in _polar_parts(values))


def test_one_of_several_results_may_be_left_alone() -> None:
    x = torch.tensor(R, requires_grad=True)
    _polar_parts(x)[1].sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos(R))


def test_a_changed_result_is_stale() -> None:
    x = torch.tensor(R, requires_grad=True)
    square, sine, _ = _polar_parts(x)
    sine.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.sum().backward()


# ---- out= --------------------------------------------------------------------------------------------------
def test_out() -> None:
    x = torch.tensor([1.0, 2.0])
    out = torch.empty(2)
    assert torch.exp(x, out=out) is out
    np.testing.assert_allclose(out.numpy(), np.exp([1.0, 2.0]), rtol=1e-6)
    assert torch.add(x, x, out=torch.empty(0)).tolist() == [2.0, 4.0]
    values, indices = torch.empty(0), torch.empty(0, dtype=torch.int64)
    found = torch.max(torch.tensor([[3.0, 1.0]]), 1, out=(values, indices))
    assert found.values is values
    assert indices.tolist() == [0]
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.add(x, x, out=torch.empty(2, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        torch.exp(x.clone().requires_grad_(), out=out)
    with pytest.warns(UserWarning, match="resized"):
        torch.exp(x, out=torch.empty(3))
    with pytest.raises(TypeError, match=r"sum\(\): argument 'input' \(position 1\) must be Tensor, not list"):
        torch.sum([1])  # type: ignore[arg-type]


def test_a_row_is_told_by_its_name() -> None:
    with pytest.raises(AssertionError, match="meaning of their own"):
        row("test_bad_name", lambda g: g, g=lambda g: g)


@pytest.mark.parametrize("name", [*HOLOMORPHIC, *OTHER])
def test_gradcheck_takes_complex_numbers(name: str) -> None:
    z = torch.tensor(Z[:2, :2] if name != "index" else Z, requires_grad=True)
    f = {**HOLOMORPHIC, **OTHER}[name]
    assert torch.autograd.gradcheck(f, z)
    assert torch.autograd.gradgradcheck(f, z)
    assert not torch.autograd.gradcheck(lambda z: f(z) + z.detach().sum() * z.sum(), z, raise_exception=False)
