"""Distributions of gamma numbers, transforms, mixtures: densities, moments, PyTorch's draws, gradients, errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import distributions as D
from mini_torch.distributions import constraints

F64 = torch.float64


def t(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=F64)


# (distribution, where to integrate its density)
ON_THE_LINE: dict[str, tuple[Callable[[], Any], tuple[float, float]]] = {
    "gamma": (lambda: D.Gamma(t(2.5), t(1.5)), (0, 40)),
    "chi2": (lambda: D.Chi2(t(4.0)), (0, 90)),
    "beta": (lambda: D.Beta(t(2.5), t(3.5)), (0, 1)),
    "student": (lambda: D.StudentT(t(7.0), t(0.5), t(1.5)), (-400, 400)),
    "half normal": (lambda: D.HalfNormal(t(2.0)), (0, 30)),
    "log normal": (lambda: D.LogNormal(t(0.3), t(0.4)), (0, 30)),
    "gumbel": (lambda: D.Gumbel(t(0.3), t(0.7)), (-10, 40)),
    "weibull": (lambda: D.Weibull(t(2.0), t(1.5)), (0, 40)),
    "pareto": (lambda: D.Pareto(t(1.0), t(9.0)), (1, 60)),
    "inverse gamma": (lambda: D.InverseGamma(t(12.0), t(5.0)), (0, 40)),
    "kumaraswamy": (lambda: D.Kumaraswamy(t(2.5), t(3.5)), (0, 1)),
    "ratio": (lambda: D.FisherSnedecor(t(5.0), t(30.0)), (0, 150)),
    "relaxed": (lambda: D.RelaxedBernoulli(t(0.8), t(0.3)), (0, 1)),
    "mixture": (lambda: D.MixtureSameFamily(D.Categorical(t(1, 3)), D.Normal(t(-1, 2), t(0.5, 1))), (-10, 15)),
    "sigmoid": (lambda: D.TransformedDistribution(D.Normal(t(0.2), t(0.8)), D.SigmoidTransform()), (0, 1)),
    "turned": (
        lambda: D.TransformedDistribution(D.Gamma(t(3.0), t(2.0)), [D.AffineTransform(1.0, -2.0)]),
        (-40, 1),
    ),
}


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_density_integrates_to_one_and_to_the_moments(name: str) -> None:
    make, (low, high) = ON_THE_LINE[name]
    d = make()
    edges = np.linspace(low, high, 400_001)
    x = torch.from_numpy(((edges[1:] + edges[:-1]) / 2)[:, None])
    x = x.squeeze(-1) if d.batch_shape == () else x
    p = d.log_prob(x).exp() * ((high - low) / 400_000)
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    try:
        mean, variance = d.mean.item(), d.variance.item()
    except NotImplementedError:
        return
    assert (p * x).sum().item() == pytest.approx(mean, rel=1e-4)
    assert (p * (x - mean) ** 2).sum().item() == pytest.approx(variance, rel=1e-3)


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_draws_have_the_moments(name: str) -> None:
    d = ON_THE_LINE[name][0]()
    torch.manual_seed(1)
    drawn = d.sample((4000,))
    assert drawn.shape == (4000, *d.batch_shape)
    assert not drawn.requires_grad
    assert d.support.check(drawn).all()
    try:
        mean, std = d.mean.item(), d.stddev.item()
    except NotImplementedError:
        return
    assert drawn.mean().item() == pytest.approx(mean, abs=5 * std / math.sqrt(4000))


def _recorded() -> dict[str, Callable[[], torch.Tensor]]:
    f = torch.tensor
    return {
        "gamma": lambda: D.Gamma(f([0.5, 2.0, 30.0]), f([1.0, 4.0, 0.1])).sample(),
        "gamma float64": lambda: D.Gamma(t(0.1, 1.0, 7.0), 1.0).sample(),
        "dirichlet": lambda: D.Dirichlet(f([0.5, 2.0, 30.0])).sample(),
        "beta": lambda: D.Beta(0.5, 2.0).sample((3,)),
        "student": lambda: D.StudentT(f([1.0, 3.0, 9.0])).sample(),
        "cauchy": lambda: D.Cauchy(f([0.0, 1.0, 2.0]), 2.0).sample(),
        "gumbel": lambda: D.Gumbel(f([0.0, 1.0, 2.0]), 2.0).sample(),
        "geometric": lambda: D.Geometric(f([0.1, 0.3, 0.01])).sample(),
        "negative binomial": lambda: D.NegativeBinomial(5, f([0.5, 0.7, 0.9])).sample(),
        "multivariate": lambda: D.MultivariateNormal(f([0.0, 1.0]), f([[2.0, 0.5], [0.5, 1.0]])).sample(),
        "mixture": lambda: D.MixtureSameFamily(
            D.Categorical(f([0.3, 0.7])), D.Normal(f([0.0, 10.0]), f([1.0, 1.0]))
        ).sample((3,)),
        "log normal": lambda: D.LogNormal(0.0, 1.0).sample((3,)),
    }


# the first draws of PyTorch 2.13 after manual_seed(0)
FIRST_DRAWS: dict[str, list[float]] = {
    "gamma": [0.0007893581641837955, 0.15788514912128448, 305.4881896972656],
    "gamma float64": [3.129235610920794e-16, 0.11898370896786938, 7.089402514984522],
    "dirichlet": [2.531523750803899e-05, 0.020253922790288925, 0.9797207713127136],
    "beta": [0.0012483327882364392, 0.023554226383566856, 0.14317576587200165],
    "student": [2.2300970554351807, -0.2790294885635376, -1.8679829835891724],
    "cauchy": [21.195459365844727, 2.5295345783233643, 1.743401288986206],
    "gumbel": [0.7114584445953369, 3.6660611629486084, 0.22833049297332764],
    "geometric": [6.0, 0.0, 241.0],
    "negative binomial": [9.0, 9.0, 27.0],
    "multivariate": [2.17929744720459, 1.270346760749817],
    "mixture": [9.312573432922363, 9.393548965454102, 11.06217098236084],
    "log normal": [4.669239044189453, 0.7457022666931152, 0.11317846179008484],
}


@pytest.mark.parametrize("name", FIRST_DRAWS)
def test_draws_are_those_of_pytorch(name: str) -> None:
    torch.manual_seed(0)
    assert _recorded()[name]().tolist() == pytest.approx(FIRST_DRAWS[name], rel=2e-7)


def test_gamma_numbers_move_with_their_shape() -> None:
    """F(x; a) stays the same to first order when x moves by dx/da."""
    a = t(0.05, 0.5, 2.0, 30.0, 1000.0).requires_grad_()
    x = D.Gamma(a, t(1, 1, 1, 1, 1)).rsample()
    (slope,) = torch.autograd.grad(x.sum(), a)
    step = 1e-4 * a.detach()
    before = torch.special.gammainc(a.detach() - step, x.detach() - slope * step)
    after = torch.special.gammainc(a.detach() + step, x.detach() + slope * step)
    torch.testing.assert_close(after, before, rtol=1e-6, atol=1e-9)


def test_beta_numbers_move_with_their_shapes() -> None:
    """For b = 1, F(x; a) = xᵃ and so dx/da = -x ln x / a; likewise for 1 - x and b where a = 1."""
    for first, second in ((t(0.3, 2.0, 9.0), t(1, 1, 1)), (t(1, 1, 1), t(0.3, 2.0, 9.0))):
        a, b = first.requires_grad_(), second.requires_grad_()
        x = D.Beta(a, b).rsample()
        along_a, along_b = torch.autograd.grad(x.sum(), [a, b])
        x = x.detach()
        if b.detach().eq(1).all():
            torch.testing.assert_close(along_a, -x * x.log() / a.detach())
        else:
            torch.testing.assert_close(along_b, (1 - x) * (1 - x).log() / b.detach())


def test_dirichlet_gradient_keeps_the_sum() -> None:
    a = t(0.5, 2.0, 7.0).requires_grad_()
    (slope,) = torch.autograd.grad(D.Dirichlet(a).rsample((5,)).sum(), a)
    torch.testing.assert_close(slope, t(0, 0, 0), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "transform",
    [
        D.ExpTransform(), D.SigmoidTransform(), D.SoftplusTransform(), D.TanhTransform(), D.AffineTransform(1.0, -2.0),
        D.StickBreakingTransform(), D.ComposeTransform([D.ExpTransform(), D.PowerTransform(t(0.5))]),
        D.IndependentTransform(D.ExpTransform(), 1), D.ReshapeTransform((3,), (3, 1)),
    ],
    ids=lambda transform: type(transform).__name__,
)  # fmt: skip
def test_transforms_invert_and_know_their_volume(transform: Any) -> None:
    x = t(0.3, -0.7, 1.1)
    y = transform(x)
    torch.testing.assert_close(transform.inv(y), x)
    assert transform.inv.inv is transform
    assert transform.forward_shape(x.shape) == y.shape
    assert transform.inverse_shape(y.shape) == x.shape
    jacobian = torch.autograd.functional.jacobian(transform, x).reshape(-1, 3)[:3]
    volume = torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(transform.log_abs_det_jacobian(x, y).sum(), volume)
    torch.testing.assert_close(transform.inv.log_abs_det_jacobian(y, x).sum(), -volume)


def test_a_cached_transform_gives_back_what_it_got() -> None:
    transform = D.TanhTransform(cache_size=1)
    x = t(30.0)
    assert transform.inv(transform(x)) is x
    assert transform.with_cache(0).inv(transform(x)).item() == math.inf


def test_multivariate_normal_of_each_matrix() -> None:
    loc, sigma = t(0.5, -1.0), torch.tensor([[2.0, 0.6], [0.6, 1.0]], dtype=F64)
    value = t(1.0, 2.0)
    apart = value - loc
    squares = apart @ torch.linalg.inv(sigma) @ apart
    expected = -0.5 * (squares + torch.linalg.slogdet(2 * math.pi * sigma).logabsdet)
    matrices = {
        "covariance_matrix": sigma, "precision_matrix": torch.linalg.inv(sigma),
        "scale_tril": torch.linalg.cholesky(sigma),
    }  # fmt: skip
    for name, matrix in matrices.items():
        d = D.MultivariateNormal(loc, **{name: matrix})
        torch.testing.assert_close(d.log_prob(value), expected)
        for other, wanted in matrices.items():
            torch.testing.assert_close(getattr(d, other), wanted)
    many = D.MultivariateNormal(loc, sigma).expand((3,))
    assert (many.batch_shape, many.event_shape, many.sample((2,)).shape) == ((3,), (2,), (2, 3, 2))
    with pytest.raises(ValueError, match="Exactly one of"):
        D.MultivariateNormal(loc, sigma, sigma)
    with pytest.raises(ValueError, match=r"constraint PositiveDefinite\(\)"):
        D.MultivariateNormal(loc, -sigma)


PAIRS: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
    (lambda: D.Gamma(t(2.0), t(1.5)), lambda: D.Gamma(t(3.0), t(1.0))),
    (lambda: D.Beta(t(2.0), t(1.5)), lambda: D.Beta(t(3.0), t(1.0))),
    (lambda: D.Gumbel(t(0.0), t(1.5)), lambda: D.Gumbel(t(1.0), t(2.0))),
    (lambda: D.Cauchy(t(0.0), t(1.5)), lambda: D.Cauchy(t(1.0), t(2.0))),
    (lambda: D.LogNormal(t(0.0), t(1.5)), lambda: D.LogNormal(t(1.0), t(2.0))),
    (lambda: D.Gamma(t(2.0), t(1.5)), lambda: D.Normal(t(3.0), t(1.0))),
    (lambda: D.Normal(t(2.0), t(1.5)), lambda: D.Laplace(t(3.0), t(1.0))),
    (lambda: D.Uniform(t(0.2), t(0.7)), lambda: D.Beta(t(3.0), t(2.0))),
    (lambda: D.Exponential(t(0.7)), lambda: D.Gumbel(t(1.0), t(2.0))),
]


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_divergence_is_the_mean_of_the_log_ratio(number: int) -> None:
    p, q = (make() for make in PAIRS[number])
    torch.manual_seed(0)
    drawn = p.sample((20_000,))
    ratio = p.log_prob(drawn) - q.log_prob(drawn)
    sure = 6 * ratio.std().item() / math.sqrt(20_000)
    assert D.kl_divergence(p, q).item() == pytest.approx(ratio.mean().item(), abs=sure + 1e-9)
    assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-9) if type(p) is type(q) else True


def test_transform_to_leads_into_the_region() -> None:
    x = torch.randn(4, 3, 3, dtype=F64)
    for region in (constraints.positive, constraints.interval(2, 5), constraints.simplex, constraints.less_than(1.0),
                   constraints.lower_cholesky, constraints.positive_definite, constraints.real_vector):  # fmt: skip
        assert region.check(D.transform_to(region)(x)).all()
    assert D.biject_to(constraints.simplex).bijective
    with pytest.raises(NotImplementedError, match="Cannot transform"):
        D.transform_to(constraints.boolean)


def test_a_distribution_of_ones_own() -> None:
    class Triangle(D.Distribution):
        arg_constraints = {"width": constraints.positive}  # noqa: RUF012
        support = constraints.real

        def __init__(self, width: torch.Tensor) -> None:
            self.width = width
            super().__init__(width.shape)

        def rsample(self, sample_shape: Any = ()) -> torch.Tensor:
            u = torch.rand(2, *self._extended_shape(sample_shape))
            return self.width * (u[0] - u[1])

    d = Triangle(torch.tensor([1.0, 2.0]))
    assert repr(d) == "Triangle(width: torch.Size([2]))"
    assert d.expand((3, 2)).sample((4,)).shape == (4, 3, 2)
    with pytest.raises(ValueError, match=r"constraint GreaterThan\(lower_bound=0.0\)"):
        Triangle(torch.tensor([-1.0]))
    with pytest.raises(NotImplementedError):
        d.log_prob(torch.zeros(2))


def test_errors() -> None:
    with pytest.raises(ValueError, match="at least one-dimensional"):
        D.Dirichlet(torch.tensor(1.0))
    with pytest.raises(ValueError, match="within the support"):
        D.Beta(1.0, 2.0).log_prob(torch.tensor(1.5))
    with pytest.raises(ValueError, match="does not equal"):
        D.MixtureSameFamily(D.Categorical(t(1, 1)), D.Normal(t(0, 1, 2), 1.0))
    with pytest.raises(ValueError, match="transforms must be a Transform or a list"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [math.exp])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        D.ExpTransform(cache_size=2)
    with pytest.raises(NotImplementedError, match="gamma numbers are drawn in"):
        D.Gamma(torch.ones(2, dtype=torch.float16), 1.0).sample()


def test_probabilities_asked_for_without_gradient_have_one_later() -> None:
    logits = torch.zeros(3, requires_grad=True)
    for d in (D.Bernoulli(logits=logits), D.Categorical(logits=logits)):
        d.sample()
        d.probs.pow(2).sum().backward()
        assert logits.grad is not None
        logits.grad = None
