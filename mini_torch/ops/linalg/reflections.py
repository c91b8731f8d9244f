"""Orthogonal matrices as products of reflections, the form in which QR finds them.

Q = H₁ H₂ … H_k with H_i = 1 − τ_i v_i v_iᴴ; v_i is 1 at i, 0 above, and below it what column i of a matrix holds.
Source: Golub and Van Loan, "Matrix Computations", section 5.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import public, takes_out, type_name
from ...tensor import Tensor, wrap
from .matrices import kind_of, mH, need_half_not, return_type

__all__ = ["geqrf", "householder_product", "orgqr", "ormqr"]

Geqrf = return_type("geqrf", "a", "tau")


@public
def geqrf(input: Tensor) -> Any:
    """(a, tau): R on and above the diagonal of a, the reflections that make Q below it, for A (*, m, n). No gradient.

    Source: PyTorch's `torch.geqrf`.
    """
    if input._array.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    need_half_not(input, "geqrf_cpu")
    *batch, m, n = input._array.shape
    if not input._array.size:
        return Geqrf(wrap(input._array.copy()), wrap(np.empty((*batch, min(m, n)), kind_of(input))))
    a, tau = np.linalg.qr(input._array, "raw")
    return Geqrf(wrap(np.swapaxes(a, -1, -2).copy()), wrap(tau))


def _reflected(a: Any, tau: Any, x: Any, adjoint: bool) -> Any:
    """Q x, or Qᴴ x."""
    m, k = a.shape[-2], tau.shape[-1]
    v = np.tril(a[..., :k], -1) + np.eye(m, k, dtype=kind_of(a))
    for i in range(k) if adjoint else reversed(range(k)):
        column, factor = v[..., i : i + 1], tau[..., i, None, None]
        x = x - (np.conjugate(factor) if adjoint else factor) * np.matmul(column, np.matmul(mH(column), x))
    return x


def _check(input: Tensor, tau: Tensor, name: str) -> None:
    if input._array.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if input._array.ndim - tau._array.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau._array.ndim} "
            f"and input.ndim is equal to {input._array.ndim}"
        )
    if input._array.shape[:-2] != tau._array.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(tau._array.shape[:-1])}"
        )
    if kind_of(tau) != kind_of(input):
        raise RuntimeError(
            f"{name}: tau dtype {type_name(kind_of(tau))} does not match input dtype {type_name(kind_of(input))}"
        )


@takes_out
def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of Q for the reflections in A (*, m, n) and tau (*, k), as `geqrf` gives them.

    Source: PyTorch's `torch.linalg.householder_product`.
    """
    name = "torch.linalg.householder_product"
    if input._array.ndim >= 2:
        m, n = input._array.shape[-2:]
        if m < n:
            raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
        if n < (tau._array.shape[-1] if tau._array.ndim else 0):
            raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    _check(input, tau, name)
    need_half_not(input, "orgqr_cpu")
    nothing = input.masked_fill(wrap(np.True_), 0)  # has A's place in the graph, should there be no reflection
    return _reflected(input, tau, nothing + np.eye(m, n, dtype=kind_of(input)), False)


@public
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """The columns of Q, see `torch.linalg.householder_product`. Source: PyTorch's `torch.orgqr`."""
    return householder_product(input, input2)


@public
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """Q · other (other · Q unless `left`), or with Qᴴ (`transpose`), for all columns of Q, (*, m, m).

    Source: PyTorch's `torch.ormqr`.
    """
    name = "torch.ormqr"
    for x, each in ((input, "input"), (input3, "other")):
        if x._array.ndim < 2:
            raise RuntimeError(f"{name}: {each} must have at least 2 dimensions.")
    axis = -2 if left else -1
    size = input3._array.shape[axis]
    if size != input._array.shape[-2]:
        raise RuntimeError(f"{name}: other.shape[{axis}] must be equal to input.shape[-2]")
    if input2._array.shape[-1:] != (min(size, input._array.shape[-1]),):
        raise RuntimeError(f"{name}: tau.shape[-1] must be equal to min(other.shape[{axis}], input.shape[-1])")
    _check(input, input2, name)
    need_half_not(input, "ormqr_cpu")
    if left:
        return _reflected(input, input2, input3, transpose)
    return mH(_reflected(input, input2, mH(input3), not transpose))
