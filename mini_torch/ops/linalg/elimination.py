"""Gaussian elimination: the LU factors of matrices, triangular equations, and what is solved with them.

NumPy solves, but gives no factors; these are ours, panel by panel for a whole batch at once. Sources: Golub and Van
Loan, "Matrix Computations", sections 3.1 to 3.4; for the derivatives F. de Hoog, R. Anderssen, M. Lukas,
"Differentiation of matrix functionals using triangular factorization" (2011).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import unit, verify
from ...op import row, several, takes_out
from ...tensor import Tensor, wrap
from .matrices import (
    by,
    identity_like,
    kind_of,
    mH,
    mT,
    need_floats,
    need_half_not,
    need_matrix,
    need_same_type,
    need_square,
    only_diagonal,
    return_type,
)

__all__ = [
    "check_equation", "eliminate", "first_failure", "lu", "lu_factor", "lu_factor_ex", "lu_solve",
    "solve_triangular", "substitute", "triangular", "triangular_right", "unpack",
]  # fmt: skip

LU = return_type("linalg_lu", "P", "L", "U")
LUFactor = return_type("linalg_lu_factor", "LU", "pivots")
LUFactorEx = return_type("linalg_lu_factor_ex", "LU", "pivots", "info")


# ---- on arrays -------------------------------------------------------------------------------------------------------
_PANEL = 32  # columns that are eliminated one by one before the rest of the matrix hears of them, in one product


def eliminate(a: Any) -> tuple[Any, Any, Any]:
    """(LU, pivots, info) of a = P L U by partial pivoting: both factors in one matrix, the row exchanged at each step
    (from 1), and the first step (from 1) whose pivot is zero, 0 if none is."""
    *batch, m, n = a.shape
    k = min(m, n)
    lu = np.array(a, order="C").reshape(int(np.prod(batch)), m, n)
    pivots = np.empty((len(lu), k), np.int32)
    for j in range(0, k, _PANEL):
        e = min(j + _PANEL, k)
        steps = pivots[:, j:e]
        _eliminate_panel(lu[:, j:, j:e], steps)
        order = row_order(steps, m - j)[..., None]
        steps += j
        lu[:, j:, :j] = np.take_along_axis(lu[:, j:, :j], order, 1)
        if e < n:
            rest = np.take_along_axis(lu[:, j:, e:], order, 1)
            rest[:, : e - j] = _triangular_solution(lu[:, j:e, j:e], rest[:, : e - j], False, True)
            rest[:, e - j :] -= np.matmul(lu[:, e:, j:e], rest[:, : e - j])
            lu[:, j:, e:] = rest
    zero = np.diagonal(lu, 0, 1, 2) == 0
    info = np.where(zero.any(1), zero.argmax(1) + 1, 0) if k else np.zeros(len(lu))
    return lu.reshape(a.shape), pivots.reshape(*batch, k), info.astype(np.int32).reshape(batch)


def _eliminate_panel(lu: Any, pivots: Any) -> None:
    """Column by column; `lu` (b, m, k) and `pivots` (b, k) are written."""
    each = np.arange(len(lu))
    for j in range(lu.shape[-1]):
        column = lu[:, j:, j]
        at = j + np.argmax(np.abs(column.real) + np.abs(column.imag), axis=1)  # LAPACK's measure of a complex pivot
        pivots[:, j] = at + 1
        lu[each, j], lu[each, at] = lu[each, at], lu[each, j]
        pivot = lu[:, j, j, None]
        lu[:, j + 1 :, j] /= np.where(pivot == 0, 1, pivot)
        lu[:, j + 1 :, j + 1 :] -= lu[:, j + 1 :, j, None] * lu[:, j, None, j + 1 :]


@unit
def row_order(pivots: Any, m: int) -> Any:
    """The order (*, m) into which the exchanges bring the rows."""
    *batch, k = pivots.shape
    flat = pivots.reshape(int(np.prod(batch)), k)
    order = np.tile(np.arange(m), (len(flat), 1))
    each = np.arange(len(flat))
    for j in range(k):
        at = flat[:, j] - 1
        order[each, j], order[each, at] = order[each, at], order[each, j]
    return order.reshape(*batch, m)


def exchange(pivots: Any, m: int, kind: Any) -> Any:
    """The permutation matrices P (*, m, m) of A = P L U."""
    array = pivots._array if isinstance(pivots, Tensor) else pivots
    return (np.expand_dims(row_order(array, m), -2) == np.arange(m)[:, None]).astype(kind)


def _back_substituted(a: Any, b: Any) -> Any:
    """X of a X = b for upper triangular a, row by row; inf and nan where a has zeros on its diagonal."""
    out = np.array(np.broadcast_to(b, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])))
    with np.errstate(all="ignore"):
        for i in reversed(range(a.shape[-1])):
            known = np.matmul(a[..., i : i + 1, i + 1 :], out[..., i + 1 :, :])[..., 0, :]
            out[..., i, :] = (out[..., i, :] - known) / a[..., i, i, None]
    return out


def _triangular_solution(a: Any, b: Any, upper: bool, unit: bool) -> Any:
    if not upper:  # read from the last row and column, it is an upper one
        return _triangular_solution(a[..., ::-1, ::-1], b[..., ::-1, :], True, unit)[..., ::-1, :]
    a = np.triu(a, 1) + identity_like(a, a.shape[-1]) if unit else np.triu(a)
    if np.isfinite(a).all() and (only_diagonal(a) != 0).all():
        ndim = max(a.ndim, b.ndim)  # NumPy 1 takes a b of one dimension less for vectors
        return _halved(*(x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in (a, b)))
    return _back_substituted(a, b)


def _halved(a: Any, b: Any) -> Any:
    """X of a X = b for upper triangular a: the lower half, then the upper one with what is known."""
    n = a.shape[-1]
    if n <= 48:
        return np.linalg.solve(a, b)  # LAPACK finds nothing to eliminate and substitutes
    h = n // 2
    low = _halved(a[..., h:, h:], b[..., h:, :])
    high = _halved(a[..., :h, :h], b[..., :h, :] - np.matmul(a[..., :h, h:], low))
    return np.concatenate([np.broadcast_to(high, (*low.shape[:-2], *high.shape[-2:])), low], -2)


def substitute(lu: Any, pivots: Any, b: Any) -> Any:
    """X of P L U X = b."""
    b = np.matmul(mT(exchange(pivots, lu.shape[-2], lu.dtype)), b)
    return _triangular_solution(lu, _triangular_solution(lu, b, False, True), True, False)


# ---- triangular equations --------------------------------------------------------------------------------------------
def _cut(x: Any, upper: bool, unit: bool = False) -> Any:
    """The triangle of x that a triangular equation reads."""
    return np.triu(x, int(unit)) if upper else np.tril(x, -int(unit))


triangular: Callable[..., Any] = row(
    "solve_triangular", lambda a, b, upper, unit: _triangular_solution(a, b, upper, unit), broadcasts=True,
    grad_name="LinalgSolveTriangularBackward0",
    a=lambda g, a, out, upper, unit: _cut(
        -np.matmul(triangular(mT(a), g, not upper, unit), mT(out)), upper, unit),
    b=lambda g, a, upper, unit: triangular(mT(a), g, not upper, unit),
)  # fmt: skip


def triangular_right(a: Any, b: Any, upper: bool, unit: bool = False) -> Any:
    """X of X a = b."""
    return mT(triangular(mT(a), mT(b), not upper, unit))


@takes_out
def solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X of A X = B (of X A = B unless `left`) with A (*, n, n) upper or lower triangular, B (*, n, k) or (*, k, n).

    Only the named triangle of A is read; with `unitriangular` its diagonal counts as ones. A zero on the diagonal gives
    inf or nan. Source: PyTorch's `torch.linalg.solve_triangular`.
    """
    name = "linalg.solve_triangular"
    need_same_type(input, B, name)
    check_equation(input, B, left, name)
    need_half_not(B, "triangular_solve_cpu")
    return triangular(input, B, upper, unitriangular) if left else triangular_right(input, B, upper, unitriangular)


