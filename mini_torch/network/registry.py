"""What may be registered with a module, and under which names: the checks, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tensor import Tensor
from ..typed import typename
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module

REGISTRIES = ("_parameters", "_buffers", "_modules")
_PLURAL = {"_parameters": "parameters", "_modules": "module", "_buffers": "buffer"}


def check_name(module: Module, name: str, kind: str, registry: str) -> None:
    """That `name` can name a member of `module`, and is taken by nothing else."""
    if registry not in module.__dict__:
        raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if name not in module.__dict__[registry] and hasattr(module, name):
        raise KeyError(f"attribute '{name}' already exists")


def check_parameter(name: str, param: Any) -> None:
    """That `param` is a parameter, and a leaf."""
    if not isinstance(param, Parameter):
        raise TypeError(
            f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
        )
    if param.grad_fn is not None:
        raise ValueError(
            f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
            f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
        )


def check_buffer(name: str, tensor: Any) -> None:
    """That `tensor` is one, or None."""
    if tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")


def make_room(module: Module, name: str, registry: str) -> None:
    """`name` is about to go to `registry`: it must be nowhere else."""
    own = module.__dict__
    if registry not in own:
        raise AttributeError(f"cannot assign {_PLURAL[registry]} before Module.__init__() call")
    own.pop(name, None)
    for other in REGISTRIES:
        if other != registry:
            own[other].pop(name, None)
    module._non_persistent_buffers_set.discard(name)


def check_is_none(value: Any, kind: str, name: str, expected: str) -> None:
    """That `value`, given to the name of a registered member, is None."""
    if value is not None:
        raise TypeError(f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} or None expected)")
