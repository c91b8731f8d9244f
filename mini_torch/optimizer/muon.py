"""Muon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import Tensor
from .each import EachParameter, check_range, moved_mean
from .optimizer import number

__all__ = ["Muon"]

Array = np.ndarray[Any, Any]


class Muon(EachParameter):
    """Steps along the momentum made orthogonal: of its singular value decomposition U S Vᵀ about U Vᵀ is taken.

    That is by `ns_steps` of Newton and Schulz's iteration X ← a X + (b A + c A²) X, A = X Xᵀ, each product rounded to
    bfloat16. Weights of hidden layers
    only; the rest takes another optimizer. The rate is lr √max(1, rows / columns), or with
    adjust_lr_fn="match_rms_adamw" 0.2 lr √max(rows, columns). Errors: ValueError for an option out of its range or a
    parameter that is no matrix. Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024; PyTorch's
    `optim.Muon`.

    >>> from mini_torch import nn, eye
    >>> p = nn.Parameter(eye(2))
    >>> optimizer = Muon([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data[0, 1]
    tensor(0.)
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95, nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7, ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        check_range("Learning rate", ">= 0", lr, number(lr) >= 0)
        check_range("momentum", ">= 0", momentum, momentum >= 0)
        check_range("weight decay", ">= 0", weight_decay, weight_decay >= 0)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.ndim != 2:
                raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}")

    def _update(self, p: Tensor, g: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, momentum, (rows, columns) = number(group["lr"]), group["momentum"], g.shape
        mean = moved_mean(state, "momentum_buffer", g, 1 - momentum)
        along = g + momentum * (mean - g) if group["nesterov"] else mean
        step = _orthogonal(along, group["ns_coefficients"], group["ns_steps"], group["eps"])
        matched = group["adjust_lr_fn"] == "match_rms_adamw"
        rate = lr * (0.2 * math.sqrt(max(rows, columns)) if matched else math.sqrt(max(1, rows / columns)))
        p._array *= 1 - lr * group["weight_decay"]
        p._array -= rate * step.astype(p._array.dtype)


def _orthogonal(x: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """x with its singular values brought near 1."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    y = _brain(x.T if tall else x)
    y = _brain(y / np.maximum(_brain(np.linalg.norm(y, keepdims=True)), eps))
    for _ in range(steps):
        gram = _brain(y @ y.T)
        gram = _brain(b * gram + c * (gram @ gram))
        y = _brain(a * y + gram @ y)
    return y.T if tall else y


def _brain(x: Array) -> Array:
    """Numbers as float32, rounded to bfloat16's eight bits, ties to even."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)
