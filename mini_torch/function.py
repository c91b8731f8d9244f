"""`Function`: an operation with a backward of one's own, written with tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .broadcasting import sum_to_shape
from .graph import Lift, Node, mode, no_grad
from .op import adopt
from .parts import Parts, Pick
from .saved import pack
from .tensor import Tensor, alias, make, wrap

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What forward hands to backward. Any attribute may be set; tensors belong into `save_for_backward`."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Tensor | None, ...] = ()
        self._dirty: tuple[Tensor, ...] = ()
        self._non_differentiable: tuple[Tensor, ...] = ()
        self._materialize = True
        self._node: _FunctionNode | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps inputs or outputs for backward, which finds them in `saved_tensors`."""
        self._to_save = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Says which inputs forward changed in place."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Says which outputs have no gradient."""
        self._non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True) or None for outputs that were not used."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was saved; RuntimeError if it is gone, or was changed since."""
        if self._node is None:
            return self._to_save
        self._node.check()
        return self._node.restore()


class Function:
    """An operation with its own forward and backward, used as `MyFunction.apply(x, …)`.

    `forward(ctx, *args)` computes on tensors without being recorded; `backward(ctx, *grads)` gets a gradient per
    output and returns one per argument of forward (None for what has none). Gradients of gradients work where backward
    uses differentiable operations. PyTorch's `torch.autograd.Function`.

    >>> import mini_torch as torch
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x ** 2 * g
    >>> x = torch.tensor(2., requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the output, or a tuple of outputs."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Saves what backward needs, where forward takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes the gradients of forward's arguments."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs forward and records the operation."""
        ctx = FunctionCtx()
        tensors = [(i, x) for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
        recording = mode.enabled and any(ctx.needs_input_grad)
        before = {id(x): alias(x) for _, x in tensors}  # histories, should forward change an input in place
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        single = not isinstance(result, tuple | list)
        outputs = [result] if single else list(result)
        if recording:
            edges = [before[id(x)]._node if isinstance(x, Tensor) and x.requires_grad else None for x in args]
            outputs = _FunctionNode(cls, ctx, args, edges, outputs).attached(outputs)
        return outputs[0] if single else tuple(outputs)


class _FunctionPlan:
    """The face that a custom function shows the walk. Its gradients are never the leaf's to keep: who knows who holds
    them."""

    casts = lends = keeps = True
    saves_out = holomorphic = False

    def __init__(self, name: str) -> None:
        self.name = name

    def pull(self, node: _FunctionNode, g: Any) -> list[Any]:
        """Runs the user's backward, unrecorded."""
        return [None if x is None else x._array for x in node.run(g)]

    def pull_tensors(self, node: _FunctionNode, g: Any, lift: Lift) -> list[Any]:
        """Runs the user's backward, recorded."""
        return node.run(g)


class _FunctionNode(Node):
    """The node behind a custom function's outputs."""

    __slots__ = ("count", "ctx", "function", "missing", "shapes_in", "shapes_out", "slots")

    def __init__(self, function: type[Function], ctx: FunctionCtx, args: Any, edges: Any, outputs: list[Any]) -> None:
        places = {
            id(x): i for i, x in enumerate(outputs) if isinstance(x, Tensor) and not any(x is d for d in ctx._dirty)
        }
        self.slots = [None if t is None else places.get(id(t)) for t in ctx._to_save]
        saved = [None if t is None else t.detach() if i is not None else t for t, i in zip(ctx._to_save, self.slots)]
        self.missing = [t is None for t in saved]
        kept = [wrap(np.empty(0)) if t is None else t for t in saved]
        plan = _FunctionPlan(f"{function.__name__}Backward")
        super().__init__(plan, edges, tuple(part for t in kept for part in (t, t._cell[0])))
        if mode.hooks:
            pack(self)
        self.function, self.ctx, self.count = function, ctx, len(outputs)
        self.shapes_in = [(x._array.shape, x._array.dtype) if isinstance(x, Tensor) else None for x in args]
        self.shapes_out = [(x._array.shape, x._array.dtype) if isinstance(x, Tensor) else None for x in outputs]
        ctx._node, ctx._to_save = self, ()

    def attached(self, outputs: list[Any]) -> list[Any]:
        """The outputs with this node behind them (through a `Pick` each where there are several)."""
        ctx, done = self.ctx, []
        for i, x in enumerate(outputs):
            if (
                not isinstance(x, Tensor)
                or any(x is t for t in ctx._non_differentiable)
                or x._array.dtype.kind not in "fc"
            ):
                done.append(x)
                continue
            out = make(Tensor, x._array)
            out._cell, out._requires_grad = x._cell, True
            out._node = self if self.count == 1 else Pick(self, i)
            if any(x is d for d in ctx._dirty):
                adopt(x, out)
                out = x
            done.append(out)
        return done

    def restore(self) -> tuple[Tensor | None, ...]:
        """The saved tensors; outputs come back with their place in the graph."""
        out: list[Tensor | None] = []
        for tensor, place, missing in zip(self.tensors(), self.slots, self.missing):
            if place is not None and not missing:
                again = make(Tensor, tensor._array)
                again._cell, again._requires_grad = tensor._cell, True
                again._node = self if self.count == 1 else Pick(self, place)
                tensor = again
            out.append(None if missing else tensor)
        return tuple(out)

    def run(self, g: Any) -> list[Any]:
        """The gradients of forward's arguments, by the user's backward, checked."""
        given = g.parts if isinstance(g, Parts) else {0: g}
        grads: list[Any] = []
        for i, like in enumerate(self.shapes_out):
            value = given.get(i)
            if value is None and like is not None and self.ctx._materialize:
                value = np.zeros(*like)
            grads.append(None if value is None else value if isinstance(value, Tensor) else wrap(value))
        custom = self.function.vjp is not Function.vjp and self.function.backward is Function.backward
        result = (self.function.vjp if custom else self.function.backward)(self.ctx, *grads)
        results = list(result) if isinstance(result, tuple | list) else [result]
        if len(results) > len(self.shapes_in) and all(r is None for r in results[len(self.shapes_in) :]):
            results = results[: len(self.shapes_in)]
        if len(results) != len(self.shapes_in):
            raise RuntimeError(
                f"function {self.plan.name} returned an incorrect number of gradients (expected {len(self.shapes_in)}, "
                f"got {len(results)})"
            )
        return [self._checked(i, r) for i, r in enumerate(results)]

    def _checked(self, i: int, grad: Any) -> Any:
        if grad is None or self.edges[i] is None:
            return None
        if not isinstance(grad, Tensor):
            raise TypeError(f"{self.plan.name}: expected a tensor or None as gradient {i}, got {type(grad).__name__}")
        shape, kind = self.shapes_in[i]  # type: ignore[misc]
        if grad._array.dtype != kind:
            grad = grad.to(kind)
        if grad._array.shape == shape:
            return grad
        try:
            return sum_to_shape(grad, shape)
        except (RuntimeError, ValueError):
            raise RuntimeError(
                f"Function {self.plan.name} returned an invalid gradient at index {i} - got {list(grad.shape)} but "
                f"expected shape compatible with {list(shape)}"
            ) from None


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a backward that cannot itself be differentiated; trying to is an error.

    PyTorch's `torch.autograd.function.once_differentiable`.
    """

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        recorded = mode.enabled
        with no_grad():
            results = backward(ctx, *grads)
        if not recorded or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return results
        several = results if isinstance(results, tuple) else (results,)
        guarded = tuple(None if r is None else _Forbidden.apply(r.detach().requires_grad_()) for r in several)
        return guarded if isinstance(results, tuple) else guarded[0]

    return wrapped


class _Forbidden(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
