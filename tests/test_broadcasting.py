"""The adjoint of broadcasting, small and large, against NumPy's own sums in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.broadcasting import product_to_shape, sum_to_shape

SMALL = [((3, 4), (4,)), ((3, 4), (3, 1)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (1, 3, 1)), ((3,), ()), ((2, 1, 4), (1, 4))]
LARGE = [
    ((300, 200), (200,)), ((300, 200), (1, 200)), ((300, 200), (300, 1)), ((300, 200), ()), ((40, 30, 50), (30, 50)),
    ((40, 30, 50), (40, 1, 1)), ((40, 30, 50), (1, 30, 1)), ((5000, 10), (10,)), ((10, 5000), (10, 1)),
    ((1, 70000), (1, 1)),
]  # fmt: skip


def expected(product: Any, shape: tuple[int, ...]) -> Any:
    lead = product.ndim - len(shape)
    axes = tuple(i for i in range(product.ndim) if i < lead or shape[i - lead] == 1)
    return np.sum(product.astype(np.float64), axis=axes).reshape(shape)


@pytest.mark.parametrize(
    ("kind", "to", "shape"),
    [(kind, *shapes) for kind in (np.float32, np.float64) for shapes in SMALL + LARGE]
    + [(np.float16, *shapes) for shapes in SMALL],
)
def test_sums_over_repeated_axes(kind: Any, to: tuple[int, ...], shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    g, x = (rng.uniform(0.5, 1.5, to).astype(kind) for _ in range(2))
    near: dict[str, Any] = {"rtol": 2e-2 if kind is np.float16 else 2e-5}
    for array in (g, np.asfortranarray(g), g[::-1]):
        found = sum_to_shape(array, shape)
        assert found.shape == shape
        assert found.dtype == kind
        np.testing.assert_allclose(found.astype(np.float64), expected(array, shape), **near)
    for array in (x, x[:, ::-1] if x.ndim > 1 else x):
        found = product_to_shape(g, array, shape)
        assert found.shape == shape
        np.testing.assert_allclose(found.astype(np.float64), expected(g * array, shape), **near)


def test_a_product_with_what_is_spread_itself() -> None:
    g, x = np.ones((300, 200), np.float32), np.full((1, 200), 2.0, np.float32)
    np.testing.assert_array_equal(product_to_shape(g, x, (200,)), np.full(200, 600.0))


@pytest.mark.parametrize("shape", [(200,), (300, 1), ()])
@pytest.mark.parametrize("code", ["x * s", "x - s", "s - x", "x + s"])
def test_large_gradients_of_spread_operands(code: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    numbers = [rng.normal(size=to) for to in ((300, 200), shape, (300, 200))]
    found = []
    for kind in (mini_torch.float32, mini_torch.float64):
        x, s, g = (mini_torch.tensor(n, dtype=kind, requires_grad=True) for n in numbers)
        eval(code).backward(g)
        found.append((x.grad.numpy(), s.grad.numpy()))
    for single, double in zip(*found):
        np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-3)
    assert found[1][1].shape == shape
    sign = {"x * s": numbers[0], "x - s": -1.0, "s - x": 1.0, "x + s": 1.0}[code]
    np.testing.assert_allclose(found[1][1], expected(numbers[2] * sign, shape), rtol=1e-9, atol=1e-9)
