"""Losses that are likelihoods: of normal and Poisson distributions, and the divergence of two distributions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..graph import verify
from ..op import keeps_type, row, takes_out
from ..tensor import Tensor, wrap
from .activation import need_reals
from .elementwise import exp, xlogy
from .loss import as_floats, check_reduction, reduced, reduction_of
from .reduction import sum

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


# ---- normal ---------------------------------------------------------------------------------------------------------
# The variance is kept above eps for its value only: one below keeps its gradient.
_floor = row("variance_floor", lambda x, eps: np.maximum(x, eps), x=lambda g: g)


def _variance_rule(g: Any, d: Any, var: Any) -> Any:
    return g * (0.5 / var) * (1 - d * d / var)


_gaussian = row(
    "gaussian_nll_loss",
    keeps_type(lambda x, y, var, eps: 0.5 * (np.log(np.maximum(var, eps)) + np.square(x - y) / np.maximum(var, eps))),
    x=lambda g, x, y, var, eps: g * (x - y) / _floor(var, eps),
    y=lambda g, x, y, var, eps: g * (y - x) / _floor(var, eps),
    var=lambda g, x, y, var, eps: _variance_rule(g, x - y, _floor(var, eps)),
    broadcasts=True,
)  # fmt: skip


@takes_out
def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """(ln var + (input - target)² / var) / 2: the negative log-likelihood of normal distributions.

    Shape: input and target (*), var alike, or without or with 1 as its last size, or a number; it counts as `eps`
    where it is less. `full` adds ln(2π) / 2. Errors: ValueError for a negative var or one of another size.
    Source: Nix and Weigend 1994; PyTorch's `nn.functional.gaussian_nll_loss`.
    """
    variance = _variances(var, input)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not valid")
    x, y, spread = as_floats(input, target, variance)
    need_reals(x, "clamp")
    loss = _gaussian(x, y, spread, eps)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _check_variances(var: Any) -> None:
    if (var < 0).any():
        raise ValueError("var has negative entry/entries")


def _variances(var: Tensor | float, input: Tensor) -> Tensor:
    """`var` as a tensor that broadcasts with the input."""
    if not isinstance(var, Tensor):
        var = wrap(np.full(input._array.shape, var, input._array.dtype))
    verify(_check_variances, var._array)
    found, wanted = var._array.shape, input._array.shape
    if found == wanted:
        return var
    if found == wanted[:-1]:
        return var.unsqueeze(-1)
    if len(found) != len(wanted) or [a for a, b in zip(found, wanted) if a != b] != [1]:
        raise ValueError(f"var is of incorrect size: {list(found)} for an input of {list(wanted)}")
    return var


# ---- Poisson --------------------------------------------------------------------------------------------------------
_poisson_log = row(
    "poisson_of_logarithm", keeps_type(lambda x, y: np.exp(x) - y * x), x=lambda g, x, y: g * (exp(x) - y),
    y=lambda g, x: -g * x, broadcasts=True,
)  # fmt: skip
_poisson_rate = row(
    "poisson_of_rate", keeps_type(lambda x, y, eps: x - y * np.log(x + eps)),
    x=lambda g, x, y, eps: g * (1 - y / (x + eps)), y=lambda g, x, eps: -g * np.log(x + eps), broadcasts=True,
)  # fmt: skip


def _stirling(y: Any) -> Any:
    """ln y! for y > 1 by Stirling's formula, 0 for less."""
    safe = np.maximum(y, 1)
    return np.where(y > 1, y * np.log(safe) - y + 0.5 * np.log(2 * math.pi * safe), 0.0)


@takes_out
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
    eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """exp(input) - target · input: the negative log-likelihood of counts, `input` being the rates' logarithms.

    With log_input=False, input - target · ln(input + eps). `full` adds Stirling's ln target! for targets above 1.
    Source: PyTorch's `nn.functional.poisson_nll_loss`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    check_reduction(reduction)
    x, y = as_floats(input, target)
    loss = _poisson_log(x, y) if log_input else _poisson_rate(x, y, eps)
    return reduced(loss + _stirling(y) if full else loss, reduction)


# ---- divergence -----------------------------------------------------------------------------------------------------
@takes_out
def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """target · (ln target - input): the Kullback-Leibler divergence, input holding log-probabilities.

    With `log_target` the target does, too. reduction='batchmean' divides the sum by the first size: the definition.
    Source: PyTorch's `nn.functional.kl_div`.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if input.is_complex() or target.is_complex():
        raise RuntimeError("kl_div: Complex inputs not supported.")
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=3,
        )
    loss = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    if reduction == "batchmean":
        return sum(loss) / input._array.shape[0] if input._array.ndim else loss
    return reduced(loss, reduction)
