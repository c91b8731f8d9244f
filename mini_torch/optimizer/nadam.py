"""NAdam and RAdam: Adam with Nesterov's momentum, and with a rectified start."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check, check_betas

__all__ = ["NAdam", "RAdam"]


class _Moments(FlatOptimizer):
    """Keeps Adam's means of the gradients and of their squares."""

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _moments(self, x: Any, k: Any) -> tuple[Any, Any]:
        """m and v, moved on."""
        x.exp_avg = x.exp_avg + k.rest1 * (x.g - x.exp_avg)
        x.exp_avg_sq = k.beta2 * x.exp_avg_sq + k.rest2 * (x.g * x.g)
        return x.exp_avg, x.exp_avg_sq


class NAdam(_Moments):
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
        m, v = self._moments(x, k)
        return (k.now * x.g + k.ahead * m) / (np.sqrt(v) + k.eps)


class RAdam(_Moments):
    """Adam that steps along the mean alone until the mean of squares is of more than five steps, then rectified.

    ρ∞ = 2 / (1 - β₂) - 1, ρₜ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ); where ρₜ > 5 the step is Adam's times
    √((ρₜ - 4)(ρₜ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρₜ)). The options are Adam's.

    Errors: ValueError for a negative option or a beta that is not in [0, 1). Liu et al., "On the Variance of the
    Adaptive Learning Rate and Beyond", 2020; PyTorch's `optim.RAdam`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = RAdam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8000, 0.8000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("eps", eps, "epsilon value")
        check_betas(betas)
        check("weight_decay", weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })  # fmt: skip

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        t, (beta1, beta2) = own["step"], o.betas
        rate = o.lr / (1 - beta1**t)
        k = {"rest1": 1 - beta1, "beta2": beta2, "rest2": 1 - beta2, "eps": o.eps}
        most = 2 / (1 - beta2) - 1
        length = most - 2 * t * beta2**t / (1 - beta2**t)
        if length <= 5:
            return {**k, "rate": rate, "rectified": False}
        root = ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
        return {**k, "rate": rate * root * (1 - beta2**t) ** 0.5, "rectified": True}

    def _formula(self, x: Any, k: Any) -> Any:
        m, v = self._moments(x, k)
        return k.rate * (m / (np.sqrt(v) + k.eps) if k.rectified else m)
