"""Counts that are drawn, and the order in which what is drawn goes into memory; PyTorch's numbers of seed 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import rounding
from mini_torch.nn import functional as F
from mini_torch.tensor import tensor


@pytest.mark.parametrize(
    ("count", "chance", "expected"),
    [
        (10.0, 0.3, [6, 3, 3, 2, 4, 3]),
        (1000.0, 0.4, [398, 407, 384, 404, 398, 393]),
        (50.0, 0.9, [42, 46, 44, 46, 44, 44]),
        (10.0, 0.0, [0] * 6),
    ],
)
def test_binomial(count: float, chance: float, expected: list[int]) -> None:
    mini_torch.manual_seed(0)
    drawn = mini_torch.binomial(mini_torch.full((6,), count), mini_torch.full((6,), chance))
    assert drawn.tolist() == expected


@pytest.mark.parametrize("rate", [0.5, 4.0, 60.0])
def test_draws_ahead_go_back(rate: float) -> None:
    """Counts take uniforms one by one; what was drawn ahead for speed is there for the next."""
    rates = mini_torch.full((2000,), rate)
    mini_torch.manual_seed(3)
    whole, after = mini_torch.poisson(rates).tolist(), mini_torch.rand(1).item()
    mini_torch.manual_seed(3)
    parts = [mini_torch.poisson(part) for part in rates.split(7)]
    assert mini_torch.cat(parts).tolist() == whole
    assert mini_torch.rand(1).item() == after


@pytest.mark.parametrize("count", [-5.0, 0.0, 10.0])
@pytest.mark.parametrize("chance", [-0.5, 0.0, 1.0, 1.5])
def test_binomial_outside(count: float, chance: float) -> None:
    drawn = mini_torch.binomial(tensor(count), tensor(chance))
    assert drawn.item() == (count if count > 0 and chance >= 1 else 0)


def test_binomial_moments() -> None:
    mini_torch.manual_seed(1)
    for count, chance in ((20.0, 0.2), (500.0, 0.3), (500.0, 0.97)):
        x = mini_torch.binomial(mini_torch.full((20_000,), count), mini_torch.full((20_000,), chance)).numpy()
        std = (count * chance * (1 - chance)) ** 0.5
        assert abs(x.mean() - count * chance) < 5 * std / len(x) ** 0.5
        assert abs(x.std() - std) < 0.03 * std


@pytest.mark.parametrize(
    "fill",
    [
        lambda x: F.dropout(mini_torch.ones_like(x), 0.4), lambda x: mini_torch.nn.init.normal_(x),
        lambda x: mini_torch.nn.init.uniform_(x), lambda x: mini_torch.nn.init.trunc_normal_(x, a=-1, b=1),
        lambda x: mini_torch.nn.init.trunc_normal_(x, a=1.5, b=2), lambda x: F.alpha_dropout(x.fill_(1), 0.4, True),
    ],
)  # fmt: skip
def test_in_the_order_of_memory(fill: Callable[[Any], Any]) -> None:
    """A transposed tensor gets along its memory what a plain one gets (three numbers: no blocks of normals)."""
    drawn = []
    for blank in (mini_torch.zeros(5, 3), mini_torch.zeros(5, 3).t()):
        mini_torch.manual_seed(0)
        drawn.append(fill(blank))
    assert drawn[1].t().tolist() == drawn[0].tolist()


def test_parameters_get_a_gradient_of_zeros() -> None:
    p = mini_torch.full((3, 1), 0.5, requires_grad=True)
    drawn: list[Callable[[], Any]] = [
        lambda: mini_torch.bernoulli(p), lambda: mini_torch.poisson(p),
        lambda: mini_torch.normal(p, mini_torch.ones(2)), lambda: mini_torch.normal(mini_torch.ones(2), p),
    ]  # fmt: skip
    for draw in drawn:
        (gradient,) = mini_torch.autograd.grad(draw().sum(), p)
        assert gradient.tolist() == [[0.0]] * 3
    with pytest.raises(NotImplementedError, match="binomial"):
        mini_torch.binomial(p, p).sum().backward()


def test_torch_dropout_needs_all_arguments() -> None:
    x = mini_torch.ones(2, 6)
    with pytest.raises(TypeError):
        mini_torch.dropout(x)
    mini_torch.manual_seed(0)
    expected = F.dropout(x, 0.5)
    mini_torch.manual_seed(0)
    assert mini_torch.dropout_(x, p=0.5, train=True) is x
    assert x.tolist() == expected.tolist()
    out, mask = mini_torch.native_dropout(mini_torch.ones(1000), 0.25, True)
    assert np.array_equal(out.numpy() != 0, mask.numpy())
    assert out.max().item() == np.float32(1 / 0.75)
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        mini_torch.feature_dropout(mini_torch.ones(3), 0.5, True)
    with pytest.raises(NotImplementedError, match="ComplexFloat"):
        F.dropout(mini_torch.ones(3, dtype=mini_torch.complex64))
    with pytest.raises(RuntimeError, match="output type Long"):
        F.dropout(mini_torch.ones(3, dtype=mini_torch.int64))


def test_a_fresh_state_is_pytorchs() -> None:
    """PyTorch's generator stands before its first block of draws until something is drawn."""
    generator = mini_torch.Generator().manual_seed(7)
    place = generator.get_state()[16:24].tolist()
    assert place == [0] * 8
    mini_torch.rand(624, generator=generator)
    assert generator.get_state()[16:18].tolist() == [112, 2]


def test_the_vector_version_gives_the_c_librarys_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is some last bits off, here on purpose, just at the edges between two float32."""
    edges = np.arange(1, 2000, dtype=np.float32).astype(np.float64) / 1000 + 2.0**-25
    x = np.concatenate([np.nextafter(edges, 0), edges, np.nextafter(edges, 9), np.linspace(0.1, 9, 1000)])
    expected = np.array([math.tan(value) for value in x]).astype(np.float32)
    tan = np.tan
    monkeypatch.setattr(np, "tan", lambda x: tan(x) * (1 + 4e-16))
    rounding.libm.cache_clear()
    assert np.array_equal(rounding.libm_in(np.dtype(np.float32), "tan", x, lambda y: y), expected)
    monkeypatch.undo()
    rounding.libm.cache_clear()
