"""Rules for `kl_divergence` between two families: -H(p) - E ln q. Source: PyTorch's page "torch.distributions"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import Tensor
from .continuous import Exponential, Laplace, Normal, Uniform
from .continuous_bernoulli import ContinuousBernoulli
from .discrete import Bernoulli, Binomial, Poisson
from .divergence import register_kl
from .gamma import Beta, Gamma
from .powers import Pareto
from .transformed import Gumbel

__all__: list[str] = []

_GAMMA = float(np.euler_gamma)


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    width, apart = p.high - p.low, (p.high + p.low - 2 * q.loc) / 2
    return (math.sqrt(2 * math.pi) * q.scale / width).log() + 0.5 * (width**2 / 12 + apart**2) / q.scale**2


@register_kl(Exponential, Normal)
def _exponential_normal(p: Exponential, q: Normal) -> Tensor:
    variance = q.scale**2
    moments = p.rate**-2 - q.loc / p.rate + 0.5 * q.loc**2
    return 0.5 * (2 * math.pi * p.rate**2 * variance).log() - 1 + moments / variance


@register_kl(Laplace, Normal)
def _laplace_normal(p: Laplace, q: Normal) -> Tensor:
    variance = q.scale**2
    ratio = p.scale**2 / variance
    return -0.5 * (2 * ratio / math.pi).log() + ratio + 0.5 * (p.loc - q.loc) ** 2 / variance - 1


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _exponential_after(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
def _normal_after(p: Any, q: Normal) -> Tensor:
    return _normal_of(-p.entropy(), p.variance + (p.mean - q.loc) ** 2, q)


def _normal_of(negative_entropy: Tensor, squares: Tensor, q: Normal) -> Tensor:
    """`squares`: the mean of (x - loc)²."""
    return negative_entropy + 0.5 * (2 * math.pi * q.scale**2).log() + 0.5 * squares / q.scale**2


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


@register_kl(Beta, ContinuousBernoulli)
def _beta_grey(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q.log_norm()


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_grey(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    """As PyTorch's: infinite also where p reaches an end of [0, 1]."""
    finite = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q.log_norm()
    return finite.masked_fill((p.high >= 1) | (p.low <= 0), math.inf)


@register_kl(ContinuousBernoulli, Uniform)
def _grey_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    """As PyTorch's: infinite unless q lies beyond both ends of [0, 1], which it may not touch."""
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low >= 0) | (q.high <= 1), math.inf)


def _pareto_mean(p: Pareto) -> Tensor:
    """As if it existed for every alpha, so that what is then filled with ∞ has a finite gradient."""
    return p.alpha * p.scale / (p.alpha - 1)


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    return (-p.entropy() - q.rate.log() + q.rate * _pareto_mean(p)).masked_fill(p.alpha <= 1, math.inf)


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    a, expected = q.concentration, p.scale.log() + 1 / p.alpha  # of ln x
    finite = -p.entropy() + a.lgamma() - a * q.rate.log() - (a - 1) * expected + q.rate * _pareto_mean(p)
    return finite.masked_fill(p.alpha <= 1, math.inf)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    mean = _pareto_mean(p)
    squares = (mean / p.alpha) ** 2 * p.alpha / (p.alpha - 2) + (mean - q.loc) ** 2
    return _normal_of(-p.entropy(), squares, q).masked_fill(p.alpha <= 2, math.inf)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    density = (q.alpha * q.scale**q.alpha).log() - (q.alpha + 1) * _mean_log(p.low, p.high)
    return (-p.entropy() - density).masked_fill(p.low < q.scale, math.inf)


# ---- p has values where q has none -------------------------------------------------------------------------
def _beyond(p: Any, q: Any) -> Tensor:
    """∞ for each of p's batch."""
    return p.mean.new_full(p.batch_shape, math.inf)


for _p, _without in {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}.items():
    for _q in _without:
        register_kl(_p, _q)(_beyond)
