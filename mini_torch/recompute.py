"""Checkpointing in the sense of memory: keep nothing of a part's forward, run it again when backward comes.

It is done with saved-tensor hooks. In the forward every saved tensor is dropped and a number kept in its place; the
first number that backward asks for runs the part again, and now the tensors that it saves are caught, in the same
order. Source: Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from .graph import enable_grad, mode
from .random.generator import default_generator
from .saved import saved_tensors_hooks
from .tensor import Tensor

__all__ = ["RecomputeError", "checkpoint", "checkpoint_sequential"]


class RecomputeError(RuntimeError):
    """The second run of a checkpointed function did not save what the first had saved."""


def _no_contexts() -> tuple[Any, Any]:
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
    context_fn: Callable[[], tuple[Any, Any]] = _no_contexts, determinism_check: str = "default", debug: bool = False,
    early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """`function(*args, **kwargs)` whose intermediate values are computed again in backward instead of being kept.

    With `preserve_rng_state` dropout and the like draw the same numbers again. `use_reentrant` is taken and makes no
    difference. Errors: RecomputeError (PyTorch's `CheckpointError`) where the second run saves something else than the
    first, unless `determinism_check` is "none". Source: PyTorch's `torch.utils.checkpoint.checkpoint`.

    >>> from mini_torch import tensor
    >>> x = tensor([1., 2.], requires_grad=True)
    >>> checkpoint(lambda t: (t * t).exp(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([  5.4366, 218.3926])
    """
    first, second = context_fn()
    again = _Again(function, args, kwargs, second, preserve_rng_state, determinism_check)
    with saved_tensors_hooks(again.pack, again.unpack), first:
        return function(*args, **kwargs)


class _Again:
    """One checkpointed call: counts what its forward saves, and finds it again by a second run."""

    def __init__(self, function: Any, args: Any, kwargs: Any, context: Any, keep_random: bool, check: str) -> None:
        self.function, self.args, self.kwargs, self.context, self.check = function, args, kwargs, context, check
        self.random = default_generator.get_state() if keep_random else None
        self.shapes: list[Any] = []
        self.found: dict[int, Tensor] = {}

    def pack(self, x: Tensor) -> int:
        self.shapes.append((x.shape, x.dtype))
        return len(self.shapes) - 1

    def unpack(self, number: int) -> Tensor:
        if number not in self.found:
            self._run()
        return self.found.pop(number)  # asked for once; a graph that is retained asks again, and runs again

    def _run(self) -> None:
        numbers = count()

        def catch(x: Tensor) -> int:
            number = next(numbers)
            self.found[number] = x
            return number

        now = default_generator.get_state() if self.random is not None else None
        if self.random is not None:
            default_generator.set_state(self.random)
        hooks = mode.hooks
        mode.watch(hooks=())
        try:
            with enable_grad(), saved_tensors_hooks(catch, self.found.__getitem__), self.context:
                self.function(*self.args, **self.kwargs)
        finally:
            mode.watch(hooks=hooks)
            if now is not None:
                default_generator.set_state(now)
        self._compare(next(numbers))

    def _compare(self, count: int) -> None:
        if count != len(self.shapes):
            raise RecomputeError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self.shapes)}\nNumber of tensors saved "
                f"during recomputation: {count}."
            )
        if self.check == "none":
            return
        for i, expected in enumerate(self.shapes):
            got = (self.found[i].shape, self.found[i].dtype)
            if got != expected:
                raise RecomputeError(
                    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass.\ntensor at position {i}:\nsaved metadata: {expected}\nrecomputed "
                    f"metadata: {got}"
                )


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A sequence of modules in `segments` parts, of which all but the last are checkpointed.

    Source: PyTorch's `torch.utils.checkpoint.checkpoint_sequential`.
    """
    steps: Sequence[Callable[..., Any]] = list(functions.children()) if hasattr(functions, "children") else functions
    size = len(steps) // segments

    def part(first: int, last: int) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            for step in steps[first:last]:
                x = step(x)
            return x

        return run

    last = size * (segments - 1)
    for first in range(0, last, size):
        input = checkpoint(part(first, first + size), input, use_reentrant=use_reentrant, **kwargs)
    return part(last, len(steps))(input)
