"""Probability distributions: their draws, densities and moments agree with each other; divergences; errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import distributions as D
from mini_torch.autograd import gradcheck
from mini_torch.distributions import constraints
from mini_torch.tensor import tensor

F64 = mini_torch.float64
PROBS = tensor([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]], dtype=F64)
DISCRETE: list[Callable[[], Any]] = [
    lambda: D.Bernoulli(tensor([0.2, 0.5, 0.9], dtype=F64)),
    lambda: D.Bernoulli(logits=tensor([-1.0, 0.0, 3.0], dtype=F64)),
    lambda: D.Binomial(5, tensor([0.2, 0.5, 0.9], dtype=F64)),
    lambda: D.Categorical(2 * PROBS),
    lambda: D.Categorical(logits=PROBS.log() + 1),
    lambda: D.OneHotCategorical(PROBS),
]  # fmt: skip
CONTINUOUS: list[Callable[[], Any]] = [
    lambda: D.Normal(tensor([0.0, 2.0], dtype=F64), tensor([1.0, 0.5], dtype=F64)),
    lambda: D.Uniform(tensor([0.0, -1.0], dtype=F64), tensor([1.0, 3.0], dtype=F64)),
    lambda: D.Exponential(tensor([0.5, 2.0], dtype=F64)),
    lambda: D.Laplace(tensor([0.0, 2.0], dtype=F64), tensor([1.0, 0.5], dtype=F64)),
]  # fmt: skip
ALL = [*DISCRETE, *CONTINUOUS, lambda: D.Poisson(tensor([0.5, 20.0], dtype=F64)), lambda: D.Multinomial(4, PROBS)]


@pytest.mark.parametrize("make", DISCRETE)
def test_probabilities_sum_to_one(make: Callable[[], Any]) -> None:
    made = make()
    values = made.enumerate_support()
    assert values.shape[1:] == made.batch_shape + made.event_shape
    log_prob = made.log_prob(values)
    np.testing.assert_allclose(log_prob.exp().sum(0).numpy(), 1.0)
    np.testing.assert_allclose(made.entropy().numpy(), -(log_prob.exp() * log_prob).sum(0).numpy())


@pytest.mark.parametrize("make", CONTINUOUS)
def test_density_is_the_slope_of_cdf(make: Callable[[], Any]) -> None:
    made = make()
    chance = mini_torch.linspace(0.06, 0.93, 18, dtype=F64)[:, None]
    x = made.icdf(chance).detach().requires_grad_()
    cdf = made.cdf(x)
    np.testing.assert_allclose(cdf.detach().numpy(), np.broadcast_to(chance.numpy(), cdf.shape), rtol=1e-12, atol=1e-12)
    (slope,) = mini_torch.autograd.grad(cdf.sum(), x)
    np.testing.assert_allclose(slope.numpy(), made.log_prob(x).exp().detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("make", ALL)
def test_draws_have_the_moments(make: Callable[[], Any]) -> None:
    mini_torch.manual_seed(0)
    made, count = make(), 20_000
    x = made.sample((count,))
    assert x.shape == (count, *made.batch_shape, *made.event_shape)
    assert made.support.check(x).all()
    if not isinstance(made, D.Categorical):
        x, std = x.double(), made.variance.sqrt()
        assert ((x.mean(0) - made.mean).abs() < 5 * std / count**0.5).all()
        np.testing.assert_allclose(x.std(0).numpy(), std.numpy(), rtol=0.06)


def test_pytorchs_numbers() -> None:
    mini_torch.manual_seed(0)
    assert D.Categorical(tensor([0.1, 0.2, 0.7])).sample((5,)).tolist() == [2, 2, 2, 2, 2]
    np.testing.assert_allclose(D.Normal(1.0, 2.0).sample((3,)).numpy(), [1.320763, -0.212902, -0.566128], atol=1e-6)
    assert D.Multinomial(10, tensor([0.1, 0.2, 0.7])).sample().tolist() == [0.0, 3.0, 7.0]


def test_gradients() -> None:
    loc = tensor([0.3, -1.0], dtype=F64, requires_grad=True)
    scale = tensor([0.5, 2.0], dtype=F64, requires_grad=True)
    value = tensor([0.1, 0.2], dtype=F64)
    for family in (D.Normal, D.Laplace):
        assert gradcheck(lambda a, b, family=family: family(a, b).log_prob(value), (loc, scale))
        assert not family(loc, scale).sample().requires_grad
        family(loc, scale).rsample((3,)).sum().backward()
        assert loc.grad is not None
        assert loc.grad.tolist() == [3, 3]
        loc.grad = None
    logits = tensor([0.3, -1.0, 2.0], dtype=F64, requires_grad=True)
    assert gradcheck(lambda x: D.Categorical(logits=x).log_prob(tensor([0, 2])), logits)
    assert gradcheck(lambda x: D.Categorical(logits=x).entropy(), logits)


def test_independent() -> None:
    base = D.Normal(mini_torch.zeros(2, 3), mini_torch.ones(2, 3))
    joint = D.Independent(base, 1)
    assert (joint.batch_shape, joint.event_shape) == ((2,), (3,))
    x = mini_torch.ones(2, 3)
    assert joint.log_prob(x).tolist() == base.log_prob(x).sum(-1).tolist()
    assert joint.entropy().shape == (2,)
    assert joint.expand((4, 2)).sample().shape == (4, 2, 3)
    assert repr(joint) == "Independent(Normal(loc: torch.Size([2, 3]), scale: torch.Size([2, 3])), 1)"
    with pytest.raises(ValueError, match="actual 3 vs 2"):
        D.Independent(base, 3)


@pytest.mark.parametrize("make", [*DISCRETE[:2], *DISCRETE[3:], CONTINUOUS[0], CONTINUOUS[2], CONTINUOUS[3]])
def test_divergence_is_the_mean_of_the_difference(make: Callable[[], Any]) -> None:
    mini_torch.manual_seed(0)
    p = make()
    assert D.kl_divergence(p, p).abs().max() < 1e-12
    others = {
        D.Bernoulli: lambda: D.Bernoulli(tensor(0.4, dtype=F64)),
        D.Categorical: lambda: D.Categorical(mini_torch.ones(3, dtype=F64)),
        D.OneHotCategorical: lambda: D.OneHotCategorical(mini_torch.ones(3, dtype=F64)),
        D.Normal: lambda: D.Normal(tensor(1.0, dtype=F64), tensor(1.0, dtype=F64)),
        D.Exponential: lambda: D.Exponential(tensor(1.0, dtype=F64)),
        D.Laplace: lambda: D.Laplace(tensor(1.0, dtype=F64), tensor(1.0, dtype=F64)),
    }
    q: Any = others[type(p)]()
    x = p.sample((40_000,))
    estimate = (p.log_prob(x) - q.log_prob(x)).mean(0)
    np.testing.assert_allclose(D.kl_divergence(p, q).numpy(), estimate.numpy(), atol=0.05)


def test_divergences_without_end_or_rule() -> None:
    assert D.kl_divergence(D.Uniform(0.0, 2.0), D.Uniform(0.0, 1.0)).item() == math.inf
    assert D.kl_divergence(D.Bernoulli(0.5), D.Bernoulli(0.0)).item() == math.inf
    with pytest.raises(NotImplementedError, match="cross KL-divergence"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))

    class Own(D.Normal):
        pass

    assert D.kl_divergence(Own(0.0, 1.0), D.Normal(0.0, 1.0)).item() == 0  # by what it is derived from
    D.register_kl(Own, Own)(lambda p, q: tensor(7.0))
    assert D.kl_divergence(Own(0.0, 1.0), Own(0.0, 1.0)).item() == 7
    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(int, Own)


def test_shown() -> None:
    assert repr(D.Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(D.Categorical(mini_torch.ones(3))) == "Categorical(probs: torch.Size([3]))"
    assert repr(constraints.unit_interval) == "Interval(lower_bound=0.0, upper_bound=1.0)"
    assert repr(constraints.real_vector) == "IndependentConstraint(Real(), 1)"
    assert D.categorical.Categorical is D.Categorical


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: D.Normal(0.0, -1.0), ValueError, r"parameter scale .* constraint GreaterThan\(lower_bound=0.0\)"),
    (lambda: D.Normal("a", 1.0), ValueError, "Number, torch.Tensor"),
    (lambda: D.Uniform(1.0, 0.0), ValueError, "parameter low"),
    (lambda: D.Bernoulli(1.5), ValueError, "parameter probs"),
    (lambda: D.Bernoulli(), ValueError, "Either `probs` or `logits`"),
    (lambda: D.Categorical(tensor(0.5)), ValueError, "at least one-dimensional"),
    (lambda: D.Categorical(mini_torch.ones(2)).log_prob(tensor(2)), ValueError, "within the support"),
    (lambda: D.Normal(0.0, 1.0).log_prob(0.5), ValueError, "must be a Tensor"),  # type: ignore[arg-type]
    (lambda: D.Normal(mini_torch.zeros(3), 1.0).log_prob(mini_torch.ones(2)), ValueError, "not broadcastable"),
    (lambda: D.OneHotCategorical(mini_torch.ones(3)).log_prob(mini_torch.ones(2)), ValueError, "match event_shape"),
    (lambda: D.Bernoulli(0.5).rsample(), NotImplementedError, "rsample"),
    (lambda: D.Multinomial(2.5, mini_torch.ones(2)), NotImplementedError, "inhomogeneous"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: tuple[Callable[[], Any], type[Exception], str]) -> None:
    call, kind, message = case
    with pytest.raises(kind, match=message):
        call()
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
