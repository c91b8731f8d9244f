"""PyTorch's `torch.distributions`. A door: it defines nothing."""

from ..distribution import *  # noqa: F403
from ..distribution import __all__ as __all__
from . import bernoulli as bernoulli
from . import beta as beta
from . import binomial as binomial
from . import categorical as categorical
from . import cauchy as cauchy
from . import chi2 as chi2
from . import constraint_registry as constraint_registry
from . import constraints as constraints
from . import dirichlet as dirichlet
from . import distribution as distribution
from . import exp_family as exp_family
from . import exponential as exponential
from . import gamma as gamma
from . import geometric as geometric
from . import gumbel as gumbel
from . import half_cauchy as half_cauchy
from . import half_normal as half_normal
from . import independent as independent
from . import kl as kl
from . import laplace as laplace
from . import log_normal as log_normal
from . import mixture_same_family as mixture_same_family
from . import multinomial as multinomial
from . import multivariate_normal as multivariate_normal
from . import negative_binomial as negative_binomial
from . import normal as normal
from . import one_hot_categorical as one_hot_categorical
from . import poisson as poisson
from . import studentT as studentT
from . import transformed_distribution as transformed_distribution
from . import transforms as transforms
from . import uniform as uniform
from . import utils as utils
