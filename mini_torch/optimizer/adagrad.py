"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

__all__ = ["Adagrad"]


class Adagrad(FlatOptimizer):
    """p -= lr · g / (√s + eps), where s is the sum of all squared gradients so far.

    s starts at `initial_accumulator_value`; after t steps the rate is lr / (1 + (t − 1) · lr_decay).
    The other options are `Adam`'s.

    Errors: ValueError for a negative option. Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online
    Learning and Stochastic Optimization", 2011; PyTorch's `optim.Adagrad`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = Adagrad([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000, 0.9000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("lr_decay", lr_decay)
        check("weight_decay", weight_decay)
        check("initial_accumulator_value", initial_accumulator_value)
        check("eps", eps, "epsilon value")
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(p, group)

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _initial(self, name: str, o: Options) -> Any:
        return self.defaults["initial_accumulator_value"] if name == "sum" else 0.0

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        return {"rate": o.lr / (1 + (own["step"] - 1) * o.lr_decay), "eps": o.eps}

    def _formula(self, x: Any, k: Any) -> Any:
        x.sum = s = x.sum + x.g * x.g
        return k.rate * (x.g / (np.sqrt(s) + k.eps))
