"""The parts of the examples that have a right answer: the cart's mechanics, returns, a distance, a divergence."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import mini_torch

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def example(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module(name)


def energy(cart: ModuleType, state: np.ndarray) -> np.ndarray:
    """Of a cart and a rod of uniform mass on it: motion of both and height of the rod's middle."""
    _, speed, angle, turning = state.T
    joint = cart.POLE * cart.HALF * speed * turning * np.cos(angle)
    turn = cart.POLE * (4 / 3) * cart.HALF**2 * turning**2 / 2
    return (cart.CART + cart.POLE) * speed**2 / 2 + joint + turn + cart.POLE * cart.GRAVITY * cart.HALF * np.cos(angle)


def test_the_cart_without_pushes_keeps_its_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    cart = example(monkeypatch, "policy_gradient")
    monkeypatch.setattr(cart, "FORCE", 0.0)
    monkeypatch.setattr(cart, "TIME", 1e-4)
    state = np.array([[0.0, 0.5, 0.3, -1.0], [0.0, -1.0, 2.0, 3.0]])
    before, start = energy(cart, state), state
    for _ in range(5000):
        state = cart.moved(state, np.array([True, False]))
    assert np.abs(state - start).max() > 0.3
    np.testing.assert_allclose(energy(cart, state), before, rtol=2e-3)


def test_a_push_moves_the_cart_its_way_and_the_pole_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    cart = example(monkeypatch, "policy_gradient")
    (_, speed, _, turning), mirrored = cart.moved(np.zeros((2, 4)), np.array([True, False]))
    assert speed > 0 > turning
    np.testing.assert_allclose(mirrored, [0, -speed, 0, -turning])


def test_returns_are_discounted_sums_of_the_steps_that_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    cart = example(monkeypatch, "policy_gradient")
    standing = np.array([[True, True], [True, True], [False, True]])
    after = np.array([0.0, 7.0])
    g = cart.GAMMA
    expected = np.array([[1 + g, 1 + g + g**2 + 7 * g**3], [1, 1 + g + 7 * g**2], [0, 1 + 7 * g]])
    np.testing.assert_allclose(cart.returns(standing, after), expected * (1 - g))


def test_energy_distance_is_zero_for_equals_and_grows_with_the_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    gan = example(monkeypatch, "gan")
    x = mini_torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    assert gan.energy_distance(x, x) == pytest.approx(0, abs=1e-6)
    # E|x − y| of {0, 1} and {2, 3} is 2; within each, 1/2
    assert gan.energy_distance(x, x + mini_torch.tensor([2.0, 0.0])) == pytest.approx(2 * 2 - 0.5 - 0.5)


def test_the_truth_lies_on_all_islands(monkeypatch: pytest.MonkeyPatch) -> None:
    gan = example(monkeypatch, "gan")
    mini_torch.manual_seed(0)
    shares = gan.on_islands(gan.truth(8000))
    assert shares.sum().item() == pytest.approx(1 - math.exp(-4.5), abs=0.004)  # within 3 σ in the plane
    np.testing.assert_allclose(shares.numpy(), 1 / 8, atol=0.015)


def test_the_bound_of_a_vae_is_surprise_plus_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    vae = example(monkeypatch, "vae").VAE()
    x = mini_torch.rand(5, 64)
    mini_torch.manual_seed(3)
    bound = vae.bound(x)
    mini_torch.manual_seed(3)
    mean, log_variance = vae.encode(x)
    code = mini_torch.distributions.Normal(mean, (log_variance / 2).exp())
    decoded = vae.decode(code.rsample())
    likelihood = x * decoded.log() + (1 - x) * (1 - decoded).log()
    divergence = mini_torch.distributions.kl_divergence(code, mini_torch.distributions.Normal(0.0, 1.0))
    assert bound.item() == pytest.approx((divergence.sum() - likelihood.sum()).item() / 5, rel=1e-5)
