"""mini_torch: PyTorch's API on nothing but NumPy. This is the door to the `torch.*` names; it defines nothing.

>>> import mini_torch as torch
>>> x = torch.tensor([1., 2.], requires_grad=True)
>>> (x ** 2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

from . import tensor as tensor
from .creation import *  # noqa: F403
from .dtype import *  # noqa: F403
from .graph import enable_grad as enable_grad
from .graph import inference_mode as inference_mode
from .graph import is_grad_enabled as is_grad_enabled
from .graph import is_inference_mode_enabled as is_inference_mode_enabled
from .graph import no_grad as no_grad
from .graph import set_grad_enabled as set_grad_enabled
from .ops import *  # noqa: F403
from .tensor import Tensor as Tensor
