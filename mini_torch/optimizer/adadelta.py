"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

__all__ = ["Adadelta"]


class Adadelta(FlatOptimizer):
    """p -= lr · Δ with Δ = g √(u + eps) / √(v + eps): v is the running mean of g², u that of Δ², both with rho.

    The other options are `Adam`'s.

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

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        return {"lr": o.lr, "rho": o.rho, "rest": 1 - o.rho, "eps": o.eps}

    def _formula(self, x: Any, k: Any) -> Any:
        x.square_avg = v = k.rho * x.square_avg + k.rest * (x.g * x.g)
        step = x.g * np.sqrt(x.acc_delta + k.eps) / np.sqrt(v + k.eps)
        x.acc_delta = k.rho * x.acc_delta + k.rest * (step * step)
        return k.lr * step
