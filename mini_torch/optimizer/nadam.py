"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import Numbers, Options
from .moments import Moments
from .optimizer import check, check_betas

__all__ = ["NAdam"]


class NAdam(Moments):
    """Adam that looks ahead: the step goes along a mix of the gradient and the mean, as in Nesterov's momentum.

    μₜ = β₁ (1 - ½ 0.96^(t·momentum_decay)); p -= lr ((1 - μₜ) g / (1 - Π μ) + μₜ₊₁ m / (1 - Π μ · μₜ₊₁)) / (√v̂ + eps).
    The other options are Adam's. Errors: ValueError for a negative option or a beta that is not in [0, 1). Dozat,
    "Incorporating Nesterov Momentum into Adam", 2016; PyTorch's `optim.NAdam`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = NAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8944, 0.8944])
    """

    _own = ("step", "mu_product")
    _on_device = "params, mu_products and state_steps"

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("eps", eps, "epsilon value")
        check_betas(betas)
        check("weight_decay", weight_decay)
        check("momentum_decay", momentum_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def _initial(self, name: str, o: Options) -> Any:
        return 1.0 if name == "mu_product" else 0.0

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        t, (beta1, beta2) = own["step"], o.betas
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (k * o.momentum_decay)) for k in (t, t + 1))
        own["mu_product"] = product = own["mu_product"] * mu
        correction = (1 - beta2**t) ** 0.5
        rate = o.lr * correction
        return {
            "rest1": 1 - beta1, "beta2": beta2, "rest2": 1 - beta2, "eps": o.eps * correction,
            "now": rate * (1 - mu) / (1 - product), "ahead": rate * ahead / (1 - product * ahead),
        }  # fmt: skip

    def _formula(self, x: Any, k: Any) -> Any:
        m, v = self._move_moments(x, k)
        return (k.now * x.g + k.ahead * m) / (np.sqrt(v) + k.eps)
