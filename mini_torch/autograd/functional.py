"""PyTorch's `torch.autograd.functional`. A door: it defines nothing."""

from ..transform.functional import hessian as hessian
from ..transform.functional import hvp as hvp
from ..transform.functional import jacobian as jacobian
from ..transform.functional import jvp as jvp
from ..transform.functional import vhp as vhp
from ..transform.functional import vjp as vjp
