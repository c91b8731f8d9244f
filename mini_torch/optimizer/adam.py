"""Adam, and AdamW, which keeps weight decay out of the moments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor
from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check, number

__all__ = ["Adam", "AdamW"]


class Adam(FlatOptimizer):
    """Steps along the mean of past gradients m, divided by the root of the mean of their squares v.

    m = β₁ m + (1−β₁) g, v = β₂ v + (1−β₂) g², p -= lr · m̂ / (√v̂ + eps), where m̂ = m / (1−β₁ᵗ), v̂ = v /
    (1−β₂ᵗ) undo the start at zero, t steps ago. `amsgrad` takes the largest v so far; `weight_decay` adds that
    times p to g, with `decoupled_weight_decay` it shrinks p instead; `maximize` goes uphill. Numbers may be
    given as tensors of one element.

    With `differentiable` each step is part of the graph, for parameters that are no leaves: gradients flow through it,
    also to options that are tensors. `foreach` and `fused` choose between PyTorch's implementations and change
    nothing here; `capturable` is for GPUs, and a step refuses it as PyTorch's does elsewhere (AssertionError).

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

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        t, (beta1, beta2) = own["step"], o.betas
        root = (1 - beta2) ** 0.5
        correction = (1 - beta2**t) ** 0.5
        return {
            "scale": root, "beta1": beta1, "rest1": (1 - beta1) / root, "beta2": beta2, "amsgrad": bool(o.amsgrad),
            "eps": o.eps * correction, "rate": o.lr * correction / (1 - beta1**t),
        }  # fmt: skip

    def _formula(self, x: Any, k: Any) -> Any:
        # Every pass over the numbers counts. A gradient times √(1−β₂) saves one: its square is what v needs. So does
        # taking both corrections out of lr m̂ / (√v̂ + eps).
        x.exp_avg_sq = v = k.beta2 * x.exp_avg_sq + x.g * x.g
        x.exp_avg = m = k.beta1 * x.exp_avg + k.rest1 * x.g
        if k.amsgrad:
            x.max_exp_avg_sq = v = np.maximum(x.max_exp_avg_sq, v)
        return k.rate * (m / (np.sqrt(v) + k.eps))


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


def _checked(betas: Any, only_numbers: bool | None) -> tuple[Any, ...]:
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
    return tuple(betas)
