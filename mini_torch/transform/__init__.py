"""Functions of functions: gradients, Jacobians and batches of what a function computes."""

from .batch import vmap as vmap
from .gradient import grad as grad
from .gradient import grad_and_value as grad_and_value
from .gradient import jvp as jvp
from .gradient import linearize as linearize
from .gradient import vjp as vjp
from .jacobian import hessian as hessian
from .jacobian import jacfwd as jacfwd
from .jacobian import jacrev as jacrev