def check_equation(A: Tensor, B: Tensor, left: bool, name: str) -> None:
    """RuntimeError unless A is square and B fits it in A X = B (X A = B unless `left`)."""
    need_square(A, name)
    need_matrix(B, name, "B")
    a, b = A._array.shape, B._array.shape
    if a[-2] != b[-2 if left else -1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} ({by(a)} and "
            f"{by(b)})"
        )


# ---- LU --------------------------------------------------------------------------------------------------------------
def _lower(lu: Any) -> Any:
    """L (*, m, k) out of both factors in one."""
    k = min(lu.shape[-2:])
    left = np.tril(lu[..., :k], -1)
    return left + identity_like(lu, max(lu.shape[-2:]))[: lu.shape[-2], :k]


def _upper(lu: Any) -> Any:
    """U (*, k, n) out of both factors in one."""
    return np.triu(lu[..., : min(lu.shape[-2:]), :])


def _lu_rule(g_lu: Any, lu: Any, pivots: Any) -> Any:
    """With M = Lᵀ dL, N = dU Uᵀ of the square part: P L⁻ᵀ (tril(M, −1) + triu(N)) U⁻ᵀ. The rest of a wide U is
    L⁻¹ Pᵀ A₂, of a tall L it is A₂ U⁻¹: what comes from there joins M or N."""
    m, n = lu.shape[-2:]
    k = min(m, n)
    g_lower, g_upper, square = np.tril(g_lu[..., :k], -1), np.triu(g_lu[..., :k, :]), lu[..., :k, :k]
    lower, upper = _lower(lu), _upper(lu)
    inner = np.matmul(mT(lower[..., :k, :]), g_lower[..., :k, :])
    outer = np.matmul(g_upper[..., :k], mT(upper[..., :k]))
    rest = None
    if n > k:
        inner = inner - np.matmul(g_upper[..., k:], mT(upper[..., k:]))
        rest = triangular(mT(square), g_upper[..., k:], True, True)
    if m > k:
        outer = outer - np.matmul(mT(lower[..., k:, :]), g_lower[..., k:, :])
        rest = triangular_right(mT(square), g_lower[..., k:, :], False)
    middle = np.tril(inner, -1) + np.triu(outer)
    grad = triangular_right(mT(square), triangular(mT(square), middle, True, True), False)
    if rest is not None:
        grad = np.concatenate([grad, rest], -1 if n > k else -2)
    return np.matmul(exchange(pivots, m, kind_of(lu)), grad)


