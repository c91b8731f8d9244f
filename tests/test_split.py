"""Pieces of a tensor: their common node, and gradients of some or all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck, gradgradcheck

APART = {
    "SplitBackward0": lambda x: x.split(2, 1),
    "SplitWithSizesBackward0": lambda x: x.split([1, 3, 1], 1),
    "UnbindBackward0": lambda x: x.unbind(1),
}


def leaf(*shape: int, dtype: Any = torch.float64) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(shape, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("name", APART)
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=["real", "complex"])
def test_gradients_of_all_pieces_and_of_some(name: str, dtype: Any) -> None:
    apart = APART[name]
    x = leaf(2, 5, 3, dtype=dtype)
    assert apart(x)[0].grad_fn.name() == name
    assert gradcheck(lambda x: [(i + 1) * piece * piece for i, piece in enumerate(apart(x))], x)
    assert gradgradcheck(lambda x: apart(x)[-1] ** 3, x)


def test_a_piece_that_is_used_twice_and_one_that_is_not_used() -> None:
    x = leaf(3, 2)
    first, second, _ = x
    (first.sum() + (2 * second).sum() + (3 * first).sum()).backward()
    assert x.grad.tolist() == [[4, 4], [2, 2], [0, 0]]


def test_a_piece_may_be_written_to() -> None:
    x = leaf(4, 2)
    whole = x * 1
    first, second = whole.split(2)
    second *= 5
    (first.sum() + second.sum() + whole.sum()).backward()
    assert x.grad.tolist() == [[2, 2]] * 2 + [[10, 10]] * 2


def test_a_thousand_pieces_go_back_together() -> None:
    x = leaf(1000, 3)
    torch.stack([2 * row for row in x]).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2)


def test_where_a_nan_comes_from() -> None:
    x = leaf(2, 2)
    with torch.autograd.detect_anomaly():
        first, _ = x.split(1)
        first.register_hook(lambda g: g * float("nan"))
        with pytest.raises(RuntimeError, match="'SplitBackward0' returned nan values"):
            first.sum().backward()
