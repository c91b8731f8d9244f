"""What a network is made of: parameters, modules and the containers that hold them."""

from .containers import ModuleDict, ModuleList, Network, ParameterDict, ParameterList, Sequential
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "Buffer", "LazyModuleMixin", "Module", "ModuleDict", "ModuleList", "Network", "Parameter", "ParameterDict",
    "ParameterList", "Sequential", "UninitializedBuffer", "UninitializedParameter", "is_lazy",
]  # fmt: skip