_lu = several(
    "lu_factor", lambda a: eliminate(a), ("lu", "pivots", "info"), grad_name="LinalgLuFactorExBackward0", a=_lu_rule
)


def _factor(A: Tensor, pivot: bool, name: str) -> tuple[Tensor, Tensor, Tensor]:
    if A._array.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    need_half_not(A, "lu_cpu")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return _lu(A)


def _check_pivots(info: Any, name: str) -> None:
    if info.any():
        where, i = first_failure(info)
        raise RuntimeError(
            f"{name}: {where}U[{i},{i}] is zero and using it on lu_solve would result in a division by zero. If you "
            "still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )


def first_failure(info: Any) -> tuple[str, int]:
    """The words for the first matrix of a batch that failed, and its code."""
    at = int(np.flatnonzero(info)[0])
    return f"(Batch element {at}): " if info.ndim else "", int(info.ravel()[at])


@takes_out
def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """(LU, pivots): L below and U on and above the diagonal of one matrix (*, m, n), and the exchanges of rows, from 1.

    Errors: RuntimeError where U has a zero on its diagonal. Source: PyTorch's `torch.linalg.lu_factor`.
    """
    factors, pivots, info = _factor(A, pivot, "torch.lu_factor")
    verify(_check_pivots, info._array, "torch.linalg.lu_factor")
    return LUFactor(factors, pivots)


@takes_out
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """(LU, pivots, info): `lu_factor` with, instead of the error, the place (from 1) of U's first zero, else 0.

    Source: PyTorch's `torch.linalg.lu_factor_ex`.
    """
    factors, pivots, info = _factor(A, pivot, "torch.lu_factor")
    if check_errors:
        verify(_check_pivots, info._array, "torch.linalg.lu_factor_ex")
    return LUFactorEx(factors, pivots, info)


@takes_out
def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """(P, L, U) with A = P L U: a permutation (*, m, m), L (*, m, k) with ones on its diagonal, U (*, k, n).

    Source: PyTorch's `torch.linalg.lu`.
    """
    factors, pivots, _ = _factor(A, pivot, "linalg.lu")
    return LU(*unpack(factors, pivots))


def unpack(factors: Tensor, pivots: Tensor | None, data: bool = True) -> tuple[Tensor | None, ...]:
    """(P, L, U) of what `lu_factor` gives; None for P without pivots, for L and U unless `data`."""
    p = None if pivots is None else wrap(exchange(pivots._array, factors._array.shape[-2], kind_of(factors)))
    return (p, _lower(factors), _upper(factors)) if data else (p, None, None)


@takes_out
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X of A X = B (X A = B unless `left`), or with Aᴴ (`adjoint`), from the factors of A that `lu_factor` gives.

    Source: PyTorch's `torch.linalg.lu_solve`.
    """
    name = "linalg.lu_solve"
    need_floats(LU, name)
    need_same_type(LU, B, name, ("LU", "B"))
    if pivots._array.dtype != np.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    check_equation(LU, B, left, name)
    if LU._array.shape[:-1] != pivots._array.shape:
        raise RuntimeError(
            f"{name}: Number of pivots per batch should be same as the dimension of the matrix (shapes "
            f"{list(LU.shape)} and {list(pivots.shape)})"
        )
    if not left:
        return mH(lu_solve(LU, pivots, mH(B), adjoint=not adjoint))
    swaps = exchange(pivots._array, LU._array.shape[-1], LU._array.dtype)
    if adjoint:
        return np.matmul(swaps, triangular(mH(LU), triangular(mH(LU), B, False, False), True, True))
    return triangular(LU, triangular(LU, np.matmul(mT(swaps), B), False, True), True, False)
