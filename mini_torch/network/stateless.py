"""Calling a module with other parameters than its own. Source: PyTorch's `torch.func.functional_call`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..ops.join import stack
from ..tensor import Tensor
from .module import Module

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Module, parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]], args: Any = None,
    kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)` computed with these tensors in place of its parameters and buffers.

    Names are those of `named_parameters` and `named_buffers`; what is not named stays. With `tie_weights`, a tensor
    that the module has under several names is replaced under all of them. Errors: RuntimeError for a name that is not
    there (with `strict`, also for one that is missing), ValueError for a name given twice.

    >>> from mini_torch import tensor
    >>> from mini_torch.layer import Linear
    >>> line = Linear(1, 1, bias=False)
    >>> functional_call(line, {"weight": tensor([[2.]])}, tensor([3.]))
    tensor([6.])
    """
    given = parameter_and_buffer_dicts
    dicts = [given] if isinstance(given, dict) else list(given)
    tensors = {name: x for each in dicts for name, x in each.items()}
    if len(tensors) != sum(map(len, dicts)):
        names = [name for each in dicts for name in each]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)} appears in more than one dictionary")
    call = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, tensors, tie_weights, strict):
        return module(*call, **(kwargs or {}))


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer is kept, by its full name; shared ones under each name."""
    places = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for registry in (part._parameters, part._buffers):
            for name, x in registry.items():
                if x is not None:
                    places[f"{prefix}.{name}" if prefix else name] = (registry, name)
    return places


@contextmanager
def _replaced(module: Module, tensors: dict[str, Tensor], tie: bool, strict: bool) -> Iterator[None]:
    places = _places(module)
    wanted = {name: x for name, x in tensors.items() if name in places}
    if tie:
        by_identity = {id(registry[key]): tensors[name] for name, (registry, key) in places.items() if name in wanted}
        tied = {name: by_identity.get(id(registry[key])) for name, (registry, key) in places.items()}
        wanted = {name: x for name, x in {**tied, **wanted}.items() if x is not None}
    unexpected, missing = tensors.keys() - places.keys(), places.keys() - wanted.keys()
    if strict and (unexpected or missing):
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\tUnexpected key(s): {sorted(unexpected)}."
            f"\n\tMissing key(s): {sorted(missing)}."
        )
    before = [(registry, key, registry[key]) for registry, key in (places[name] for name in wanted)]
    try:
        for name, x in wanted.items():
            registry, key = places[name]
            registry[key] = x
        yield
    finally:
        for registry, key, x in before:
            registry[key] = x


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(parameters, buffers) of modules of one kind, each stacked along a new first dimension.

    Source: PyTorch's `torch.func.stack_module_state`.
    """
    if not len(models):
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(m) for m in models}) != 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if len({m.training for m in models}) != 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    parameters = [dict(m.named_parameters()) for m in models]
    buffers = [dict(m.named_buffers()) for m in models]
    return (
        {
            name: stack([each[name] for each in parameters]).detach().requires_grad_(x.requires_grad)
            for name, x in parameters[0].items()
        },
        {name: stack([each[name] for each in buffers]) for name in buffers[0]},
    )
