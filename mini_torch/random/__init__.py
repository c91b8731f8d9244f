"""Random numbers: generators with PyTorch's stream, and tensors filled from them.

    gaussian.py        uniform numbers into normal ones
    generator.py       Generator, the default generator, seeds and states
    distributions.py   geometric, Cauchy, log-normal, multinomial, Poisson
    gamma.py           gamma and Dirichlet
    inplace.py         Tensor.uniform_, normal_ …
    functions.py       rand, randn, randint …
"""

from . import inplace as inplace
from .functions import bernoulli as bernoulli
from .functions import binomial as binomial
from .functions import multinomial as multinomial
from .functions import normal as normal
from .functions import poisson as poisson
from .functions import rand as rand
from .functions import rand_like as rand_like
from .functions import randint as randint
from .functions import randint_like as randint_like
from .functions import randn as randn
from .functions import randn_like as randn_like
from .functions import randperm as randperm
from .generator import Generator as Generator
from .generator import default_generator as default_generator
from .generator import fork_rng as fork_rng
from .generator import get_rng_state as get_rng_state
from .generator import initial_seed as initial_seed
from .generator import manual_seed as manual_seed
from .generator import seed as seed
from .generator import set_rng_state as set_rng_state
from .generator import thread_safe_generator as thread_safe_generator

__all__ = [
    "Generator", "bernoulli", "binomial", "default_generator", "fork_rng", "get_rng_state", "initial_seed",
    "manual_seed", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip
