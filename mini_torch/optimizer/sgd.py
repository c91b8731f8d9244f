"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["SGD"]


class SGD(FlatOptimizer):
    """p -= lr · g, or with momentum p -= lr · b, where b = momentum · b + (1 − dampening) · g.

    `weight_decay` adds that times p to g; `nesterov` goes along g + momentum · b; `maximize` goes uphill.
    `foreach` and `fused` choose between PyTorch's implementations and change nothing here.

    Errors: ValueError for a negative option, or nesterov without momentum or with dampening. PyTorch's
    `optim.SGD`; Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8000, 0.8000])
    """

    _counts_steps = False

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: Any = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("momentum", momentum)
        check("weight_decay", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        lr, momentum = number(group["lr"]), group["momentum"]
        sign = -1.0 if group["maximize"] else 1.0
        weight_decay = sign * number(group["weight_decay"])
        if momentum == 0:
            if weight_decay:
                run.gather(lr * sign, weight_decay)
                run.subtract(run.g)
            else:
                run.descend(lr * sign)
            return
        g, update, b = run.g, run.work, run.state["momentum_buffer"]
        run.gather(sign, weight_decay)
        if run.new:
            np.copyto(b, g)
        else:
            np.multiply(b, run.number(momentum), b)
            if group["dampening"]:
                np.multiply(g, run.number(1 - group["dampening"]), update)
                np.add(b, update, b)
            else:
                np.add(b, g, b)
        if group["nesterov"]:
            np.multiply(b, run.number(momentum), update)
            np.add(g, update, update)
            np.multiply(update, run.number(lr), update)
        else:
            np.multiply(b, run.number(lr), update)
        run.subtract(update)
