"""Adafactor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, finfo
from ..tensor import Tensor, wrap
from .each import EachParameter, check_range, moved_mean
from .optimizer import number

__all__ = ["Adafactor"]

Array = np.ndarray[Any, Any]


class Adafactor(EachParameter):
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
        check_range("Learning rate", ">= 0", lr, number(lr) >= 0)
        check_range("beta2_decay", "<= 0", beta2_decay, beta2_decay <= 0)
        check_range("epsilon1", ">= 0", eps[0], eps[0] is None or eps[0] >= 0)
        check_range("epsilon2", ">= 0", eps[1], eps[1] >= 0)
        check_range("Clipping threshold d", ">= 1", d, d >= 1)
        check_range("weight_decay", ">= 0", weight_decay, weight_decay >= 0)
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
            return moved_mean(state, "variance", g * g, weight)
        rows = moved_mean(state, "row_var", np.mean(g * g, axis=-1, keepdims=True), weight)
        columns = moved_mean(state, "col_var", np.mean(g * g, axis=-2, keepdims=True), weight)
        return rows * columns / np.maximum(np.mean(rows, axis=-2, keepdims=True), eps1)


def _root_mean_square(x: Array) -> float:
    return float(np.linalg.norm(x)) / math.sqrt(x.size) if x.size else 0.0
