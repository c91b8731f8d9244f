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
    tensors = _joined(parameter_and_buffer_dicts)
    call = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, tensors, tie_weights, strict):
        return module(*call, **(kwargs or {}))


def _joined(given: Any) -> dict[str, Tensor]:
    """One dictionary of all; ValueError where two have the same name."""
    dicts = [given] if isinstance(given, dict) else given
    if not isinstance(dicts, list | tuple) or not all(isinstance(each, dict) for each in dicts):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(given)}"
        )
    names = [name for each in dicts for name in each]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: x for each in dicts for name, x in each.items()}


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where each parameter and buffer is kept, by its full name; shared ones under each name."""
    places = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for registry in (part._parameters, part._buffers):
            for name, x in registry.items():
                if x is not None:
                    places[f"{prefix}.{name}" if prefix else name] = (registry, name)
    return places


def _tied(places: dict[str, tuple[dict[str, Any], str]], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `wanted` means for all names of a tensor that has several. ValueError where it disagrees."""
    names_of: dict[int, list[str]] = {}
    for name, (registry, key) in places.items():
        names_of.setdefault(id(registry[key]), []).append(name)
    more = {}
    for names in names_of.values():
        given = {id(wanted[name]): wanted[name] for name in names if name in wanted}
        if len(given) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using "
                "tie_weights=False"
            )
        more.update(dict.fromkeys(names, *given.values()) if given else {})
    return more


@contextmanager
def _replaced(module: Module, tensors: dict[str, Tensor], tie: bool, strict: bool) -> Iterator[None]:
    places = _places(module)
    wanted = {name: x for name, x in tensors.items() if name in places}
    if tie:
        wanted.update(_tied(places, wanted))
    unexpected, missing = sorted(tensors.keys() - places.keys()), sorted(places.keys() - wanted.keys())
    if strict and (unexpected or missing):
        lines = [
            f"\n\t{kind} key(s): {', '.join(map(repr, names))}."
            for kind, names in (("Unexpected", unexpected), ("Missing", missing)) if names
        ]  # fmt: skip
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(lines)}")
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
