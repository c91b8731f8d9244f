"""Cholesky factors, and what is solved with them.

Source of the derivative: I. Murray, "Differentiation of the Cholesky decomposition" (2016).
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from ...errors import LinAlgError
from ...graph import as_unit, verify
from ...op import row, takes_out
from ...tensor import Tensor, wrap
from .elimination import first_failure, triangular, triangular_right
from .matrices import mH, need_floats, need_half_not, need_square, return_type

__all__ = ["cholesky", "cholesky_ex", "factored"]

CholeskyEx = return_type("linalg_cholesky_ex", "L", "info")


def _factor(a: Any, upper: bool) -> Any:
    """L of a = L Lᴴ, from the lower triangle of a (with `upper` Lᴴ, from the upper one); as far as it goes where a is
    not positive definite."""
    if upper:
        return mH(_factor(mH(a), False))
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return _column_by_column(a)[0]


def _column_by_column(a: Any) -> tuple[Any, Any]:
    """(L, info): info is the order (from 1) of the first leading minor that is not positive, else 0."""
    n = a.shape[-1]
    out, info = np.tril(a), np.zeros(a.shape[:-2], np.int32)
    with np.errstate(all="ignore"):
        for j in range(n):
            known = np.conj(out[..., j : j + 1, :j])
            column = out[..., j:, j] - np.sum(out[..., j:, :j] * known, axis=-1)
            pivot = column[..., 0].real
            good = (info == 0) & (pivot > 0)
            info = np.where((info == 0) & ~good, j + 1, info).astype(np.int32)
            root = np.sqrt(np.where(good, pivot, 1))
            out[..., j:, j] = np.where(good[..., None], column / root[..., None], out[..., j:, j])
    return out, info


def _is_factor(x: Any, a: Any) -> bool:
    """Whether x is surely a's: finite, and each row of x leaves of a's diagonal what its last number squared is."""
    diagonal = np.diagonal(x, 0, -2, -1).real
    left = np.diagonal(a, 0, -2, -1).real - np.sum(np.abs(np.tril(x, -1)) ** 2, axis=-1)
    return bool(np.isfinite(x).all() and (diagonal > 0).all() and (left > 0.5 * diagonal**2).all())


def _info(a: Any) -> Any:
    """The order (from 1) of the first leading minor that is not positive, else 0."""
    with contextlib.suppress(np.linalg.LinAlgError):
        if np.isfinite(np.linalg.cholesky(a)).all():
            return np.zeros(a.shape[:-2], np.int32)
    return _column_by_column(a)[1]


def _rule(g: Any, out: Any, upper: bool) -> Any:
    """½ L⁻ᴴ (M + tril(M, −1)ᴴ) L⁻¹ with M the lower triangle of Lᴴ dL."""
    if upper:
        g, out = mH(g), mH(out)
    inner = np.tril(np.matmul(mH(out), g))
    middle = 0.5 * (inner + mH(np.tril(inner, -1)))
    return triangular_right(out, triangular(mH(out), middle, True, False), False)


_cholesky = row("cholesky", _factor, holomorphic=False, grad_name="LinalgCholeskyExBackward0", a=_rule)


def factored(A: Tensor, upper: bool, name: str, check: bool) -> tuple[Tensor, Any]:
    """The factor and info; with `check`, LinAlgError in the name of `name` where A is not positive definite."""
    need_floats(A, "linalg.cholesky")
    need_square(A, "linalg.cholesky")
    need_half_not(A, "cholesky_cpu")
    out = _cholesky(A, upper)
    info = as_unit(_info_of, out._array, A._array, upper)
    if check:
        verify(_check_factored, info, name)
    return out, info


def _info_of(x: Any, a: Any, upper: bool) -> Any:
    if upper:
        x, a = mH(x), mH(a)
    return np.zeros(a.shape[:-2], np.int32) if _is_factor(x, a) else _info(a)


def _check_factored(info: Any, name: str) -> None:
    if info.any():
        where, i = first_failure(info)
        raise LinAlgError(
            f"{name}: {where}The factorization could not be completed because the input is not positive-definite (the "
            f"leading minor of order {i} is not positive-definite)."
        )


@takes_out
def cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """L of A = L Lᴴ, lower triangular (with `upper`: U of A = Uᴴ U), for Hermitian positive definite A (*, n, n).

    Errors: LinAlgError where A is not positive definite. Source: PyTorch's `torch.linalg.cholesky`.
    """
    return factored(input, upper, "linalg.cholesky", check=True)[0]


@takes_out
def cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """(L, info): `cholesky` with, instead of the error, the order of the first leading minor that is not positive.

    Source: PyTorch's `torch.linalg.cholesky_ex`.
    """
    out, info = factored(input, upper, "linalg.cholesky_ex", check_errors)
    return CholeskyEx(out, wrap(info))
