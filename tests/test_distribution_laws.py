"""What holds of every distribution: cdf is the density's integral and icdf undoes it, entropies and divergences are
integrals, draws have the moments; and what random matrices, parts and regions are like."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch import distributions as D
from mini_torch.autograd import gradcheck
from mini_torch.distributions import constraints, utils

F64 = torch.float64


def t(*values: Any) -> torch.Tensor:
    return torch.tensor(values if len(values) > 1 else values[0], dtype=F64)


# (distribution, where nearly all of it lies): with a cdf, a density and an entropy of its own
ON_THE_LINE: dict[str, tuple[Callable[[], Any], tuple[float, float]]] = {
    "normal": (lambda: D.Normal(t(0.5), t(1.5)), (-12, 13)),
    "laplace": (lambda: D.Laplace(t(0.5), t(0.7)), (-20, 21)),
    "uniform": (lambda: D.Uniform(t(-1.0), t(2.0)), (-1, 2)),
    "exponential": (lambda: D.Exponential(t(0.7)), (0, 50)),
    "gumbel": (lambda: D.Gumbel(t(0.3), t(0.7)), (-2, 24)),
    "half normal": (lambda: D.HalfNormal(t(2.0)), (0, 20)),
    "log normal": (lambda: D.LogNormal(t(0.3), t(0.4)), (0, 30)),
    "weibull": (lambda: D.Weibull(t(2.0), t(1.5)), (0, 40)),
    "pareto": (lambda: D.Pareto(t(1.0), t(9.0)), (1, 60)),
    "kumaraswamy": (lambda: D.Kumaraswamy(t(2.5), t(3.5)), (0, 1)),
    "thin tail": (lambda: D.GeneralizedPareto(t(1.0), t(2.0), t(-0.4)), (1, 6)),
    "exponential tail": (lambda: D.GeneralizedPareto(t(1.0), t(2.0), t(0.0)), (1, 80)),
    "fat tail": (lambda: D.GeneralizedPareto(t(1.0), t(0.5), t(0.1)), (1, 200)),
    "grey": (lambda: D.ContinuousBernoulli(t(0.2)), (0, 1)),
    "even grey": (lambda: D.ContinuousBernoulli(t(0.5)), (0, 1)),
    "gamma": (lambda: D.Gamma(t(2.5), t(1.5)), (0, 40)),
}
NO_INVERSE = {"gamma"}


def _grid(low: float, high: float, count: int = 200_000) -> tuple[torch.Tensor, float]:
    edges = np.linspace(low, high, count + 1)
    return torch.from_numpy((edges[1:] + edges[:-1]) / 2), (high - low) / count


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_cdf_and_entropy_are_integrals(name: str) -> None:
    make, ends = ON_THE_LINE[name]
    d = make()
    x, step = _grid(*ends)
    log_p = d.log_prob(x)
    p = log_p.exp() * step
    assert p.sum().item() == pytest.approx(1, abs=1e-6)
    below = p.cumsum(0) - p / 2
    torch.testing.assert_close(d.cdf(x)[::999], below[::999], rtol=1e-5, atol=2e-6)
    assert d.entropy().item() == pytest.approx(-(p * log_p).nansum().item(), abs=1e-4)
    if name not in NO_INVERSE:
        chance = t([0.01, 0.3, 0.5, 0.99])
        torch.testing.assert_close(d.cdf(d.icdf(chance)), chance, rtol=1e-9, atol=1e-9)
    mean = (p * x).sum().item()
    assert d.mean.item() == pytest.approx(mean, rel=1e-4)
    assert d.variance.item() == pytest.approx((p * (x - mean) ** 2).sum().item(), rel=1e-3)
    assert d.stddev.item() == pytest.approx(math.sqrt(d.variance.item()))


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_draws_have_the_moments(name: str) -> None:
    d = ON_THE_LINE[name][0]()
    torch.manual_seed(2)
    drawn = d.sample((4000,))
    assert d.support.check(drawn).all()
    assert drawn.mean().item() == pytest.approx(d.mean.item(), abs=5 * d.stddev.item() / math.sqrt(4000))


def test_divergences_are_integrals() -> None:
    """Of every pair that has a rule, both on this page and finite."""
    compared = 0
    for a, b in itertools.product(ON_THE_LINE, repeat=2):
        p, q = ON_THE_LINE[a][0](), ON_THE_LINE[b][0]()
        try:
            divergence = D.kl_divergence(p, q).item()
        except NotImplementedError:
            continue
        if not math.isfinite(divergence):
            continue
        x, step = _grid(*ON_THE_LINE[a][1])
        q._validate_args = False
        log_p = p.log_prob(x)
        each = torch.where(log_p > -700, log_p.exp() * (log_p - q.log_prob(x)), 0.0)
        assert divergence == pytest.approx(each.sum().item() * step, rel=1e-3, abs=1e-5), (a, b)
        assert divergence >= -1e-12
        compared += 1
    assert compared > 30


@pytest.mark.parametrize("p", [D.Gumbel, D.Laplace, D.Normal])
def test_what_reaches_beyond_is_infinitely_far(p: Any) -> None:
    for q in (D.Beta(1.0, 1.0), D.ContinuousBernoulli(0.3), D.Exponential(1.0), D.Gamma(1.0, 1.0), D.Pareto(1.0, 1.0)):
        assert D.kl_divergence(p(t([0.0, 1.0]), 1.0), q).tolist() == [math.inf, math.inf]


def test_infinite_divergences_leave_the_other_gradients_alone() -> None:
    alpha = t([0.7, 3.0]).requires_grad_()
    for q in (D.Exponential(t(2.0)), D.Gamma(t(2.0), t(1.0)), D.Normal(t(0.0), t(1.0))):
        out = D.kl_divergence(D.Pareto(t(1.0), alpha), q)
        assert out[0].item() == math.inf
        (slope,) = torch.autograd.grad(out[1], alpha)
        assert slope[0].item() == 0
        assert math.isfinite(slope[1].item())


# ---- angles ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kappa", [1e-6, 0.5, 3.0, 30.0])
def test_von_mises_goes_round(kappa: float) -> None:
    d = D.VonMises(t(2.0), t(kappa))
    x, step = _grid(-math.pi, math.pi, 20_000)
    p = d.log_prob(x).exp() * step
    assert p.sum().item() == pytest.approx(1, abs=1e-6)
    length = (p * (x - 2.0).cos()).sum().item()
    assert d.variance.item() == pytest.approx(1 - length, abs=1e-6)
    torch.testing.assert_close(d.log_prob(x + 4 * math.pi), d.log_prob(x))
    torch.manual_seed(0)
    drawn = d.sample((4000,))
    assert drawn.abs().max() <= math.pi
    assert (drawn - 2.0).cos().mean().item() == pytest.approx(length, abs=5 / math.sqrt(4000))
    assert not d.has_rsample
    assert (d.mean.item(), d.mode.item()) == (2, 2)


# ---- matrices --------------------------------------------------------------------------------------------------------
SIGMA = t([2.0, 0.5], [0.5, 1.0])


def test_wishart_numbers_have_the_moments() -> None:
    torch.manual_seed(0)
    d = D.Wishart(t([5.0, 8.0]), SIGMA)
    drawn = d.sample((3000,))
    assert drawn.shape == (3000, 2, 2, 2)
    assert ((drawn.mean(0) - d.mean).abs() < 5 * d.stddev / math.sqrt(3000)).all()
    np.testing.assert_allclose(drawn.std(0).numpy(), d.stddev.numpy(), rtol=0.1)
    entropy = -d.log_prob(drawn)
    np.testing.assert_allclose(entropy.mean(0).numpy(), d.entropy().numpy(), atol=0.2)
    torch.testing.assert_close(d.mode[1], 5 * SIGMA)
    assert D.Wishart(t(2.5), SIGMA).mode.isnan().all()
    assert d.expand((3, 2)).sample().shape == (3, 2, 2, 2)
    assert (D.kl_divergence(d, D.Wishart(t([5.0, 9.0]), SIGMA)) >= t([0.0, 0.01])).all()


def test_one_by_one_wishart_numbers_are_gamma_numbers() -> None:
    wishart, gamma = D.Wishart(t(3.0), t([[2.0]])), D.Gamma(t(1.5), t(0.25))
    x = t([0.5, 2.0, 7.0])
    torch.testing.assert_close(wishart.log_prob(x[:, None, None]), gamma.log_prob(x))
    torch.testing.assert_close(wishart.entropy(), gamma.entropy())
    other, its = D.Wishart(t(4.0), t([[1.0]])), D.Gamma(t(2.0), t(0.5))
    torch.testing.assert_close(D.kl_divergence(wishart, other), D.kl_divergence(gamma, its))


def test_wishart_of_each_matrix() -> None:
    made = {
        "covariance_matrix": SIGMA, "precision_matrix": torch.linalg.inv(SIGMA),
        "scale_tril": torch.linalg.cholesky(SIGMA),
    }  # fmt: skip
    for name, matrix in made.items():
        d = D.Wishart(3.0, **{name: matrix})
        for other, wanted in made.items():
            torch.testing.assert_close(getattr(d, other), wanted)
    with pytest.raises(AssertionError, match="Exactly one of"):
        D.Wishart(3.0, SIGMA, SIGMA)
    with pytest.raises(ValueError, match=r"df=1.0 expected to be greater than ndim - 1 = 1"):
        D.Wishart(1.0, SIGMA)
    with pytest.raises(ValueError, match="at least two-dimensional"):
        D.Wishart(3.0, t([1.0, 2.0]))
    with pytest.warns(UserWarning, match="Low df values"):
        low = D.Wishart(1.5, SIGMA)
    assert low.sample((3,)).shape == (3, 2, 2)


@pytest.mark.parametrize("n", [2, 4])
def test_lkj_numbers_are_roots_of_correlations(n: int) -> None:
    torch.manual_seed(0)
    d = D.LKJCholesky(n, t([0.5, 3.0]))
    drawn = d.sample((3000,))
    assert d.support.check(drawn).all()
    correlation = (drawn @ drawn.mT)[..., 1, 0]
    # each correlation r has (r + 1) / 2 of Beta(b, b), b = concentration - 1 + n / 2
    b = d.concentration - 1 + n / 2
    np.testing.assert_allclose(correlation.var(0).numpy(), (1 / (2 * b + 1)).numpy(), rtol=0.1)
    assert d.expand((3, 2)).sample().shape == (3, 2, n, n)


def test_lkj_density_of_one_correlation_integrates_to_one() -> None:
    r, step = _grid(-1, 1, 20_000)
    root = (1 - r**2).sqrt()
    lower = torch.stack([torch.stack([r * 0 + 1, r * 0], -1), torch.stack([r, root], -1)], -2)
    for concentration in (1.0, 2.5):
        # density of L's free number r: both are the same, as L₂₁ = r
        log_p = D.LKJCholesky(2, t(concentration), validate_args=False).log_prob(lower)
        assert (log_p.exp() * step).sum().item() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match="dim=1"):
        D.LKJCholesky(1)


def test_low_rank_is_the_same_as_full() -> None:
    loc, w, diagonal = t(0.5, -1.0, 2.0), t([1.0, 0.3], [2.0, 0.0], [0.5, 1.0]), t(1.0, 2.0, 0.5)
    low = D.LowRankMultivariateNormal(loc, w, diagonal)
    full = D.MultivariateNormal(loc, w @ w.mT + diagonal.diag())
    x = t([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    torch.testing.assert_close(low.log_prob(x), full.log_prob(x))
    torch.testing.assert_close(low.entropy(), full.entropy())
    for name in ("mean", "mode", "variance", "covariance_matrix", "precision_matrix", "scale_tril"):
        torch.testing.assert_close(getattr(low, name), getattr(full, name))
    other = D.LowRankMultivariateNormal(loc + 1, 2 * w, diagonal)
    its = D.MultivariateNormal(loc + 1, other.covariance_matrix)
    wanted = D.kl_divergence(full, its)
    for p, q in itertools.product((low, full), (other, its)):
        torch.testing.assert_close(D.kl_divergence(p, q), wanted)
    torch.manual_seed(0)
    drawn = low.expand((2,)).sample((4000,))
    np.testing.assert_allclose(torch.cov(drawn[:, 1].T).numpy(), low.covariance_matrix.numpy(), atol=0.4)
    wrong: list[tuple[Any, str]] = [
        ((t(1.0), w, diagonal), "loc must be"),
        ((loc, diagonal, diagonal), "cov_factor must be at least"),
        ((loc, w[:2], diagonal), "matrices with shape 3 x m"),
        ((loc, w, diagonal[:2]), "vectors with shape"),
        ((loc.expand(2, 3), w.expand(3, 3, 2), diagonal), "Incompatible batch shapes"),
    ]
    for arguments, message in wrong:
        with pytest.raises(ValueError, match=message):
            D.LowRankMultivariateNormal(*arguments)
    with pytest.raises(ValueError, match="different event shapes"):
        D.kl_divergence(low, D.MultivariateNormal(t(0.0, 0.0), torch.eye(2)))


# ---- gradients -------------------------------------------------------------------------------------------------------
def test_gradients_of_densities() -> None:
    a, b = t(0.3, 0.8).requires_grad_(), t(1.5, 2.5).requires_grad_()
    x = t(0.4, 0.7)
    families: list[Callable[..., Any]] = [D.VonMises, D.Beta, D.Gamma, D.Kumaraswamy, D.Gumbel, D.Cauchy]
    for family in families:
        assert gradcheck(lambda a, b, family=family: family(a, b).log_prob(x), (a, b))
    assert gradcheck(lambda a: D.ContinuousBernoulli(a).log_prob(x), (a,))
    assert gradcheck(lambda a, b: D.GeneralizedPareto(0.0, b, a).log_prob(x), (a, b))
    assert gradcheck(lambda b: D.LKJCholesky(2, b).log_prob(torch.eye(2, dtype=F64)), (b,))
    assert gradcheck(lambda b: D.Wishart(b + 1, SIGMA).log_prob(SIGMA), (b,))


def test_binomial_slope_at_even_chances() -> None:
    """ln(1 + exp x) is smooth at 0, though |x| in its formula is not."""
    probs = t(0.5).requires_grad_()
    assert gradcheck(lambda p: D.Binomial(7, p).log_prob(t(3.0)), (probs,))


# ---- constraints -----------------------------------------------------------------------------------------------------
INSIDE_AND_OUTSIDE: list[tuple[Any, Any, Any]] = [
    (constraints.boolean, t(1.0), t(0.5)),
    (constraints.integer_interval(0, 3), torch.tensor(3), torch.tensor(4)),
    (constraints.integer_interval(0, 3), t(3.0), t(2.5)),
    (constraints.greater_than(1.0), t(1.5), t(1.0)),
    (constraints.greater_than_eq(1.0), t(1.0), t(0.9)),
    (constraints.less_than(1.0), t(0.5), t(1.0)),
    (constraints.interval(0.0, 1.0), t(1.0), t(1.1)),
    (constraints.half_open_interval(0.0, 1.0), t(0.0), t(1.0)),
    (constraints.positive_integer, t(1.0), t(0.0)),
    (constraints.real, t(1e300), t(math.nan)),
    (constraints.one_hot, t(0.0, 1.0), t(1.0, 1.0)),
    (constraints.simplex, t(0.25, 0.75), t(0.5, 0.6)),
    (constraints.multinomial(3), t(1.0, 2.0), t(2.0, 2.0)),
    (constraints.real_vector, t(1.0, 2.0), t(1.0, math.nan)),
    (constraints.lower_triangular, t([1.0, 0.0], [2.0, -1.0]), t([1.0, 1.0], [0.0, 1.0])),
    (constraints.lower_cholesky, t([1.0, 0.0], [2.0, 1.0]), t([1.0, 0.0], [2.0, -1.0])),
    (constraints.corr_cholesky, t([1.0, 0.0], [0.6, 0.8]), t([1.0, 0.0], [0.6, 0.9])),
    (constraints.square, torch.ones(2, 2), torch.ones(2, 3)),
    (constraints.symmetric, t([1.0, 2.0], [2.0, 3.0]), t([1.0, 2.0], [2.1, 3.0])),
    (constraints.symmetric, torch.eye(2), torch.ones(2, 3)),
    (constraints.positive_semidefinite, t([1.0, 2.0], [2.0, 5.0]), t([1.0, 2.0], [2.0, 3.0])),
    (constraints.positive_definite, t([1.0, 2.0], [2.0, 5.0]), t([1.0, 2.0], [2.0, 4.0])),
    (constraints.stack([constraints.positive, constraints.real], -1), t(1.0, -1.0), t(-1.0, 1.0)),
    (constraints.cat([constraints.positive, constraints.real], 0, [2, 1]), t(1.0, 1.0, -1.0), t(1.0, -1.0, 1.0)),
    (constraints.independent(constraints.positive, 2), torch.ones(2, 2), t([1.0, -1.0], [1.0, 1.0])),
    (constraints.MixtureSameFamilyConstraint(constraints.positive), t(1.0), t(-1.0)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(INSIDE_AND_OUTSIDE)))
def test_regions(number: int) -> None:
    region, inside, outside = INSIDE_AND_OUTSIDE[number]
    assert region.check(inside).all()
    assert not region.check(outside).all()
    assert isinstance(region, constraints.Constraint)
    assert isinstance(region.is_discrete, bool)
    same = copy.deepcopy(region)
    assert repr(same) == repr(region)


def test_regions_shown_and_told_apart() -> None:
    assert isinstance(constraints.positive, constraints.greater_than)
    assert repr(constraints.half_open_interval(0, 2)) == "HalfOpenInterval(lower_bound=0, upper_bound=2)"
    assert repr(constraints.multinomial(3)) == "Multinomial()"
    assert repr(constraints.dependent) == "Dependent()"
    assert constraints.stack([constraints.simplex], -2).event_dim == 2
    assert constraints.cat([constraints.simplex, constraints.real]).event_dim == 1
    with pytest.raises(AssertionError, match="Constraint instances"):
        constraints.cat([3])
    with pytest.raises(AssertionError, match="out of range"):
        constraints.stack([constraints.real], 1).check(t(1.0, 2.0))
    with pytest.raises(ValueError, match="dependent constraint"):
        constraints.dependent.check(t(1.0))
    with pytest.raises(ValueError, match=r"Expected value.dim\(\) >= 2"):
        constraints.independent(constraints.real_vector, 1).check(t(1.0, 2.0))
    with pytest.raises(NotImplementedError, match="statically"):
        constraints.dependent.event_dim  # noqa: B018
    known = constraints.dependent(is_discrete=True, event_dim=1)
    assert (known.is_discrete, known.event_dim) == (True, 1)


def test_transforms_into_joined_regions() -> None:
    x = t(0.3, -0.7, 1.1)
    region = constraints.cat([constraints.positive, constraints.unit_interval], -1, [1, 2])
    for registry in (D.transform_to, D.biject_to):
        transform = registry(region)
        assert region.check(transform(x)).all()
        torch.testing.assert_close(transform.inv(transform(x)), x)
        both = registry(constraints.stack([constraints.positive, constraints.real], 0))
        assert both(t([-1.0, 2.0], [-3.0, 4.0]))[0].gt(0).all()
        corr = registry(constraints.corr_cholesky)
        assert constraints.corr_cholesky.check(corr(x)).all()
    with pytest.raises(TypeError, match="Constraint subclass"):
        D.transform_to.register(3, lambda region: D.ExpTransform())

    class Even(constraints.Constraint):
        pass

    D.transform_to.register(Even)(lambda region: D.ExpTransform())
    assert D.transform_to(Even()) == D.ExpTransform()


def test_correlations_turned_into_numbers_and_back() -> None:
    transform, x = D.CorrCholeskyTransform(), t(0.3, -0.7, 1.1)
    y = transform(x)
    torch.testing.assert_close(transform.inv(y), x)
    jacobian = torch.autograd.functional.jacobian(lambda x: utils.tril_matrix_to_vec(transform(x), -1), x)
    torch.testing.assert_close(transform.log_abs_det_jacobian(x, y), torch.linalg.slogdet(jacobian).logabsdet)
    assert transform.forward_shape((4, 3)) == (4, 3, 3)
    assert transform.inverse_shape((4, 3, 3)) == (4, 3)
    for shape, message in (((), "Too few"), ((4,), "not a flattened")):
        with pytest.raises(ValueError, match=message):
            transform.forward_shape(shape)
    for shape, message in (((3,), "Too few"), ((3, 2), "not square")):
        with pytest.raises(ValueError, match=message):
            transform.inverse_shape(shape)


def test_joined_transforms() -> None:
    x = t([0.3, -0.7], [1.1, 0.2])
    joined = D.CatTransform([D.ExpTransform(), D.AffineTransform(0.0, 3.0)], dim=-1, cache_size=1)
    y = joined(x)
    assert joined.inv(y) is x
    assert (joined.bijective, joined.event_dim, joined.length) == (True, 0, 2)
    torch.testing.assert_close(joined.log_abs_det_jacobian(x, y), torch.stack([x[:, 0], x[:, 1] * 0 + math.log(3)], -1))
    vectors = D.CatTransform([D.StickBreakingTransform().inv, D.SoftmaxTransform()], dim=-1)
    assert vectors.event_dim == 1
    summed = D.CatTransform([D.IndependentTransform(D.ExpTransform(), 1)] * 2, dim=-1)
    torch.testing.assert_close(summed.log_abs_det_jacobian(x, summed(x)), x.sum(-1))
    stacked = D.StackTransform([D.ExpTransform(), D.TanhTransform()], dim=0)
    assert stacked.with_cache(0) is stacked
    assert stacked.with_cache(1)._cache_size == 1
    assert repr(stacked.domain) == "Stack()"
    assert repr(joined.with_cache(0).codomain) == "Cat()"
    torch.testing.assert_close(stacked.inv(stacked(x)), x)
    with pytest.raises(AssertionError, match="Transform instances"):
        D.StackTransform([3])  # type: ignore[list-item]
    with pytest.raises(AssertionError, match="must match transforms"):
        D.CatTransform([D.ExpTransform()], lengths=[1, 2])
    with pytest.raises(AssertionError, match="must equal length 2"):
        joined(t(1.0, 2.0, 3.0))
    with pytest.raises(AssertionError, match="out of range"):
        joined(t(1.0))


def test_a_copula_has_uniform_margins() -> None:
    transform = D.CumulativeDistributionTransform(D.Normal(t(0.0), t(1.0)))
    base = D.MultivariateNormal(t(0.0, 0.0), scale_tril=t([1.0, 0.0], [0.6, 0.8]))
    torch.manual_seed(0)
    drawn = D.TransformedDistribution(base, [transform]).sample((4000,))
    np.testing.assert_allclose(drawn.mean(0).numpy(), 0.5, atol=0.03)
    np.testing.assert_allclose(drawn.var(0).numpy(), 1 / 12, atol=0.01)
    assert transform.with_cache(1)._cache_size == 1
    assert transform.with_cache(0) is transform
    assert repr(transform.domain) == "Real()"


def test_triangles_as_vectors() -> None:
    x = torch.arange(9.0).reshape(3, 3)
    for diagonal in (-1, 0, 1):
        flat = utils.tril_matrix_to_vec(x, diagonal)
        assert torch.equal(utils.vec_to_tril_matrix(flat, diagonal), x.tril(diagonal))
    with pytest.raises(ValueError, match="cannot be expressed"):
        utils.vec_to_tril_matrix(torch.ones(5))
    with pytest.raises(ValueError, match=r"diag \(3\)"):
        utils.tril_matrix_to_vec(x, 3)
    assert utils.clamp_probs(t(0.0, 1.0)).tolist() == [2.0**-52, 1 - 2.0**-52]
    torch.testing.assert_close(utils.logits_to_probs(utils.probs_to_logits(t(0.2, 0.8))), t(0.2, 0.8))


# ---- families of exponentials, rules ---------------------------------------------------------------------------------
class OneParameter(D.ExponentialFamily):
    """An exponential number, by its natural parameter -rate."""

    arg_constraints = {"rate": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative

    def __init__(self, rate: torch.Tensor) -> None:
        self.rate = rate
        super().__init__(rate.shape)

    @property
    def _natural_params(self) -> tuple[torch.Tensor, ...]:
        return (-self.rate,)

    _mean_carrier_measure = 0.0  # type: ignore[assignment]

    def _log_normalizer(self, *natural_params: torch.Tensor) -> torch.Tensor:
        return -(-natural_params[0]).log()


def test_an_exponential_family_has_entropy_and_divergence_from_its_normalizer() -> None:
    p, q = t(0.5, 2.0), t(1.0, 3.0)
    torch.testing.assert_close(OneParameter(p).entropy(), D.Exponential(p).entropy())
    wanted = D.kl_divergence(D.Exponential(p), D.Exponential(q))
    torch.testing.assert_close(D.kl_divergence(OneParameter(p), OneParameter(q)), wanted)
    with pytest.raises(NotImplementedError, match="different exponential families"):
        D.kl_divergence(OneParameter(p), D.Exponential(q))
    for method in ("entropy", "perplexity"):
        with pytest.raises(NotImplementedError):
            getattr(D.Poisson(t(1.0)), method)()


def test_an_ambiguous_rule_is_told() -> None:
    class Left(D.Cauchy):
        pass

    class Right(D.Cauchy):
        pass

    D.register_kl(Left, D.Cauchy)(lambda p, q: t(1.0))
    D.register_kl(D.Cauchy, Right)(lambda p, q: t(2.0))
    with pytest.warns(RuntimeWarning, match=r"register_kl\(Left, Right\)"):
        assert D.kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)).item() == 1
    D.register_kl(Left, Right)(lambda p, q: t(3.0))
    assert D.kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)).item() == 3


def test_copies_draw_the_same() -> None:
    for d in (
        D.Normal(0.0, 1.0), D.Wishart(t(3.0), SIGMA), D.LKJCholesky(3), D.VonMises(0.0, 1.0), D.Gumbel(0.0, 1.0),
        D.MixtureSameFamily(D.Categorical(t(1.0, 2.0)), D.Normal(t(0.0, 1.0), 1.0)),
    ):  # fmt: skip
        drawn = []
        for same in (d, copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
            torch.manual_seed(0)
            drawn.append(same.sample((2,)).tolist())
        assert drawn[0] == drawn[1] == drawn[2]


def test_grey_values_and_their_errors() -> None:
    with pytest.raises(ValueError, match="probs has invalid values"):
        D.ContinuousBernoulli(t(1.5), validate_args=False)
    d = D.ContinuousBernoulli(logits=t(-1.0, 0.0))
    assert d.cdf(t(0.0, 1.0)).tolist() == [0, 1]
    assert d.rsample((3,)).shape == (3, 2)
    assert d.param_shape == (2,)
    assert D.RelaxedBernoulli(0.5, t(0.3, 0.4)).expand((3, 2)).temperature.shape == ()


def test_tails_without_moments() -> None:
    d = D.GeneralizedPareto(t(0.0), t(1.0), t(0.3, 0.7, 1.5))
    assert d.mean.isnan().tolist() == [False, False, True]
    assert d.variance.isnan().tolist() == [False, True, True]
    with pytest.raises(ValueError, match="support"):
        D.GeneralizedPareto(0.0, 1.0, -0.5).log_prob(torch.tensor(2.5))


# ---- what transforms say of themselves -------------------------------------------------------------------------------
def test_transforms_made_of_transforms() -> None:
    turned = D.AffineTransform(1.0, -2.0)
    whole = D.ComposeTransform([D.ExpTransform(), turned])
    assert (whole.sign, whole.inv.sign, turned.inv.sign, whole.bijective) == (-1, -1, -1, True)
    assert whole.inv.inv is whole
    assert repr(turned.inv) == "_InverseTransform(AffineTransform())"
    assert repr(D.IndependentTransform(D.ExpTransform(), 1)) == "IndependentTransform(ExpTransform(), 1)"
    assert D.IndependentTransform(turned, 1).sign == -1
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert whole == D.ComposeTransform([D.ExpTransform(), D.AffineTransform(1.0, -2.0)])
    assert D.AffineTransform(1.0, 2.0) != turned
    assert D.PowerTransform(t(2.0)) == D.PowerTransform(t(2.0))
    assert D.PowerTransform(t(-2.0)).sign == -1
    assert (whole.forward_shape((3,)), whole.inverse_shape((3,))) == ((3,), (3,))
    identity = D.identity_transform
    assert identity.log_abs_det_jacobian(t(1.0), t(1.0)).item() == 0
    assert repr(identity.domain) == "Real()"
    for transform in (whole, turned, turned.inv, D.IndependentTransform(turned, 1), D.ReshapeTransform((4,), (2, 2)),
                      D.PowerTransform(t(2.0)), D.ExpTransform()):  # fmt: skip
        cached = transform.with_cache(1)
        assert cached._cache_size == 1
        assert cached.with_cache(1) is cached
        assert cached.bijective


def test_transforms_errors() -> None:
    shapes = D.ReshapeTransform((4,), (2, 2))
    with pytest.raises(ValueError, match=r"domain\.event_dim or"):
        shapes.event_dim  # noqa: B018
    with pytest.raises(ValueError, match="different numbers of elements"):
        D.ReshapeTransform((4,), (3,))
    for shape in ((), (3,)):
        with pytest.raises(ValueError, match=r"Too few|mismatch"):
            shapes.forward_shape(shape)
    with pytest.raises(ValueError, match="Too few"):
        D.IndependentTransform(D.ExpTransform(), 1)(t(1.0))
    for transform in (D.SoftmaxTransform(), D.StickBreakingTransform()):
        with pytest.raises(ValueError, match="Too few"):
            transform.forward_shape(())

    class Half(D.Transform):
        domain = codomain = constraints.real

        def __init__(self, by: float, cache_size: int = 0) -> None:
            super().__init__(cache_size)

    half = Half(2.0)
    for call in (lambda: half.with_cache(1), lambda: half(t(1.0)), lambda: half.inv(t(1.0)), lambda: half.sign,
                 lambda: half.log_abs_det_jacobian(t(1.0), t(1.0))):  # fmt: skip
        with pytest.raises(NotImplementedError):
            call()


def test_distributions_say_what_they_can() -> None:
    normal, even = D.Normal(t(0.0, 1.0), 1.0), D.Bernoulli(t(0.5, 0.5))
    assert D.Independent(normal, 1).has_rsample
    assert not D.Independent(even, 1).has_enumerate_support
    assert D.Independent(even, 0).enumerate_support().shape == (2, 2)
    with pytest.raises(NotImplementedError, match="cartesian"):
        D.Independent(even, 1).enumerate_support()
    assert D.TransformedDistribution(normal, []).support is normal.support
    for method in ("entropy", "enumerate_support"):
        with pytest.raises(NotImplementedError):
            getattr(D.TransformedDistribution(normal, D.ExpTransform()), method)()
    with pytest.raises(ValueError, match="size at least 1"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform())
    with pytest.raises(ValueError, match="Transform or list"):
        D.TransformedDistribution(normal, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Mixture distribution needs"):
        D.MixtureSameFamily(normal, normal)
    with pytest.raises(ValueError, match="Component distribution needs"):
        D.MixtureSameFamily(D.Categorical(t(1.0, 1.0)), 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not compatible"):
        D.MixtureSameFamily(D.Categorical(torch.ones(3, 2)), D.Normal(torch.zeros(4, 2), 1.0))
    for arguments, message in (((t(1.0), SIGMA), "loc must be"), ((t(0.0, 1.0), t(1.0, 1.0)), "at least two")):
        with pytest.raises(ValueError, match=message):
            D.MultivariateNormal(*arguments)
    with pytest.raises(ValueError, match="to be positive"):
        D.Geometric(t(0.0))


def test_checks_can_be_turned_off() -> None:
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Normal(0.0, -1.0).scale.item() == -1
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="True or False"):
        D.Distribution.set_default_validate_args(3)  # type: ignore[arg-type]

    class Bare(D.Distribution):
        pass

    with pytest.warns(UserWarning, match="arg_constraints"):
        bare = Bare()
    with pytest.warns(UserWarning, match="support"):
        bare._validate_sample(t(1.0))
    with pytest.warns(FutureWarning, match="sample_n"):
        assert D.Normal(t(0.0, 1.0), 1.0).sample_n(3).shape == (3, 2)
