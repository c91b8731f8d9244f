"""Inverses, linear equations, determinants.

The derivatives of A⁻¹, A⁻¹B and det A are holomorphic; sources: M. Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008), and, for the determinant of a singular matrix, the second
compound of its singular values (derived at `_cofactors_rule`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import LinAlgError
from ...graph import as_unit, verify
from ...op import quiet, row, several, takes_out
from ...tensor import Tensor, wrap
from .elimination import check_equation, eliminate, first_failure, substitute
from .matrices import (
    is_complex,
    mH,
    mT,
    need_floats,
    need_half_not,
    need_same_type,
    need_square,
    on_diagonal,
    only_diagonal,
    return_type,
)

__all__ = ["det", "inv", "inv_ex", "inverted", "sign_and_log", "slogdet", "solve", "solved", "solve_ex", "tensorinv",
           "tensorsolve"]  # fmt: skip

InvEx = return_type("linalg_inv_ex", "inverse", "info")
SolveEx = return_type("linalg_solve_ex", "result", "info")
SlogDet = return_type("linalg_slogdet", "sign", "logabsdet")


# ---- A⁻¹ B -----------------------------------------------------------------------------------------------------------
def _solution(a: Any, b: Any) -> Any:
    """X of a X = b; where a is singular, what elimination makes of it (inf, nan)."""
    ndim = max(a.ndim, b.ndim)  # NumPy 1 takes a b of one dimension less for vectors
    a, b = (x.reshape((1,) * (ndim - x.ndim) + x.shape) for x in (a, b))
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        lu, pivots, _ = eliminate(a)
        return substitute(lu, pivots, b)


solved: Callable[..., Any] = row(
    "solve", lambda a, b: _solution(a, b), grad_name="LinalgSolveExBackward0", broadcasts=True,
    a=lambda g, a, out: -np.matmul(solved(mT(a), g), mT(out)), b=lambda g, a: solved(mT(a), g),
)  # fmt: skip


def _info(A: Tensor, result: Tensor) -> Any:
    """The first zero pivot of each matrix, from 1, or 0. A result without inf and nan had none."""
    return as_unit(_pivot_info, A._array, result._array)


def _pivot_info(a: Any, result: Any) -> Any:
    if result.size and np.isfinite(result).all():
        return np.zeros(a.shape[:-2], np.int32)
    return eliminate(a)[2]


def _solution_and_info(A: Tensor, B: Tensor, left: bool) -> tuple[Tensor, Any]:
    """X, and the info of A as a square matrix."""
    name = "linalg.solve"
    need_floats(A, name)
    need_same_type(A, B, name)
    need_square(A, name)
    a, b = A._array.shape, B._array.shape
    vector = len(b) == 1 or (len(a) - 1 == len(b) and a[:-1] == b)
    right: Any = np.expand_dims(B, -1) if vector else B
    check_equation(A, right, left, name)
    if vector and not left:
        raise RuntimeError(
            f"{name}: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            "linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    need_half_not(A, "lu_cpu")
    x = solved(A, right) if left else mT(solved(mT(A), mT(right)))
    info = _info(A, x)
    return np.squeeze(x, -1) if vector else x, info


@takes_out
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X of A X = B (of X A = B unless `left`): A (*, n, n), B (*, n, k), or vectors (*, n).

    Errors: LinAlgError for a singular A. Source: PyTorch's `torch.linalg.solve`.

    >>> from mini_torch import tensor
    >>> solve(tensor([[2.0, 0.0], [0.0, 4.0]]), tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    x, info = _solution_and_info(A, B, left)
    verify(_check_solved, info, "torch.linalg.solve")
    return x


def _check_solved(info: Any, name: str) -> None:
    if info.any():
        where, _ = first_failure(info)
        raise LinAlgError(f"{name}: {where}The solver failed because the input matrix is singular.")


@takes_out
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """(result, info): `solve` with, instead of the error, the place (from 1) of the first zero pivot, else 0.

    Source: PyTorch's `torch.linalg.solve_ex`.
    """
    x, info = _solution_and_info(A, B, left)
    if check_errors:
        verify(_check_solved, info, "torch.linalg.solve_ex")
    return SolveEx(x, wrap(info))


# ---- inverses --------------------------------------------------------------------------------------------------------
_inv: Callable[..., Any] = row(
    "inv", lambda a: _inverse(a), grad_name="LinalgInvExBackward0",
    a=lambda g, out: -np.matmul(mT(out), np.matmul(g, mT(out))),
)  # fmt: skip


def _inverse(a: Any) -> Any:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return _solution(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))


def inverted(A: Tensor, name: str) -> Tensor:
    """A⁻¹; LinAlgError in the name of `name` for a singular A."""
    out, info = _checked_inverse(A)
    verify(_check_inverted, info, name)
    return out


def _checked_inverse(A: Tensor) -> tuple[Tensor, Any]:
    need_floats(A, "linalg.inv", low=False)
    need_square(A, "linalg.inv")
    out = _inv(A)
    return out, _info(A, out)


def _check_inverted(info: Any, name: str) -> None:
    if info.any():
        where, i = first_failure(info)
        raise LinAlgError(
            f"{name}: {where}The diagonal element {i} is zero, the inversion could not be completed because the input "
            "matrix is singular."
        )


@takes_out
def inv(A: Tensor) -> Tensor:
    """A⁻¹ of square matrices (*, n, n).

    Errors: LinAlgError for a singular one. Source: PyTorch's `torch.linalg.inv`.
    """
    return inverted(A, "linalg.inv")


@takes_out
def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """(inverse, info): `inv` with, instead of the error, the place (from 1) of the first zero pivot, else 0.

    Source: PyTorch's `torch.linalg.inv_ex`.
    """
    out, info = _checked_inverse(A)
    if check_errors:
        verify(_check_inverted, info, "linalg.inv_ex")
    return InvEx(out, wrap(info))


@takes_out
def tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a map of its last dimensions to its first `ind`. Source: PyTorch's `torch.linalg.tensorinv`.
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    head, tail = input._array.shape[:ind], input._array.shape[ind:]
    n, m = math.prod(head), math.prod(tail)
    if n != m:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got {m} "
            f"!= {n}"
        )
    return inverted(input.reshape((n, m)), "inv").reshape((*tail, *head))


@takes_out
def tensorsolve(input: Tensor, other: Tensor, dims: tuple[int, ...] | None = None) -> Tensor:
    """X of tensordot(A, X, X.ndim) = B; `dims` are first moved to A's end.

    Source: PyTorch's `torch.linalg.tensorsolve`.
    """
    if dims is not None:
        input = input.movedim(tuple(dims), tuple(range(input.ndim - len(dims), input.ndim)))
    n, rest = other._array.ndim, input._array.shape[other._array.ndim :]
    rows, columns = math.prod(input._array.shape[:n]), math.prod(rest)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {columns} != {rows}"
        )
    return solve(input.reshape((rows, columns)), other.reshape((-1,))).reshape(rest)


# ---- determinants ----------------------------------------------------------------------------------------------------
def _others(s: Any) -> Any:
    """For each of s (*, n), the product of all others."""
    n = s.shape[-1]
    return np.prod(np.where(np.eye(n, dtype=bool), 1.0, np.expand_dims(s, -2)), axis=-1)


def _others_of_pairs(s: Any) -> Any:
    """For each pair of s (*, n), the product of all others (*, n, n); 0 on the diagonal."""
    n = s.shape[-1]
    eye = np.eye(n, dtype=bool)
    if (np.asarray(s._array if isinstance(s, Tensor) else s) > 0).all():
        total = np.prod(s, axis=-1)[..., None, None]
        return np.where(eye, 0.0, total / (s[..., None, :] * s[..., :, None]))
    drop = eye[:, None, :] | eye[None, :, :]
    products = np.prod(np.where(drop, 1.0, s[..., None, None, :]), axis=-1)
    return np.where(eye, 0.0, products)


def _cofactor_matrix(a: Any) -> Any:
    """∂ det a / ∂ a: det(a) a⁻ᵀ, and for a singular a, by way of its singular values, det(U) det(V) U diag(Π others) Vᴴ
    (conjugated: the cofactors are no adjoint, but a transpose)."""
    size = np.linalg.det(a)
    if np.isfinite(size).all() and (np.abs(size) > np.finfo(a.dtype).tiny).all():
        return np.asarray(size)[..., None, None] * mT(np.linalg.inv(a))
    if not np.isfinite(a).all():
        return np.full_like(a, np.nan)
    u, s, vh = np.linalg.svd(a)
    unit = np.asarray(np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return (unit * np.matmul(np.conj(u) * _others(s)[..., None, :], np.conj(vh))).astype(a.dtype)


def _cofactors_rule(g: Any, a: Any) -> Any:
    """In the basis of its singular vectors, a + U E Vᴴ has the cofactors of S + E. To first order, with p_ij the
    product of all singular values but two, C_ii = Σ_j p_ij E_jj and C_ij = −p_ij E_ji: true for every rank of a."""
    u, s, vh = np.linalg.svd(a)
    unit = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    pairs = _others_of_pairs(s)
    inner = np.matmul(np.matmul(mH(u), g), mH(vh))
    diagonal = np.matmul(pairs, only_diagonal(inner)[..., None])[..., 0]
    grad = on_diagonal(diagonal) - mT(pairs * inner)
    return unit * np.matmul(np.conjugate(u), np.matmul(grad, np.conjugate(vh)))


_cofactors = row("cofactors", quiet(_cofactor_matrix), a=_cofactors_rule)
_det = row(
    "det", quiet(lambda a: np.linalg.det(a)), grad_name="LinalgDetBackward0",
    a=lambda g, a: g[..., None, None] * _cofactors(a),
)  # fmt: skip


@takes_out
def det(A: Tensor) -> Tensor:
    """The determinants of square matrices (*, n, n) → (*); the gradient is right for singular ones, too.

    Source: PyTorch's `torch.linalg.det`.
    """
    need_floats(A, "linalg.det")
    need_square(A, "linalg.det")
    need_half_not(A, "lu_cpu")
    return _det(A)


def _slogdet_rule(g_sign: Any, g_logabsdet: Any, a: Any, sign: Any) -> Any:
    """d ln det A = tr(A⁻¹ dA): its real part is that of ln |det A|, its imaginary part turns the sign."""
    d = g_logabsdet
    if is_complex(a):
        d = d - 1j * np.imag(np.conjugate(g_sign) * sign)
    return d[..., None, None] * mH(_inv(a))


_slogdet = several(
    "slogdet", quiet(lambda a: tuple(np.linalg.slogdet(a))), ("sign", "logabsdet"), holomorphic=False,
    grad_name="LinalgSlogdetBackward0", a=_slogdet_rule,
)  # fmt: skip


def sign_and_log(A: Tensor, name: str) -> tuple[Tensor, ...]:
    """(sign, ln |det A|), with errors in the name of `name`."""
    need_floats(A, name, low=False)
    need_square(A, name)
    return _slogdet(A)


@takes_out
def slogdet(A: Tensor) -> Any:
    """(sign, logabsdet) with det A = sign · exp(logabsdet), without overflow; (0, −inf) for a singular A.

    Source: PyTorch's `torch.linalg.slogdet`.
    """
    return SlogDet(*sign_and_log(A, "linalg.slogdet"))
