"""Probability distributions: what they give when drawn from, densities, moments, divergences.

constraint.py     where parameters and values may lie
distribution.py   what all have in common
continuous.py     Normal, Uniform, Exponential, Laplace
discrete.py       Bernoulli, Binomial, Poisson, Categorical, OneHotCategorical, Multinomial
independent.py    batch dimensions as parts of one event
divergence.py     kl_divergence
"""

from .continuous import Exponential as Exponential
from .continuous import Laplace as Laplace
from .continuous import Normal as Normal
from .continuous import Uniform as Uniform
from .discrete import Bernoulli as Bernoulli
from .discrete import Binomial as Binomial
from .discrete import Categorical as Categorical
from .discrete import Multinomial as Multinomial
from .discrete import OneHotCategorical as OneHotCategorical
from .discrete import Poisson as Poisson
from .distribution import Distribution as Distribution
from .distribution import ExponentialFamily as ExponentialFamily
from .divergence import kl_divergence as kl_divergence
from .divergence import register_kl as register_kl
from .gamma import Beta as Beta
from .gamma import Chi2 as Chi2
from .gamma import Dirichlet as Dirichlet
from .gamma import Gamma as Gamma
from .independent import Independent as Independent

__all__ = [
    "Bernoulli", "Beta", "Binomial", "Categorical", "Chi2", "Dirichlet", "Distribution", "Exponential",
    "ExponentialFamily", "Gamma", "Independent", "Laplace", "Multinomial", "Normal", "OneHotCategorical",
    "Poisson", "Uniform", "kl_divergence", "register_kl",
]  # fmt: skip
