"""The door to `torch.autograd.function`: it defines nothing."""

from ..function import Function as Function
from ..function import FunctionCtx as FunctionCtx
from ..function import once_differentiable as once_differentiable
