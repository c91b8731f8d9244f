"""Rules for `kl_divergence` between the other families. Sources: PyTorch's page "torch.distributions"; Gil, "On Rényi
divergence measures for continuous alphabet sources", 2011."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.linalg.elimination import solve_triangular
from ..tensor import Tensor
from .continuous import Exponential, Laplace, Normal, Uniform
from .discrete import Bernoulli, Binomial, Poisson
from .divergence import kl_divergence, register_kl
from .gamma import Beta, Dirichlet, Gamma
from .heavy_tailed import Cauchy
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .transformed import Gumbel, HalfNormal, TransformedDistribution
from .trials import Geometric

__all__: list[str] = []

_GAMMA = float(np.euler_gamma)


# ---- of one family -----------------------------------------------------------------------------------------
@register_kl(Gamma, Gamma)
def _gammas(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (q.rate - p.rate) * p.mean


@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    expected = a.digamma() - a.sum(-1, keepdim=True).digamma()  # of ln x
    log_betas = b.lgamma().sum(-1) - b.sum(-1).lgamma() - a.lgamma().sum(-1) + a.sum(-1).lgamma()
    return log_betas + ((a - b) * expected).sum(-1)


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    return _dirichlets(p._dirichlet, q._dirichlet)


@register_kl(Geometric, Geometric)
def _geometrics(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbels(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return -ratio.log() + apart + ratio * _GAMMA + ((1 + ratio).lgamma() - apart).exp() - (1 + _GAMMA)


@register_kl(Cauchy, Cauchy)
def _cauchies(p: Cauchy, q: Cauchy) -> Tensor:
    return (((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale)).log()


@register_kl(HalfNormal, HalfNormal)
@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """What is transformed alike diverges as it did before."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(f"KL(p || q) of two different transforms, {p.transforms} and {q.transforms}")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed: "
            f"{p.event_shape} and {q.event_shape}"
        )
    trace = (solve_triangular(q._lower, p._lower, upper=False) ** 2).sum((-2, -1))
    squares = trace + mahalanobis(q._lower, q.loc - p.loc) - p.event_shape[0]
    return half_log_det(q._lower) - half_log_det(p._lower) + 0.5 * squares


# ---- of two families: -H(p) - E ln q -----------------------------------------------------------------------
@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, Exponential)
@register_kl(Gamma, Exponential)
def _exponential_after(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
def _normal_after(p: Any, q: Normal) -> Tensor:
    squares = p.variance + (p.mean - q.loc) ** 2
    return -p.entropy() + 0.5 * (2 * math.pi * q.scale**2).log() + 0.5 * squares / q.scale**2


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    ratio, b = q.rate / p.rate, q.concentration
    return -b * ratio.log() + ratio + b.lgamma() + b * _GAMMA - (1 + _GAMMA)


@register_kl(Beta, Gamma)
def _beta_gamma(p: Beta, q: Gamma) -> Tensor:
    a, b, c = p.concentration1, p.concentration0, q.concentration
    expected = a.digamma() - (a + b).digamma()  # of ln x
    return -p.entropy() + c.lgamma() - c * q.rate.log() - (c - 1) * expected + q.rate * p.mean


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    apart, ratio = p.loc - q.loc, p.scale / q.scale
    z = apart / p.scale
    expected = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z**2).exp() + apart * (math.sqrt(0.5) * z).erf()  # |x - loc|
    return -ratio.log() + expected / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    ratio, apart = (p.scale / q.scale) ** 2, (p.loc - q.loc) / q.scale
    return -0.5 * ratio.log() + apart + (-apart + 0.5 * ratio).exp() - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low > 0) | (q.high < 1), math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    finite = q.rate * (p.high + p.low) / 2 - ((p.high - p.low) * q.rate).log()
    return finite.masked_fill(p.low < 0, math.inf)


def _mean_log(low: Tensor, high: Tensor) -> Tensor:
    """The mean of ln x from low to high."""
    return (high.xlogy(high) - low.xlogy(low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    expected = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    finite = -p.entropy() - expected + a.lgamma() + b.lgamma() - (a + b).lgamma()
    return finite.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    a = q.concentration
    finite = -p.entropy() + a.lgamma() - a.xlogy(q.rate) - (a - 1) * _mean_log(p.low, p.high) + q.rate * p.mean
    return finite.masked_fill(p.low < 0, math.inf)


def _gumbel_after(p: Any, q: Gumbel, expected: Tensor) -> Tensor:
    """`expected`: of exp(-x / q.scale)."""
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) / q.scale + (q.loc / q.scale).exp() * expected


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    return _gumbel_after(p, q, (1 + 1 / (p.rate * q.scale)) ** -p.concentration)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    return _gumbel_after(p, q, p.rate * q.scale / (p.rate * q.scale + 1))


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    fall = (-p.low / q.scale).exp() - (-p.high / q.scale).exp()
    return _gumbel_after(p, q, q.scale * fall / (p.high - p.low))


@register_kl(Exponential, Beta)
@register_kl(Exponential, Uniform)
@register_kl(Gamma, Beta)
@register_kl(Gamma, Uniform)
@register_kl(Gumbel, Beta)
@register_kl(Gumbel, Exponential)
@register_kl(Gumbel, Gamma)
@register_kl(Gumbel, Uniform)
@register_kl(Laplace, Beta)
@register_kl(Laplace, Exponential)
@register_kl(Laplace, Gamma)
@register_kl(Laplace, Uniform)
@register_kl(Normal, Beta)
@register_kl(Normal, Exponential)
@register_kl(Normal, Gamma)
@register_kl(Normal, Uniform)
@register_kl(Poisson, Bernoulli)
@register_kl(Poisson, Binomial)
def _beyond(p: Any, q: Any) -> Tensor:
    """p has values where q has none."""
    return (p.mean * 0).masked_fill(p.mean == p.mean, math.inf)
