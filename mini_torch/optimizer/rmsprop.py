"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["RMSprop"]


class RMSprop(FlatOptimizer):
    """p -= lr · g / (√v + eps), where v = alpha · v + (1 − alpha) · g² is a running mean.

    `centered` takes the gradients' running mean squared from v first (their variance); `momentum` collects the
    quotient: b = momentum · b + g / (√v + eps), p -= lr · b. `weight_decay` and `maximize` as in `SGD`.
    `foreach` and `capturable` choose between PyTorch's implementations and change nothing here.

    Errors: ValueError for a negative option. Hinton's lecture 6e of "Neural Networks for Machine Learning",
    2012; Graves, "Generating Sequences With Recurrent Neural Networks", 2013 (centered); PyTorch's
    `optim.RMSprop`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = RMSprop([p], lr=0.01)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000, 0.9000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("eps", eps, "epsilon value")
        check("momentum", momentum)
        check("weight_decay", weight_decay)
        check("alpha", alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        names = ["square_avg"]
        if group["momentum"] > 0:
            names.append("momentum_buffer")
        if group["centered"]:
            names.append("grad_avg")
        return tuple(names)

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        alpha, momentum, sign = group["alpha"], group["momentum"], -1.0 if group["maximize"] else 1.0
        run.count()
        run.gather(sign, sign * number(group["weight_decay"]))
        g, work, v = run.g, run.work, run.state["square_avg"]
        np.multiply(g, g, work)
        np.multiply(work, run.number(1 - alpha), work)
        np.multiply(v, run.number(alpha), v)
        np.add(v, work, v)
        if group["centered"]:
            mean = run.state["grad_avg"]
            np.subtract(g, mean, work)
            np.multiply(work, run.number(1 - alpha), work)
            np.add(mean, work, mean)
            np.multiply(mean, mean, work)
            np.subtract(v, work, work)
            np.sqrt(work, work)
        else:
            np.sqrt(v, work)
        np.add(work, run.number(group["eps"]), work)
        np.divide(g, work, work)
        if momentum > 0:
            b = run.state["momentum_buffer"]
            np.multiply(b, run.number(momentum), b)
            np.add(b, work, b)
            np.multiply(b, run.number(number(group["lr"])), work)
        else:
            np.multiply(work, run.number(number(group["lr"])), work)
        run.subtract(work)
