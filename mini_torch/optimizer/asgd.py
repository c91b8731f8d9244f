"""ASGD."""

from __future__ import annotations

from typing import Any

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

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

    _own = ("step", "eta", "mu")
    _on_device = "params, mus, etas, and state_steps"

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

    def _initial(self, name: str, o: Options) -> Any:
        return {"eta": o.lr, "mu": 1.0}.get(name, 0.0)

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        t, eta, mu = own["step"], own["eta"], own["mu"]
        own["eta"] = o.lr / (1 + o.lambd * o.lr * t) ** o.alpha
        own["mu"] = 1 / max(1, t - o.t0)
        return {"eta": eta, "shrink": o.lambd * eta, "mu": mu, "first": mu == 1}

    def _formula(self, x: Any, k: Any) -> Any:
        step = k.shrink * x.p + k.eta * x.g
        there = x.p - step
        x.ax = there if k.first else x.ax + k.mu * (there - x.ax)
        return step
