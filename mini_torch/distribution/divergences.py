"""Rules for `kl_divergence` within a family. Sources: PyTorch's page "torch.distributions"; Gil, "On Rényi divergence
measures for continuous alphabet sources", 2011; for Cauchy numbers Chyzak and Nielsen, 2019."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.activation import softplus
from ..ops.linalg.elimination import solve_triangular
from ..tensor import Tensor
from .continuous import Exponential, Laplace, Uniform
from .continuous_bernoulli import ContinuousBernoulli
from .discrete import Bernoulli, Binomial, Categorical, OneHotCategorical, Poisson
from .distribution import ExponentialFamily
from .divergence import kl_divergence, register_kl
from .gamma import Beta, Dirichlet, Gamma
from .heavy_tailed import Cauchy
from .independent import Independent
from .low_rank import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .parameter import total
from .powers import Pareto
from .transformed import Gumbel, HalfNormal, TransformedDistribution
from .trials import Geometric

__all__: list[str] = []

_GAMMA = float(np.euler_gamma)


# ---- numbers -----------------------------------------------------------------------------------------------
@register_kl(Laplace, Laplace)
def _laplaces(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Exponential, Exponential)
def _exponentials(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Uniform, Uniform)
def _uniforms(p: Uniform, q: Uniform) -> Tensor:
    divergence = ((q.high - q.low) / (p.high - p.low)).log()
    return divergence.masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(Gamma, Gamma)
def _gammas(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (q.rate - p.rate) * p.mean


@register_kl(Beta, Beta)
def _betas(p: Beta, q: Beta) -> Tensor:
    return _dirichlets(p._dirichlet, q._dirichlet)


@register_kl(Gumbel, Gumbel)
def _gumbels(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return -ratio.log() + apart + ratio * _GAMMA + ((1 + ratio).lgamma() - apart).exp() - (1 + _GAMMA)


@register_kl(Cauchy, Cauchy)
def _cauchies(p: Cauchy, q: Cauchy) -> Tensor:
    return (((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale)).log()


@register_kl(Pareto, Pareto)
def _paretos(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    finite = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return finite.masked_fill(p.scale < q.scale, math.inf)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _greys(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    logs = p.log_norm() + (-p.probs).log1p() - q.log_norm() - (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + logs


# ---- counts ------------------------------------------------------------------------------------------------
@register_kl(Poisson, Poisson)
def _poissons(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    one = one.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0)
    return one + zero.masked_fill(q.probs == 1, math.inf).masked_fill(p.probs == 1, 0)


@register_kl(Binomial, Binomial)
def _binomials(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented, got "
            f"{p.total_count} and {q.total_count}"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return (p.total_count * each).masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Categorical, Categorical)
def _categoricals(p: Categorical, q: Categorical) -> Tensor:
    each = p.probs * (p.logits - q.logits)
    return each.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hots(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categoricals(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _geometrics(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


# ---- vectors -----------------------------------------------------------------------------------------------
@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    expected = a.digamma() - a.sum(-1, keepdim=True).digamma()  # of ln x
    log_betas = b.lgamma().sum(-1) - b.sum(-1).lgamma() - a.lgamma().sum(-1) + a.sum(-1).lgamma()
    return log_betas + ((a - b) * expected).sum(-1)


def _check_events(p: Any, q: Any, family: str) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two {family} with different event shapes cannot be computed: "
            f"{p.event_shape} and {q.event_shape}"
        )


def _square_sum(matrix: Tensor) -> Tensor:
    """tr M Mᵀ."""
    return (matrix**2).sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    _check_events(p, q, "Multivariate Normals")
    trace = _square_sum(solve_triangular(q._lower, p._lower, upper=False))
    squares = trace + mahalanobis(q._lower, q.loc - p.loc) - p.event_shape[0]
    return half_log_det(q._lower) - half_log_det(p._lower) + 0.5 * squares


def _trace_in(q: LowRankMultivariateNormal, root: Tensor) -> Tensor:
    """tr Σ⁻¹ R Rᵀ, Σ = q's."""
    return _square_sum(root * q.cov_diag.rsqrt().unsqueeze(-1)) - _square_sum(q.whitened() @ root)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_ranks(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _check_events(p, q, "Low Rank Multivariate Normals")
    of_diagonal = (p.cov_diag / q.cov_diag).sum(-1) - _square_sum(q.whitened() * p.cov_diag.sqrt().unsqueeze(-2))
    squares = of_diagonal + _trace_in(q, p.cov_factor) + q.squared_distance(q.loc - p.loc) - p.event_shape[0]
    return 0.5 * (q.log_det() - p.log_det() + squares)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _full_low_rank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _check_events(p, q, "(Low Rank) Multivariate Normals")
    squares = _trace_in(q, p._lower) + q.squared_distance(q.loc - p.loc) - p.event_shape[0]
    return 0.5 * (q.log_det() - 2 * half_log_det(p._lower) + squares)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_full(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    _check_events(p, q, "(Low Rank) Multivariate Normals")
    roots = (p.cov_factor, p.cov_diag.sqrt().diag_embed())
    trace = sum(_square_sum(solve_triangular(q._lower, root, upper=False)) for root in roots)
    squares = trace + mahalanobis(q._lower, q.loc - p.loc) - p.event_shape[0]
    return 0.5 * (2 * half_log_det(q._lower) - p.log_det() + squares)


# ---- of whatever is inside ---------------------------------------------------------------------------------
@register_kl(HalfNormal, HalfNormal)
@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """What is transformed alike diverges as it did before."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(f"KL(p || q) of two different transforms, {p.transforms} and {q.transforms}")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independents(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            f"KL between Independents of {p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims} dimensions"
        )
    return total(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_families(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """F(θq) - F(θp) - ⟨θq - θp, ∇F(θp)⟩, F the log normalizer and θ the natural parameters. Nielsen and Nock,
    "Entropies and cross-entropies of exponential families", 2010. (PyTorch adds up the terms of a whole batch.)"""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences"
        )
    log_norm, slopes, given = p.log_norm_with_slopes()
    out = q._log_normalizer(*q._natural_params) - log_norm
    for of_q, of_p, slope in zip(q._natural_params, given, slopes):
        apart = (of_q - of_p) * slope
        out = out - total(apart, apart.ndim - out.ndim)
    return out
