"""The door to `torch.func`: it defines nothing."""

from ..network.stateless import functional_call as functional_call
from ..network.stateless import stack_module_state as stack_module_state
from ..transform import grad as grad
from ..transform import grad_and_value as grad_and_value
from ..transform import hessian as hessian
from ..transform import jacfwd as jacfwd
from ..transform import jacrev as jacrev
from ..transform import jvp as jvp
from ..transform import linearize as linearize
from ..transform import vjp as vjp
from ..transform import vmap as vmap
