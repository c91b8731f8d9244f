"""Hooks of all modules at once, for debugging and profiling. Source: PyTorch's `nn.modules.module`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import RemovableHandle
from .hooks import common, register
from .module import Module

__all__ = [
    "register_module_backward_hook", "register_module_buffer_registration_hook", "register_module_forward_hook",
    "register_module_forward_pre_hook", "register_module_full_backward_hook", "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook", "register_module_parameter_registration_hook",
]  # fmt: skip

Hook = Callable[..., Any]


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, args)` runs before every module's `forward`, and its own hooks, and may return other arguments."""
    Module._has_hooks = True
    return register(common.forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """`hook(module, args, output)` runs after every module's `forward` and may return another output.

    With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it runs also after an error.

    >>> from mini_torch import nn
    >>> with register_module_forward_hook(lambda module, args, output: print(type(module).__name__)):
    ...     _ = nn.Sequential(nn.Identity(), nn.ReLU())(mini_torch.ones(1))
    Identity
    ReLU
    Sequential
    """
    Module._has_hooks = True
    marks = [common.forward_with_kwargs] * with_kwargs + [common.forward_always_called] * always_call
    return register(common.forward, hook, False, *marks)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, grad_output)` runs before every module's backward and may return another `grad_output`."""
    Module._has_hooks = True
    return register(common.backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, grad_input, grad_output)` runs after every module's backward and may return another `grad_input`.

    Errors: RuntimeError after `register_module_backward_hook`.
    """
    return _register_backward(hook, full=True)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The old kind, which sees the gradients of the last operation only: use `register_module_full_backward_hook`."""
    return _register_backward(hook, full=False)


def _register_backward(hook: Hook, full: bool) -> RemovableHandle:
    if common.backward_is_full is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
    Module._has_hooks = True
    common.backward_is_full = full
    return register(common.backward, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, name, param)` runs whenever a module gets a parameter and may return another one."""
    return register(common.registration["_parameters"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, name, buffer)` runs whenever a module gets a buffer and may return another one."""
    return register(common.registration["_buffers"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """`hook(module, name, submodule)` runs whenever a module gets a child and may return another one."""
    return register(common.registration["_modules"], hook)
