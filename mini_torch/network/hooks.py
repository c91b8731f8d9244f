"""Calling a module that has hooks: what runs before and after `forward`. Hooks of one module and of all."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..graph import RemovableHandle
from ..tensor import Tensor
from .backward_hooks import BackwardHooks

if TYPE_CHECKING:
    from .module import Module

Hooks = dict[int, Callable[..., Any]]
Marks = dict[int, bool]


class ModuleHooks:
    """The hooks that all modules have in common: registered once for the whole program, for debugging and profiling."""

    def __init__(self) -> None:
        self.forward_pre: Hooks = {}
        self.forward: Hooks = {}
        self.forward_with_kwargs: Marks = {}
        self.forward_always_called: Marks = {}
        self.backward_pre: Hooks = {}
        self.backward: Hooks = {}
        self.backward_is_full: bool | None = None
        self.registration: dict[str, Hooks] = {"_parameters": {}, "_buffers": {}, "_modules": {}}

    def __bool__(self) -> bool:
        """Whether there are any that concern a call."""
        return bool(self.forward or self.forward_pre or self.backward or self.backward_pre)

    def registered(self, registry: str, module: Module, name: str, value: Any) -> Any:
        """The value that goes into `registry`, after the hooks have seen and perhaps replaced it."""
        for hook in self.registration[registry].values():
            changed = hook(module, name, value)
            value = value if changed is None else changed
        return value


common = ModuleHooks()


def register(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False, *marks: Marks) -> RemovableHandle:
    """Adds `hook` as the last one, or as the first, and says so in every one of `marks`."""
    handle = RemovableHandle(hooks, None, *marks)
    later = dict(hooks) if prepend else {}
    for key in later:
        del hooks[key]
    hooks[handle.id] = hook
    hooks.update(later)
    for mark in marks:
        mark[handle.id] = True
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` between the hooks of all modules and its own; or a program of that."""
    if module._compiled_call_impl is not None:
        return module._compiled_call_impl(*args, **kwargs)
    own = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    if not own and not common:  # all were removed
        return module.forward(*args, **kwargs)
    hooks = {**common.forward, **module._forward_hooks}
    pending = dict(hooks)  # those that have not run yet
    result = None
    try:
        args, kwargs = _before_forward(module, args, kwargs)
        backward_hooks = BackwardHooks.of(module, common)
        if backward_hooks:
            args = backward_hooks.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in hooks.items():
            del pending[key]
            changed = _call_forward_hook(key, hook, module, args, kwargs, result)
            result = result if changed is None else changed
        if backward_hooks:
            result = backward_hooks.watch_outputs(result)
        _watch_last_operation(module, result)
        return result
    except Exception:
        for key, hook in pending.items():
            if key in module._forward_hooks_always_called or key in common.forward_always_called:
                _call_after_error(key, hook, module, args, kwargs, result)
        raise


def as_it_is(module: Module) -> Callable[..., Any]:
    """A function that calls the module as if it were not compiled."""

    @functools.wraps(module.forward)
    def call(*args: Any, **kwargs: Any) -> Any:
        own = vars(module)
        compiled = own.pop("_compiled_call_impl", None)
        try:
            return module(*args, **kwargs)
        finally:
            own["_compiled_call_impl"] = compiled

    return call


def _before_forward(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    for key, hook in [*common.forward_pre.items(), *module._forward_pre_hooks.items()]:
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _call_forward_hook(
    key: int, hook: Callable[..., Any], module: Module, args: Any, kwargs: dict[str, Any], result: Any
) -> Any:
    if key in module._forward_hooks_with_kwargs or key in common.forward_with_kwargs:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)


def _call_after_error(
    key: int, hook: Callable[..., Any], module: Module, args: Any, kwargs: dict[str, Any], result: Any
) -> None:
    try:
        _call_forward_hook(key, hook, module, args, kwargs, result)
    except Exception as error:
        warnings.warn(
            "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
            f"raised in forward: {error}",
            stacklevel=4,
        )


def _watch_last_operation(module: Module, result: Any) -> None:
    """Puts the hooks of the old kind, which are not full, at the operation that made the (first) output."""
    hooks = [] if common.backward_is_full is not False else [*common.backward.values()]
    if module._is_full_backward_hook is False:
        hooks += module._backward_hooks.values()
    while hooks and not isinstance(result, Tensor):
        values = [x for x in result.values() if isinstance(x, Tensor)] if isinstance(result, dict) else result
        result = values[0]
    if hooks and result.grad_fn is not None:
        for hook in hooks:
            result.grad_fn.register_hook(lambda inputs, outputs, hook=hook: hook(module, inputs, outputs))
