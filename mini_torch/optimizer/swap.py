"""An optimizer's step on other parameters and other state than its own: `swap_in_optimizer_params_and_state`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..graph import no_grad
from ..tensor import Tensor
from .optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]

NAME = "swap_in_optimizer_params_and_state"


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Within `with`, the optimizer has these parameters, in the order of its own, and this state and these options.

    `swapin_optim_state` is as `state_dict` gives it; its tensors follow the steps taken. Afterwards everything is as it
    was. Errors: RuntimeError for an optimizer without state, or what does not fit to its groups. PyTorch's
    `optim.swap_in_optimizer_params_and_state`.

    >>> from mini_torch import ones, optim
    >>> p, other = ones(2), ones(2)
    >>> optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
    >>> p.grad = other.grad = ones(2)
    >>> optimizer.step()
    >>> with swap_in_optimizer_params_and_state(optimizer, {"weight": other}, optimizer.state_dict()):
    ...     optimizer.step()
    >>> p, other
    (tensor([0.9000, 0.9000]), tensor([0.8100, 0.8100]))
    """
    params = _fitting(optimizer, list(swapin_parameters.values()), swapin_optim_state)
    given = swapin_optim_state["state"]
    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    state: defaultdict[Any, Any] = defaultdict(dict)
    try:
        for group, new, members in zip(optimizer.param_groups, swapin_optim_state["param_groups"], params):
            group.update({**new, "params": members})
            state.update({p: dict(given.get(i, {})) for p, i in zip(members, new["params"])})
        optimizer.state = state
        yield
    finally:
        for group, before in zip(optimizer.param_groups, own_groups):
            group.clear()
            group.update(before)
        optimizer.state = own_state
        for new, members in zip(swapin_optim_state["param_groups"], params):
            for p, i in zip(members, new["params"]):
                _write_back(state[p], given.get(i, {}))


def _write_back(state: dict[str, Any], given: dict[str, Any]) -> None:
    """Steps are taken in the optimizer's own memory; here the given tensors get what came of them."""
    with no_grad():
        for name, tensor in given.items():
            if isinstance(tensor, Tensor) and state.get(name, tensor) is not tensor:
                tensor.copy_(state[name])


def _fitting(optimizer: Optimizer, params: list[Tensor], given: Any) -> list[list[Tensor]]:
    """The parameters of each group; RuntimeError where the given state does not fit to the optimizer."""
    if not optimizer.state:
        raise RuntimeError(f"{NAME} requires initialized optimizer state.")
    if not isinstance(given, dict):
        raise RuntimeError(f"{NAME} requires a DCP-style optimizer state_dict.")
    state, groups = _checked_state(given.get("state")), given.get("param_groups")
    if not isinstance(groups, list):
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['param_groups'] to be a list of param-group dicts, got "
            f"{type(groups).__name__}."
        )
    if len(optimizer.param_groups) != len(groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    found: list[list[Tensor]] = []
    known: set[int] = set()
    for i, (own, group) in enumerate(zip(optimizer.param_groups, groups)):
        _check_group(i, own, group)
        members, params = params[: len(own["params"])], params[len(own["params"]) :]
        if len(members) != len(own["params"]):
            raise RuntimeError(
                f"{NAME} requires the explicit parameter state to match optimizer.param_groups ordering."
            )
        found.append(members)
        known.update(group["params"])
    extra = [key for key in state if key not in known]
    if extra:
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['state'] to be keyed only by packed parameter ids from "
            f"param_groups[*]['params']; got extra keys {extra!r}."
        )
    return found


def _checked_state(state: Any) -> dict[Any, Any]:
    if not isinstance(state, dict):
        raise RuntimeError(
            f"{NAME} requires swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param state "
            f"dicts, got {type(state).__name__}."
        )
    if any(isinstance(key, Tensor) for key in state):
        raise RuntimeError(f"{NAME} requires optimizer.state_dict()-style state keyed by packed parameter ids.")
    if any(isinstance(key, int) and not isinstance(value, dict) for key, value in state.items()):
        raise RuntimeError(f"{NAME} requires per-parameter optimizer state entries to be dictionaries.")
    return state


def _check_group(i: int, own: dict[str, Any], group: Any) -> None:
    if not isinstance(group, dict):
        raise RuntimeError(f"{NAME} requires each optimizer param group to be a dictionary.")
    numbers = group.get("params")
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise RuntimeError(
            f"{NAME} requires optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed parameter "
            "ids."
        )
    if len(own["params"]) != len(numbers):
        raise RuntimeError(
            f"swapin_optim_state param group {i} has a different number of params than the live optimizer param group."
        )
    only_new, only_own = [key for key in group if key not in own], [key for key in own if key not in group]
    if only_new or only_own:
        raise RuntimeError(
            f"{NAME} requires optimizer.state_dict()-style param group keys to exactly match the live optimizer group "
            f"keys for group {i}. Keys only in swap-in: {only_new}. Keys only in live: {only_own}."
        )
