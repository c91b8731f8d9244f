"""Rprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

__all__ = ["Rprop"]


class Rprop(FlatOptimizer):
    """Steps by the gradient's sign alone, with a step size for each number, for whole batches.

    The size begins at lr and stays within `step_sizes`. It grows by etas[1] while the sign stays; where the sign has
    changed it shrinks by etas[0], and this step is left out.

    Errors: ValueError unless 0 < etas[0] < 1 < etas[1]. Riedmiller and Braun, "A direct adaptive method for faster
    backpropagation learning: the RPROP algorithm", 1993; PyTorch's `optim.Rprop`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = Rprop([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000, 0.9000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def _initial(self, name: str, o: Options) -> Any:
        return o.lr if name == "step_size" else 0.0

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        return {"less": o.etas[0], "more": o.etas[1], "least": o.step_sizes[0], "most": o.step_sizes[1]}

    def _formula(self, x: Any, k: Any) -> Any:
        product, size = x.g * x.prev, x.step_size
        turned, stayed = product < 0, product > 0  # neither, where one of them is 0 or nan
        size = k.less * (size * turned) + k.more * (size * stayed) + size * (turned == stayed)
        x.step_size = size = np.minimum(np.maximum(size, k.least), k.most)
        x.prev = x.g * ~turned
        return (size * (x.g > 0) - size * (x.g < 0)) * ~turned
