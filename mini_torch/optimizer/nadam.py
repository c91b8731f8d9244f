"""NAdam and RAdam: Adam with Nesterov's momentum, and with a rectified start."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype
from ..tensor import wrap
from .flat import FlatOptimizer, Run
from .optimizer import check, check_betas, number

__all__ = ["NAdam", "RAdam"]


class _Moments(FlatOptimizer):
    """Keeps Adam's means of the gradients and of their squares."""

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _gather_moments(self, run: Run, group: dict[str, Any]) -> None:
        """The gradient with its weight decay, or the parameters shrunk; then m and v."""
        decay = number(group["weight_decay"])
        if decay and group["decoupled_weight_decay"]:
            run.shrink(1 - number(group["lr"]) * decay)
            decay = 0.0
        sign = -1.0 if group["maximize"] else 1.0
        run.gather(sign, sign * decay)
        g, work, m, v = run.g, run.work, run.state["exp_avg"], run.state["exp_avg_sq"]
        beta1, beta2 = group["betas"]
        np.subtract(g, m, work)
        np.multiply(work, run.number(1 - beta1), work)
        np.add(m, work, m)
        np.multiply(v, run.number(beta2), v)
        np.multiply(g, g, work)
        np.multiply(work, run.number(1 - beta2), work)
        np.add(v, work, v)


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

    def _momenta(self, run: Run, mu: float) -> float:
        """The product of all μ so far. Parameters of a run took the same steps, and so have the same."""
        for p in run.params:
            state = self.state[p]
            if "mu_product" not in state:
                state["mu_product"] = wrap(np.ones((), np.promote_types(np.float32, default_numpy_dtype())))
            state["mu_product"]._array *= mu
        return float(self.state[run.params[0]]["mu_product"]._array)

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        t, (beta1, beta2), lr = run.count(), group["betas"], number(group["lr"])
        self._gather_moments(run, group)
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1))
        product = self._momenta(run, mu)
        g, work = run.g, run.work
        np.multiply(g, run.number(lr * (1 - mu) / (1 - product)), g)
        np.multiply(run.state["exp_avg"], run.number(lr * ahead / (1 - product * ahead)), work)
        np.add(g, work, g)
        np.divide(run.state["exp_avg_sq"], run.number(1 - beta2**t), work)
        np.sqrt(work, work)
        np.add(work, run.number(group["eps"]), work)
        np.divide(g, work, g)
        run.subtract(g)


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

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        t, (beta1, beta2) = run.count(), group["betas"]
        self._gather_moments(run, group)
        rate, work = number(group["lr"]) / (1 - beta1**t), run.work
        most = 2 / (1 - beta2) - 1
        length = most - 2 * t * beta2**t / (1 - beta2**t)
        if length <= 5:
            np.multiply(run.state["exp_avg"], run.number(rate), work)
        else:
            rectified = math.sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length))
            np.sqrt(run.state["exp_avg_sq"], work)
            np.add(work, run.number(group["eps"]), work)
            np.divide(run.state["exp_avg"], work, work)
            np.multiply(work, run.number(rate * rectified * math.sqrt(1 - beta2**t)), work)
        run.subtract(work)
