"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["Adadelta"]


class Adadelta(FlatOptimizer):
    """p -= lr · Δ with Δ = g √(u + eps) / √(v + eps): v is the running mean of g², u that of Δ², both with rho.

    `weight_decay` and `maximize` as in `SGD`. `foreach` and `capturable` choose between PyTorch's implementations
    and change nothing here.

    Errors: ValueError for a negative option, or rho outside [0, 1]. Zeiler, "ADADELTA: An Adaptive Learning Rate
    Method", 2012; PyTorch's `optim.Adadelta`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = Adadelta([p])
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9968, 0.9968])
    """

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check("eps", eps, "epsilon value")
        check("weight_decay", weight_decay)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        run.count()
        run.gather(sign, sign * number(group["weight_decay"]))
        g, work = run.g, run.work
        squares, steps = run.state["square_avg"], run.state["acc_delta"]
        rho, rest, eps = (run.number(x) for x in (group["rho"], 1 - group["rho"], group["eps"]))
        np.multiply(squares, rho, squares)
        np.multiply(g, g, work)
        np.multiply(work, rest, work)
        np.add(squares, work, squares)
        np.add(steps, eps, work)
        np.multiply(g, np.sqrt(work, work), g)
        np.add(squares, eps, work)
        np.divide(g, np.sqrt(work, work), g)  # Δ
        np.multiply(steps, rho, steps)
        np.multiply(g, g, work)
        np.multiply(work, rest, work)
        np.add(steps, work, steps)
        np.multiply(g, run.number(number(group["lr"])), work)
        run.subtract(work)
