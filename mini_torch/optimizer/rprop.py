"""Rprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Run
from .optimizer import check, number

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

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        run.count()
        run.gather(-1.0 if group["maximize"] else 1.0)
        g, work, before, size = run.g, run.work, run.state["prev"], run.state["step_size"]
        if run.new:
            size.fill(number(group["lr"]))
        np.multiply(g, before, work)
        turned = work < 0
        factor = np.where(turned, run.number(group["etas"][0]), run.number(1.0))
        np.copyto(factor, run.number(group["etas"][1]), where=work > 0)
        np.multiply(size, factor, size)
        np.clip(size, *group["step_sizes"], out=size)
        g[turned] = 0
        before[...] = g
        np.multiply(np.sign(g, g), size, g)
        run.subtract(g)
