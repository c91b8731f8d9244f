"""`EachParameter`: for optimizers whose update looks at a parameter as a whole, so that none can be taken together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from .optimizer import Optimizer, evaluate

__all__ = ["EachParameter", "check_range", "moved_mean"]

Array = np.ndarray[Any, Any]


class EachParameter(Optimizer):
    """Updates one parameter after the other."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates all parameters that have a gradient. Returns the loss that `closure` computed, if there is one."""
        loss = evaluate(closure)
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        if p._array.dtype.kind == "c":
                            raise RuntimeError(f"{type(self).__name__} does not support complex parameters")
                        self._update(p, p.grad._array, self.state[p], group)
                        p._bump()
        return loss

    def _update(self, p: Tensor, g: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Updates the parameter by its gradient."""
        raise NotImplementedError


def check_range(what: str, wanted: str, given: Any, is_right: bool) -> None:
    """ValueError for an option that is not right."""
    if not is_right:
        raise ValueError(f"{what} should be {wanted} but is: {given}")


def moved_mean(state: dict[str, Any], name: str, newest: Array, weight: float) -> Array:
    """The running mean of that name, moved towards the newest by the weight."""
    if name not in state:
        state[name] = wrap(np.zeros_like(newest))
    mean: Array = state[name]._array
    mean += weight * (newest - mean)
    return mean
