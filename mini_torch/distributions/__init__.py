"""PyTorch's `torch.distributions`. A door: it defines nothing."""

from ..distribution import *  # noqa: F403
from ..distribution import __all__ as __all__
from . import bernoulli as bernoulli
from . import binomial as binomial
from . import categorical as categorical
from . import constraints as constraints
from . import distribution as distribution
from . import exponential as exponential
from . import independent as independent
from . import kl as kl
from . import laplace as laplace
from . import multinomial as multinomial
from . import normal as normal
from . import one_hot_categorical as one_hot_categorical
from . import poisson as poisson
from . import uniform as uniform
