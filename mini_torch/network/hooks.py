"""Calling a module that has hooks: what runs before and after `forward`, and in backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..graph import RemovableHandle, is_grad_enabled
from ..ops.join import cat
from ..ops.split import split
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


class Hook(NamedTuple):
    """A function that a user registered, and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


def register(hooks: dict[int, Hook], hook: Hook, prepend: bool) -> RemovableHandle:
    """Adds `hook` as the last one, or as the first."""
    handle = RemovableHandle(hooks)
    later = dict(hooks) if prepend else {}
    for key in later:
        del hooks[key]
    hooks[handle.id] = hook
    hooks.update(later)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` between the hooks of `module`."""
    pending = dict(module._forward_hooks)  # those that have not run yet
    result = None
    try:
        args, kwargs = _before_forward(module, args, kwargs)
        backward_hooks = _BackwardHooks(module) if module._backward_hooks or module._backward_pre_hooks else None
        if backward_hooks:
            args = backward_hooks.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for key, hook in module._forward_hooks.items():
            pending.pop(key, None)
            changed = _call_forward_hook(hook, module, args, kwargs, result)
            result = result if changed is None else changed
        return backward_hooks.watch_outputs(result) if backward_hooks else result
    except Exception:
        for hook in pending.values():
            if hook.always_call:
                _call_after_error(hook, module, args, kwargs, result)
        raise


def _before_forward(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    for hook in list(module._forward_pre_hooks.values()):
        if hook.with_kwargs:
            changed = hook.function(module, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook.function(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _call_forward_hook(hook: Hook, module: Module, args: Any, kwargs: dict[str, Any], result: Any) -> Any:
    if hook.with_kwargs:
        return hook.function(module, args, kwargs, result)
    return hook.function(module, args, result)


def _call_after_error(hook: Hook, module: Module, args: Any, kwargs: dict[str, Any], result: Any) -> None:
    try:
        _call_forward_hook(hook, module, args, kwargs, result)
    except Exception as error:
        warnings.warn(
            "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
            f"raised in forward: {error}",
            stacklevel=4,
        )


class _BackwardHooks:
    """The backward hooks of one call of a module.

    A "gate" is set before the module's inputs and one behind its outputs: operations that do nothing but have a place
    in the graph where all gradients of the group pass together. The outputs' gradients, caught first, are kept for
    the moment when those of the inputs are there.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.hooks = [hook.function for hook in module._backward_hooks.values()]
        self.pre_hooks = [hook.function for hook in module._backward_pre_hooks.values()]
        self.grad_output: tuple[Any, ...] | None = None
        self.n_inputs = 0
        self.inputs_need_grad = False

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.n_inputs = len(args)
        args, self.inputs_need_grad = _gate(args, self._inputs_done)
        return args

    def watch_outputs(self, result: Any) -> Any:
        if isinstance(result, tuple):
            gated = _gate(result, self._outputs_done)[0]
            return type(result)(*gated) if hasattr(result, "_fields") else gated
        if isinstance(result, Tensor):
            return _gate((result,), self._outputs_done)[0][0]
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(result)}",
            stacklevel=4,
        )
        return result

    def _outputs_done(self, grad_output: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                _check_count(changed, grad_output, "Backward pre hook returned an invalid number of grad_output")
                grad_output = changed
        if self.inputs_need_grad:
            self.grad_output = grad_output
        elif self.hooks:
            self._call_without_inputs(grad_output)
        return grad_output

    def _call_without_inputs(self, grad_output: tuple[Any, ...]) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients.",
            stacklevel=2,
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.n_inputs, grad_output)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )

    def _inputs_done(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_output is None:  # the gradient did not come through the outputs (second order)
            return grad_input
        for hook in self.hooks:
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                _check_count(changed, grad_input, "Backward hook returned an invalid number of grad_input")
                grad_input = changed
        self.grad_output = None
        return grad_input


def _check_count(changed: Sequence[Any], given: Sequence[Any], message: str) -> None:
    if len(changed) != len(given):
        raise RuntimeError(f"{message}, got {len(changed)}, but expected {len(given)}")


def _gate(values: tuple[Any, ...], done: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> tuple[tuple[Any, ...], bool]:
    """`values` behind a gate, and whether one of them requires grad.

    In backward `done` gets the gradients, None where a value has none, and returns those to go on with.
    """
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not places or not is_grad_enabled():
        return values, False
    n_values, shapes, types = len(values), [values[i].shape for i in places], [values[i].dtype for i in places]
    # Joined to one long vector and cut again, so that all gradients meet in one node.
    joined = cat([values[i].reshape(-1) for i in places])

    def cut(vector: Tensor) -> tuple[Any, ...]:
        parts: list[Any] = [None] * n_values
        for i, part, shape, kind in zip(places, split(vector, [s.numel() for s in shapes]), shapes, types):
            parts[i] = part.reshape(shape).to(kind)
        return tuple(parts)

    def joined_done(g: Tensor) -> Tensor:
        before = cut(g)
        after = done(before)
        return cat([(before[i] * 0 if after[i] is None else after[i]).reshape(-1) for i in places])

    joined.register_hook(joined_done)
    return tuple(x if part is None else part for x, part in zip(values, cut(joined))), True
