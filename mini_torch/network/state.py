"""Loading a state dict into a module: everything that does not fit is reported at once."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..graph import no_grad
from ..tensor import Tensor
from .parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

EXTRA_STATE = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found in one of the two only."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    def __str__(self) -> str:
        return repr(self)


def save(module: Module, destination: Any, prefix: str, keep_vars: bool) -> dict[str, Any]:
    """See `Module.state_dict`."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata
    for hook in module._state_dict_pre_hooks.values():
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook, may_replace in module._state_dict_hooks.values():
        changed = hook(module, destination, prefix, metadata)
        if changed is not None and not may_replace:
            raise RuntimeError("state_dict post-hook must return None")
        destination = destination if changed is None else changed
    return destination


def by_position(args: tuple[Any, ...], destination: Any, prefix: str, keep_vars: bool) -> tuple[Any, str, bool]:
    """The arguments of `state_dict`, the first of them given by position; those by name come before them."""
    warnings.warn(
        "Positional args are being deprecated, use kwargs instead. Refer to "
        "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
        FutureWarning, stacklevel=3,
    )  # fmt: skip
    first, second, third = (*args, "", False)[:3] if len(args) == 1 else (*args, False)[:3]
    return first if destination is None else destination, prefix or second, keep_vars or third


def load(module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """See `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    keys = IncompatibleKeys([], [])
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", {})
    _load_tree(module, OrderedDict(state_dict), "", metadata, assign, keys, errors)
    if strict:
        for kind, names in (("Unexpected", keys.unexpected_keys), ("Missing", keys.missing_keys)):
            if names:
                listed = ", ".join(f'"{name}"' for name in names)
                errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
    if errors:
        listed = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    return keys


def _load_tree(
    module: Module, state: Any, prefix: str, metadata: Any, assign: bool, keys: IncompatibleKeys, errors: list[str]
) -> None:
    local = dict(metadata.get(prefix[:-1], {}), **({"assign_to_params_buffers": True} if assign else {}))
    module._load_from_state_dict(state, prefix, local, True, keys.missing_keys, keys.unexpected_keys, errors)
    for name, child in module._modules.items():
        if child is not None:
            inner = f"{prefix}{name}."
            part = {key: value for key, value in state.items() if key.startswith(inner)}
            _load_tree(child, part, inner, metadata, assign, keys, errors)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                "if incompatible_keys need to be modified, it should be done inplace."
            )


def load_own(
    module: Module, state: Any, prefix: str, local_metadata: dict[str, Any], strict: bool,
    missing_keys: list[str], unexpected_keys: list[str], errors: list[str],
) -> None:  # fmt: skip
    """The parameters and buffers of `module` itself, not of its children."""
    for hook, with_module in module._load_state_dict_pre_hooks.values():
        given = (state, prefix, local_metadata, strict, missing_keys, unexpected_keys, errors)
        hook(module, *given) if with_module else hook(*given)
    own = own_state(module)
    assign = local_metadata.get("assign_to_params_buffers", False)
    for name, current in own.items():
        key = prefix + name
        if key in state:
            problem = _load_one(module, name, key, current, state[key], assign)
            if problem:
                errors.append(problem)
        elif strict:
            missing_keys.append(key)
    has_extra = module._overrides("set_extra_state")
    extra_key = prefix + EXTRA_STATE
    if has_extra and extra_key in state:
        module.set_extra_state(state[extra_key])
    elif has_extra and strict:
        missing_keys.append(extra_key)
    if strict:
        unexpected_keys.extend(
            key for key in state if key.startswith(prefix) and not _expected(module, key[len(prefix) :], own, has_extra)
        )


def own_state(module: Module) -> dict[str, Tensor]:
    """The parameters and persistent buffers of `module` itself."""
    passing = module._non_persistent_buffers_set
    state: dict[str, Tensor] = {name: p for name, p in module._parameters.items() if p is not None}
    state.update((name, b) for name, b in module._buffers.items() if b is not None and name not in passing)
    return state


def _expected(module: Module, name: str, own: Mapping[str, Any], has_extra: bool) -> bool:
    first, dot, _ = name.partition(".")
    if dot:
        return first in module._modules
    return has_extra if first == EXTRA_STATE else first in own


def _load_one(module: Module, name: str, key: str, current: Tensor, given: Any, assign: bool) -> str | None:
    """Takes `given` over; returns what is wrong with it, if something is."""
    if not isinstance(given, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(given)}"
        )
    if is_lazy(current):
        if not is_lazy(given):
            current.materialize(given.shape)  # type: ignore[attr-defined]
    elif given.shape != current.shape:
        if current.shape or given.shape != (1,):  # a 0-d value may come as one of shape (1,)
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, the shape in "
                f"current model is {current.shape}."
            )
        given = given[0]
    try:
        if assign:
            setattr(module, name, _as_kind_of(current, given))
        elif not is_lazy(current):
            with no_grad():
                current.copy_(given)
    except Exception as error:  # PyTorch collects these too
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {current.shape} and whose '
            f"dimensions in the checkpoint are {given.shape}, an exception occurred : {error.args}."
        )
    return None


def _as_kind_of(current: Tensor, given: Tensor) -> Tensor:
    if not isinstance(current, Parameter):
        return given
    if isinstance(given, Parameter):
        return given.requires_grad_(current.requires_grad)
    return Parameter(given, current.requires_grad)


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Takes `prefix`, such as "module.", from the keys that begin with it, and from those of `_metadata`, in place.

    Source: PyTorch's `nn.modules.utils.consume_prefix_in_state_dict_if_present`.
    """
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        if key and (key.startswith(prefix) or key == prefix.replace(".", "")):  # "module" itself becomes ""
            metadata[key[len(prefix) :]] = metadata.pop(key)
