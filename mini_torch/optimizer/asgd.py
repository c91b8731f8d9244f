"""ASGD."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..tensor import wrap
from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["ASGD"]


class ASGD(FlatOptimizer):
    """Gradient descent with a falling rate, and from step t0 on the mean of all parameters in `state[p]["ax"]`.

    p = (1 - lambd η) p - η g, where η = lr / (1 + lambd lr t)^alpha. Errors: ValueError for a negative lr or
    weight_decay. Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; PyTorch's
    `optim.ASGD`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = ASGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8000, 0.8000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("weight_decay", weight_decay)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def _scalars(self, run: Run, lr: float) -> tuple[float, float]:
        """η and μ, the weight of the newest parameters in the mean, that all parameters of a run have in common."""
        kind = np.promote_types(np.float32, default_numpy_dtype())
        for p in run.params:
            self.state[p].setdefault("eta", wrap(np.array(lr, kind)))
            self.state[p].setdefault("mu", wrap(np.ones((), kind)))
        first = self.state[run.params[0]]
        return float(first["eta"]._array), float(first["mu"]._array)

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        t, lr, lambd = run.count(), number(group["lr"]), group["lambd"]
        eta, mu = self._scalars(run, lr)
        sign = -1.0 if group["maximize"] else 1.0
        run.gather(sign, sign * number(group["weight_decay"]))
        np.multiply(run.g, run.number(eta), run.g)
        run.shrink(1 - lambd * eta)
        run.subtract(run.g)
        for p in run.params:
            state = self.state[p]
            mean = state["ax"]._array
            mean[...] = p._array if mu == 1 else mean + (p._array - mean) * run.number(mu)
            state["eta"]._array[...] = lr / (1 + lambd * lr * t) ** group["alpha"]
            state["mu"]._array[...] = 1 / max(1, t - group["t0"])
