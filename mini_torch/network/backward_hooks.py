"""Backward hooks of a module: all gradients of its inputs, or of its outputs, seen together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..function import Function
from ..graph import is_grad_enabled
from ..tensor import Tensor, alias

if TYPE_CHECKING:
    from .hooks import ModuleHooks
    from .module import Module

Gradients = tuple[Any, ...]


class BackwardHooks:
    """The backward hooks of one call of a module.

    A "gate" is set before the module's inputs and one behind its outputs: operations that do nothing but have a place
    in the graph where all gradients of the group pass together. The outputs' gradients, caught first, are kept for
    the moment when those of the inputs are there.
    """

    def __init__(self, module: Module, hooks: Sequence[Any], pre_hooks: Sequence[Any]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_output: Gradients | None = None
        self.n_inputs = 0
        self.inputs_need_grad = False

    @classmethod
    def of(cls, module: Module, common: ModuleHooks) -> BackwardHooks | None:
        """Those of all modules and of `module`, if there are any."""
        hooks = [*common.backward.values()] if common.backward_is_full else []
        hooks += module._backward_hooks.values() if module._is_full_backward_hook else []
        pre_hooks = [*common.backward_pre.values(), *module._backward_pre_hooks.values()]
        return cls(module, hooks, pre_hooks) if hooks or pre_hooks else None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments behind a gate."""
        self.n_inputs = len(args)
        args, self.inputs_need_grad = _gate(args, self._inputs_done, zeros=True)
        return args

    def watch_outputs(self, result: Any) -> Any:
        """The result behind a gate; a warning where it has no tensors that one could see."""
        if isinstance(result, tuple):
            gated = _gate(result, self._outputs_done, zeros=False)[0]
            return type(result)(*gated) if hasattr(result, "_fields") else gated
        if isinstance(result, Tensor):
            return _gate((result,), self._outputs_done, zeros=False)[0][0]
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(result)}",
            stacklevel=4,
        )
        return result

    def _outputs_done(self, grad_output: Gradients) -> Gradients:
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                _check_count(changed, grad_output, "Backward pre hook returned an invalid number of grad_output")
                grad_output = changed
        if self.inputs_need_grad:
            self.grad_output = grad_output
        else:
            self._call_without_inputs(grad_output)
        return grad_output

    def _call_without_inputs(self, grad_output: Gradients) -> None:
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=2,
        )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.n_inputs, grad_output)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )

    def _inputs_done(self, grad_input: Gradients) -> Gradients:
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


class _Gate(Function):
    """Gives on the tensors it gets; in backward `done` sees their gradients and says with which to go on."""

    @staticmethod
    def forward(ctx: Any, done: Callable[[Gradients], Gradients], zeros: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.done = done
        ctx.set_materialize_grads(zeros)
        through = tuple(alias(x) for x in tensors)
        ctx.mark_non_differentiable(*[out for x, out in zip(tensors, through) if not x.requires_grad])
        return through

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        return None, None, *ctx.done(grads)


def _gate(
    values: tuple[Any, ...], done: Callable[[Gradients], Gradients], zeros: bool
) -> tuple[tuple[Any, ...], bool]:
    """`values` with the tensors among them behind a gate, and whether one of those requires grad.

    In backward `done` gets a gradient for each value, None for what is no tensor, and returns those to go on with.
    A tensor to which no gradient came, or that wants none, has None there too, or zeros.
    """
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor)]
    if not is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return values, False

    def of_tensors(grads: Gradients) -> Gradients:
        given = dict(zip(places, grads))
        after = done(tuple(given.get(i) for i in range(len(values))))
        return tuple(after[i] for i in places)

    through = dict(zip(places, _Gate.apply(of_tensors, zeros, *[values[i] for i in places])))
    return tuple(through.get(i, x) for i, x in enumerate(values)), True
