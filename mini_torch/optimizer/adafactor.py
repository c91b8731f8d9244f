"""Optimizers that treat matrices as such: Adafactor, Muon."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, finfo
from ..tensor import Tensor, wrap
from .optimizer import Optimizer, evaluate, number

__all__ = ["Adafactor", "Muon"]

Array = np.ndarray[Any, Any]


class _EachParameter(Optimizer):
    """Updates one parameter after the other."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates all parameters that have a gradient. Returns the loss that `closure` computed, if there is one."""
        loss = evaluate(closure)
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        if p._array.dtype.kind == "c":
                            raise RuntimeError(f"{type(self).__name__} does not support complex parameters")
                        self._update(p, p.grad._array, self.state[p], group)
                        p._bump()
        return loss

    def _update(self, p: Tensor, g: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError


def _check(what: str, wanted: str, given: Any, is_right: bool) -> None:
    if not is_right:
        raise ValueError(f"{what} should be {wanted} but is: {given}")


class Adafactor(_EachParameter):
    """Adam without the memory: of a matrix's squared gradients the means of rows and columns are kept.

    v ≈ row · column / mean(row); the rate is lr, at most 1/√t, times the parameter's own size (at least eps[1]), and
    the step's root mean square is at most d; 1 - β₂ falls as t^beta2_decay.

    Errors: ValueError for an option out of its range, RuntimeError for complex parameters. Shazeer and Stern,
    "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018; PyTorch's `optim.Adafactor`.

    >>> from mini_torch import nn, ones
    >>> p = nn.Parameter(ones(2, 3))
    >>> optimizer = Adafactor([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> optimizer.state[p]["row_var"].shape
    torch.Size([2, 1])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0, weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        _check("Learning rate", ">= 0", lr, number(lr) >= 0)
        _check("beta2_decay", "<= 0", beta2_decay, beta2_decay <= 0)
        _check("epsilon1", ">= 0", eps[0], eps[0] is None or eps[0] >= 0)
        _check("epsilon2", ">= 0", eps[1], eps[1] >= 0)
        _check("Clipping threshold d", ">= 1", d, d >= 1)
        _check("weight_decay", ">= 0", weight_decay, weight_decay >= 0)
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        })  # fmt: skip

    def _update(self, p: Tensor, g: Array, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, (eps1, eps2), array = number(group["lr"]), group["eps"], p._array
        eps1 = finfo(p.dtype).eps if eps1 is None else eps1
        g = -g if group["maximize"] else g
        if "step" not in state:
            state["step"] = wrap(np.zeros((), np.promote_types(np.float32, default_numpy_dtype())))
        state["step"]._array += 1
        t = float(state["step"]._array)
        rate = max(eps2, _root_mean_square(array)) * min(lr, 1 / math.sqrt(t))
        if group["weight_decay"]:
            array *= 1 - lr * group["weight_decay"]
        squares = self._squares(g, state, t ** group["beta2_decay"], eps1)
        update = g / np.sqrt(np.maximum(squares, eps1 * eps1))
        array -= (rate / max(1.0, _root_mean_square(update) / group["d"])) * update

    def _squares(self, g: Array, state: dict[str, Any], weight: float, eps1: float) -> Array:
        """The mean of squared gradients, of a matrix from its rows' and columns'."""
        if g.ndim < 2:
            return _mixed(state, "variance", g * g, weight)
        rows = _mixed(state, "row_var", np.mean(g * g, axis=-1, keepdims=True), weight)
        columns = _mixed(state, "col_var", np.mean(g * g, axis=-2, keepdims=True), weight)
        return rows * columns / np.maximum(np.mean(rows, axis=-2, keepdims=True), eps1)


def _mixed(state: dict[str, Any], name: str, newest: Array, weight: float) -> Array:
    """The running mean of that name, moved towards the newest by the weight."""
    if name not in state:
        state[name] = wrap(np.zeros_like(newest))
    mean: Array = state[name]._array
    mean += weight * (newest - mean)
    return mean


def _root_mean_square(x: Array) -> float:
    return float(np.linalg.norm(x)) / math.sqrt(x.size) if x.size else 0.0


class Muon(_EachParameter):
    """Steps along the momentum made orthogonal: of its singular value decomposition U S Vᵀ about U Vᵀ is taken.

    That is by `ns_steps` of Newton and Schulz's iteration X ← a X + (b A + c A²) X, A = X Xᵀ. Weights of hidden layers
    only; the rest takes another optimizer. The rate is lr √max(1, rows / columns), or with
    adjust_lr_fn="match_rms_adamw" 0.2 lr √max(rows, columns). Errors: ValueError for an option out of its range or a
    parameter that is no matrix. Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024; PyTorch's
    `optim.Muon`, which iterates in bfloat16, where this takes the parameter's type.

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
        _check("Learning rate", ">= 0", lr, number(lr) >= 0)
        _check("momentum", ">= 0", momentum, momentum >= 0)
        _check("weight decay", ">= 0", weight_decay, weight_decay >= 0)
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
        mean = _mixed(state, "momentum_buffer", g, 1 - momentum)
        along = g + momentum * (mean - g) if group["nesterov"] else mean
        step = _orthogonal(along, group["ns_coefficients"], group["ns_steps"], group["eps"])
        matched = group["adjust_lr_fn"] == "match_rms_adamw"
        rate = lr * (0.2 * math.sqrt(max(rows, columns)) if matched else math.sqrt(max(1, rows / columns)))
        p._array *= 1 - lr * group["weight_decay"]
        p._array -= rate * step


def _orthogonal(x: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """x with its singular values brought near 1."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    y = (x.T if tall else x) / max(np.linalg.norm(x), eps)
    for _ in range(steps):
        gram = y @ y.T
        y = a * y + (b * gram + c * (gram @ gram)) @ y
    return y.T if tall else y
