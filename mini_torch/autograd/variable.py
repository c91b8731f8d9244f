"""PyTorch's `autograd.variable`. A door: it defines nothing."""

from ..tensor import Tensor as Variable  # noqa: F401
