"""Gradients kept within bounds, and parameters as one vector."""

from __future__ import annotations

import math

import pytest

import mini_torch as torch
from mini_torch import nn
from mini_torch.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)
from mini_torch.testing import assert_close


def parameters() -> list[nn.Parameter]:
    ps = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1, 1)), nn.Parameter(torch.zeros(3))]
    ps[0].grad, ps[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([[-4.0]])
    return ps


@pytest.mark.parametrize(("order", "total"), [(2, 5.0), (1, 7.0), (math.inf, 4.0)])
def test_norm(order: float, total: float) -> None:
    ps = parameters()
    before = clip_grad_norm_(ps, 1.0, order)
    assert before.item() == total
    assert_close(ps[1].grad, torch.tensor([[-4.0 / total]]))
    assert clip_grad_norm_(ps, 2.0, order).item() == pytest.approx(1.0)  # below: nothing changes
    assert_close(ps[0].grad, torch.tensor([3.0 / total, 0.0]))
    assert ps[2].grad is None


def test_not_finite() -> None:
    ps = parameters()
    ps[0].grad[0] = math.inf
    assert get_total_norm([p.grad for p in ps[:2]]).item() == math.inf
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    assert clip_grad_norm_([], 1.0).item() == 0


def test_value() -> None:
    ps = parameters()
    clip_grad_value_(iter(ps), 1)
    assert [ps[0].grad.tolist(), ps[1].grad.tolist()] == [[1.0, 0.0], [[-1.0]]]


def test_vector() -> None:
    ps = parameters()
    vector = parameters_to_vector(ps)
    assert vector.requires_grad
    vector_to_parameters(torch.arange(6.0), ps)
    assert ps[1].tolist() == [[2.0]]
    assert_close(parameters_to_vector(ps).detach(), torch.arange(6.0))
    with pytest.raises(TypeError, match="expected"):
        vector_to_parameters([1.0], ps)  # type: ignore[arg-type]


def test_the_old_name_warns() -> None:
    p = torch.nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match=r"`torch.nn.utils.clip_grad_norm` is now deprecated"):
        assert torch.nn.utils.clip_grad_norm([p], 1.0).item() == 5
    assert p.grad.norm().item() == pytest.approx(1)


def test_gradients_that_cannot_be_clipped() -> None:
    p = nn.Parameter(torch.zeros(2, dtype=torch.complex64))
    p.grad = torch.tensor([3 + 4j, 0])
    with pytest.raises(RuntimeError, match="clamp is not supported for complex types"):
        clip_grad_value_(p, 1.0)
    assert clip_grad_norm_([p], 1.0).item() == 5
    assert p.grad.abs().tolist() == pytest.approx([1, 0])
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.ones(1).expand(2)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        clip_grad_norm_([p], 1.0)
    with pytest.raises(RuntimeError, match="the inf norm of an empty tensor is not defined"):
        get_total_norm([torch.zeros(0)], math.inf)


def test_gradients_within_the_bound_stay() -> None:
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([0.3, 0.4])
    version = p.grad._version
    assert clip_grad_norm_([p], 1.0).item() == pytest.approx(0.5)
    assert (p.grad.tolist(), p.grad._version) == (pytest.approx([0.3, 0.4]), version)
    assert torch.isinf(get_total_norm([torch.full((2,), 1e30)]))


def test_a_norm_of_several_types() -> None:
    total = get_total_norm([torch.ones(2).half(), torch.ones(2).double()])
    assert (total.dtype, total.item()) == (torch.float64, pytest.approx(2, rel=1e-3))
