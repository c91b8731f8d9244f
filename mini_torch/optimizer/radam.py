"""RAdam: Adam with a rectified start."""

from __future__ import annotations

from typing import Any

import numpy as np

from .flat import Numbers, Options
from .moments import Moments
from .optimizer import check, check_betas

__all__ = ["RAdam"]


class RAdam(Moments):
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
        m, v = self._move_moments(x, k)
        return k.rate * (m / (np.sqrt(v) + k.eps) if k.rectified else m)
