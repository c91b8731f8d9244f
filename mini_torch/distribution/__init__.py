"""Probability distributions: what they give when drawn from, densities, moments, divergences.

constraint.py           where parameters and values may lie
parameter.py            what is given, in one shape: probs and logits, vectors and triangles
distribution.py         what all have in common
continuous.py           Normal, Uniform, Exponential, Laplace
discrete.py             Bernoulli, Binomial, Poisson, Categorical, OneHotCategorical, Multinomial
trials.py               Geometric, NegativeBinomial
gamma.py                Gamma, Chi2, Dirichlet, Beta; their gradients in pathwise.py
continuous_bernoulli.py ContinuousBernoulli
heavy_tailed.py         Cauchy, StudentT, GeneralizedPareto
von_mises.py            VonMises
multivariate_normal.py  MultivariateNormal; low_rank.py: LowRankMultivariateNormal
matrices.py             Wishart, LKJCholesky
independent.py          batch dimensions as parts of one event
mixture.py              MixtureSameFamily
transform.py            what a transform is, and how they are put together; transforms.py: the transforms
joined.py               CatTransform, StackTransform
transformed.py          TransformedDistribution, LogNormal, HalfNormal, HalfCauchy, Gumbel
powers.py               Pareto, Weibull, InverseGamma, Kumaraswamy, FisherSnedecor
relaxed.py              RelaxedBernoulli, RelaxedOneHotCategorical, LogisticNormal
divergence.py           kl_divergence; divergences.py: its rules, and between_families.py
transform_to.py         a transform onto a constraint's region
"""

from . import between_families as between_families
from . import divergences as divergences
from .continuous import Exponential as Exponential
from .continuous import Laplace as Laplace
from .continuous import Normal as Normal
from .continuous import Uniform as Uniform
from .continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
from .discrete import Bernoulli as Bernoulli
from .discrete import Binomial as Binomial
from .discrete import Categorical as Categorical
from .discrete import Multinomial as Multinomial
from .discrete import OneHotCategorical as OneHotCategorical
from .discrete import OneHotCategoricalStraightThrough as OneHotCategoricalStraightThrough
from .discrete import Poisson as Poisson
from .distribution import Distribution as Distribution
from .distribution import ExponentialFamily as ExponentialFamily
from .divergence import kl_divergence as kl_divergence
from .divergence import register_kl as register_kl
from .gamma import Beta as Beta
from .gamma import Chi2 as Chi2
from .gamma import Dirichlet as Dirichlet
from .gamma import Gamma as Gamma
from .heavy_tailed import Cauchy as Cauchy
from .heavy_tailed import GeneralizedPareto as GeneralizedPareto
from .heavy_tailed import StudentT as StudentT
from .independent import Independent as Independent
from .joined import CatTransform as CatTransform
from .joined import StackTransform as StackTransform
from .low_rank import LowRankMultivariateNormal as LowRankMultivariateNormal
from .matrices import LKJCholesky as LKJCholesky
from .matrices import Wishart as Wishart
from .mixture import MixtureSameFamily as MixtureSameFamily
from .multivariate_normal import MultivariateNormal as MultivariateNormal
from .powers import FisherSnedecor as FisherSnedecor
from .powers import InverseGamma as InverseGamma
from .powers import Kumaraswamy as Kumaraswamy
from .powers import Pareto as Pareto
from .powers import Weibull as Weibull
from .relaxed import ExpRelaxedCategorical as ExpRelaxedCategorical
from .relaxed import LogisticNormal as LogisticNormal
from .relaxed import LogitRelaxedBernoulli as LogitRelaxedBernoulli
from .relaxed import RelaxedBernoulli as RelaxedBernoulli
from .relaxed import RelaxedOneHotCategorical as RelaxedOneHotCategorical
from .transform import ComposeTransform as ComposeTransform
from .transform import IndependentTransform as IndependentTransform
from .transform import ReshapeTransform as ReshapeTransform
from .transform import Transform as Transform
from .transform import identity_transform as identity_transform
from .transform_to import ConstraintRegistry as ConstraintRegistry
from .transform_to import biject_to as biject_to
from .transform_to import transform_to as transform_to
from .transformed import Gumbel as Gumbel
from .transformed import HalfCauchy as HalfCauchy
from .transformed import HalfNormal as HalfNormal
from .transformed import LogNormal as LogNormal
from .transformed import TransformedDistribution as TransformedDistribution
from .transforms import AbsTransform as AbsTransform
from .transforms import AffineTransform as AffineTransform
from .transforms import CorrCholeskyTransform as CorrCholeskyTransform
from .transforms import CumulativeDistributionTransform as CumulativeDistributionTransform
from .transforms import ExpTransform as ExpTransform
from .transforms import LowerCholeskyTransform as LowerCholeskyTransform
from .transforms import PositiveDefiniteTransform as PositiveDefiniteTransform
from .transforms import PowerTransform as PowerTransform
from .transforms import SigmoidTransform as SigmoidTransform
from .transforms import SoftmaxTransform as SoftmaxTransform
from .transforms import SoftplusTransform as SoftplusTransform
from .transforms import StickBreakingTransform as StickBreakingTransform
from .transforms import TanhTransform as TanhTransform
from .trials import Geometric as Geometric
from .trials import NegativeBinomial as NegativeBinomial
from .von_mises import VonMises as VonMises

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy",
    "Chi2", "ComposeTransform", "ConstraintRegistry", "ContinuousBernoulli", "CorrCholeskyTransform",
    "CumulativeDistributionTransform", "Dirichlet", "Distribution", "ExpRelaxedCategorical", "ExpTransform",
    "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric", "Gumbel",
    "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma", "Kumaraswamy",
    "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LogitRelaxedBernoulli", "LowRankMultivariateNormal",
    "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial",
    "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson",
    "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical",
    "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform",
    "StickBreakingTransform", "StudentT", "TanhTransform", "Transform", "TransformedDistribution", "Uniform",
    "VonMises", "Weibull", "Wishart", "biject_to", "identity_transform", "kl_divergence", "register_kl",
    "transform_to",
]  # fmt: skip
