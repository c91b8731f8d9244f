"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

__all__ = ["RMSprop"]


class RMSprop(FlatOptimizer):
    """p -= lr · g / (√v + eps), where v = alpha · v + (1 − alpha) · g² is a running mean.

    `centered` takes the gradients' running mean squared from v first (their variance); `momentum` collects the
    quotient: b = momentum · b + g / (√v + eps), p -= lr · b. The other options are `Adam`'s.

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

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        return {
            "lr": o.lr, "alpha": o.alpha, "rest": 1 - o.alpha, "eps": o.eps, "centered": bool(o.centered),
            "momentum": o.momentum, "heavy": o.momentum > 0,
        }  # fmt: skip

    def _formula(self, x: Any, k: Any) -> Any:
        x.square_avg = v = k.alpha * x.square_avg + k.rest * (x.g * x.g)
        if k.centered:
            x.grad_avg = mean = x.grad_avg + k.rest * (x.g - x.grad_avg)
            v = v - mean * mean
        step = x.g / (np.sqrt(v) + k.eps)
        if k.heavy:
            x.momentum_buffer = step = k.momentum * x.momentum_buffer + step
        return k.lr * step
