"""PyTorch's `torch.backends.opt_einsum`: `einsum` finds its order without it. A door: it defines nothing."""

from ..hardware import is_available as is_available
from ..hardware import nothing as get_opt_einsum  # noqa: F401

enabled = False
strategy = None
