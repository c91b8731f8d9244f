"""Adamax."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check, check_betas

__all__ = ["Adamax"]


class Adamax(FlatOptimizer):
    """Adam with the largest gradient in place of the mean of squares: u = max(β₂ u, |g| + eps), p -= lr m̂ / u.

    The options are Adam's. Errors: ValueError for a negative option or a beta that is not in [0, 1). Kingma and Ba,
    "Adam: A Method for Stochastic Optimization", 2015, section 7; PyTorch's `optim.Adamax`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = Adamax([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000, 0.9000])
    """

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("eps", eps, "epsilon value")
        check_betas(betas)
        check("weight_decay", weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        beta1, beta2 = o.betas
        return {"rest1": 1 - beta1, "beta2": beta2, "eps": o.eps, "rate": o.lr / (1 - beta1 ** own["step"])}

    def _formula(self, x: Any, k: Any) -> Any:
        x.exp_avg = m = x.exp_avg + k.rest1 * (x.g - x.exp_avg)
        x.exp_inf = u = np.maximum(k.beta2 * x.exp_inf, np.abs(x.g) + k.eps)
        return k.rate * (m / u)
