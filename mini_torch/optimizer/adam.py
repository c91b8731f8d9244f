"""Adam, and AdamW, which keeps weight decay out of the moments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import Tensor
from .flat import FlatOptimizer, Run
from .optimizer import check, number

__all__ = ["Adam", "AdamW"]


class Adam(FlatOptimizer):
    """Steps along the mean of past gradients m, divided by the root of the mean of their squares v.

    m = β₁ m + (1−β₁) g, v = β₂ v + (1−β₂) g², p -= lr · m̂ / (√v̂ + eps), where m̂ = m / (1−β₁ᵗ), v̂ = v /
    (1−β₂ᵗ) undo the start at zero, t steps ago. `amsgrad` takes the largest v so far; `weight_decay` adds that
    times p to g, with `decoupled_weight_decay` it shrinks p instead; `maximize` goes uphill. `foreach`, `fused`
    and `capturable` choose between PyTorch's implementations and change nothing here.

    Errors: ValueError for a negative option or a beta that is not in [0, 1). Kingma and Ba, "Adam: A Method for
    Stochastic Optimization", 2015; Reddi et al., "On the Convergence of Adam and Beyond", 2018; PyTorch's
    `optim.Adam`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = Adam([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000, 0.9000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check("lr", lr, "learning rate")
        check("eps", eps, "epsilon value")
        check("weight_decay", weight_decay)
        defaults = {
            "lr": lr, "betas": _checked(betas, foreach and not capturable), "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable, "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        lr, weight_decay = number(group["lr"]), number(group["weight_decay"])
        beta1, beta2 = number(group["betas"][0]), number(group["betas"][1])
        if weight_decay and group["decoupled_weight_decay"]:
            run.shrink(1 - lr * weight_decay)
            weight_decay = 0.0
        sign = -1.0 if group["maximize"] else 1.0
        t = run.count()
        g, work, m, v = run.g, run.work, run.state["exp_avg"], run.state["exp_avg_sq"]

        # Every pass over the buffers counts. Gathering g·√(1−β₂) saves one: its square is what v needs.
        root = math.sqrt(1 - beta2)
        run.gather(sign * root, sign * weight_decay)
        np.multiply(v, run.number(beta2), v)
        np.multiply(g, g, work)
        np.add(v, work, v)
        np.multiply(m, run.number(beta1), m)
        np.multiply(g, run.number((1 - beta1) / root), g)
        np.add(m, g, m)
        if group["amsgrad"]:
            v = np.maximum(run.state["max_exp_avg_sq"], v, out=run.state["max_exp_avg_sq"])

        # lr m̂ / (√v̂ + eps), with both corrections taken out of the fraction
        correction = math.sqrt(1 - beta2**t)
        np.sqrt(v, work)
        np.add(work, run.number(group["eps"] * correction), work)
        np.divide(m, work, work)
        np.multiply(work, run.number(lr * correction / (1 - beta1**t)), work)
        run.subtract(work)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters directly: p -= lr · weight_decay · p, then Adam's step.

    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019; PyTorch's `optim.AdamW`.

    >>> from mini_torch import nn, ones
    >>> AdamW([nn.Parameter(ones(2))]).defaults["weight_decay"]
    0.01
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # also after the state of an Adam was loaded
            group["decoupled_weight_decay"] = True


def _checked(betas: tuple[Any, Any], only_numbers: bool | None) -> tuple[Any, Any]:
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            if only_numbers:
                raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")
        if not 0.0 <= number(beta) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor) or not all(
        isinstance(beta, float | Tensor) for beta in betas
    ):
        raise ValueError("betas must be either both floats or both Tensors")
    return betas[0], betas[1]
