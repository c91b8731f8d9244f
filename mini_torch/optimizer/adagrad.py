"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..tensor import wrap
from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["Adagrad"]


class Adagrad(FlatOptimizer):
    """p -= lr · g / (√s + eps), where s is the sum of all squared gradients so far.

    s starts at `initial_accumulator_value`; after t steps the rate is lr / (1 + (t − 1) · lr_decay).
    `weight_decay` and `maximize` as in `SGD`. `foreach` and `fused` choose between PyTorch's implementations
    and change nothing here.

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
                kind = np.promote_types(np.float32, default_numpy_dtype())
                self.state[p]["step"] = wrap(np.zeros((), kind))
                self.state[p]["sum"] = wrap(np.full(p.shape, self._initial("sum", p._array.dtype), p._array.dtype))

    def _initial(self, name: str, kind: np.dtype[Any]) -> complex:
        value = self.defaults["initial_accumulator_value"]
        return complex(value, value) if kind.kind == "c" else value

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        sign = -1.0 if group["maximize"] else 1.0
        lr = number(group["lr"]) / (1 + (run.count() - 1) * group["lr_decay"])
        run.gather(sign, sign * number(group["weight_decay"]))
        g, work, total = run.g, run.work, run.state["sum"]
        np.multiply(g, g, work)
        np.add(total, work, total)
        np.sqrt(total, work)
        np.add(work, run.number(group["eps"]), work)
        np.divide(g, work, work)
        np.multiply(work, run.number(lr), work)
        run.subtract(work)
