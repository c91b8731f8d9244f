"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from .flat import FlatOptimizer, Numbers, Options
from .optimizer import check

__all__ = ["SGD"]


class SGD(FlatOptimizer):
    """p -= lr · g, or with momentum p -= lr · b, where b = momentum · b + (1 − dampening) · g.

    `weight_decay` adds that times p to g; `nesterov` goes along g + momentum · b; `maximize` goes uphill.
    The other options are `Adam`'s. With `differentiable` the first momentum passes gradients on, too, where PyTorch's
    is a constant.

    Errors: ValueError for a negative option, or nesterov without momentum or with dampening. PyTorch's
    `optim.SGD`; Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2))
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8000, 0.8000])
    """

    _own = ()

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: Any = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        check("lr", lr, "learning rate")
        check("momentum", momentum)
        check("weight_decay", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)

    def _state_names(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _numbers(self, o: Options, own: Numbers) -> Numbers:
        if o.momentum == 0:
            return {"scale": o.lr, "heavy": False}
        return {
            "heavy": True, "lr": o.lr, "momentum": o.momentum, "rest": 1 - o.dampening, "damped": o.dampening != 0,
            "nesterov": bool(o.nesterov),
        }  # fmt: skip

    def _formula(self, x: Any, k: Any) -> Any:
        if not k.heavy:
            return x.g
        if k.new:
            x.momentum_buffer = b = x.g
        else:
            x.momentum_buffer = b = k.momentum * x.momentum_buffer + (k.rest * x.g if k.damped else x.g)
        return k.lr * (x.g + k.momentum * b if k.nesterov else b)
