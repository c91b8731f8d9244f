"""Singular values and vectors, and what is made of them: pseudo-inverse, rank, least squares, low-rank factors.

Sources of the derivatives: Z. Wan, S. Zhang, "Automatic differentiation for complex valued SVD" (2019); G. Golub, V.
Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate" (1973).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import LinAlgError
from ...graph import verify
from ...op import row, several, takes_out, type_name
from ...random import randn
from ...tensor import Tensor, wrap
from .elimination import first_failure
from .matrices import (
    absent,
    is_complex,
    kind_of,
    mH,
    mT,
    need_floats,
    need_half_not,
    need_matrix,
    on_diagonal,
    only_diagonal,
    quotient,
    return_type,
    where_finite,
)
from .orthogonal import qr
from .spectrum import differences, eigvalsh, need_no_phase, off_diagonal

__all__ = ["lstsq", "low_rank", "matrix_rank", "pinv", "pinv_of", "singular", "svd", "svdvals"]

SVD = return_type("linalg_svd", "U", "S", "Vh")
LstSq = return_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")


# ---- A = U S Vᴴ ------------------------------------------------------------------------------------------------------
def _svd_rule(g_u: Any, g_s: Any, g_vh: Any, u: Any, s: Any, vh: Any) -> Any:
    """U (skew(UᴴdU)/E S + S skew(VᴴdV)/E + diag(dS)) Vᴴ with E_ij = s_j² − s_i², and, of U and V that are not square,
    what leaves their span: (1 − UUᴴ) dU S⁻¹ Vᴴ and U S⁻¹ dVᴴ (1 − VVᴴ)."""
    k = s.shape[-1]
    u, g_u, vh, g_vh = u[..., :k], g_u[..., :k], vh[..., :k, :], g_vh[..., :k, :]
    if absent(g_u) and absent(g_vh):
        return np.matmul(u * g_s[..., None, :], vh)
    grad = on_diagonal(g_s)
    turn_u, turn_v = _skew(np.matmul(mH(u), g_u)), _skew(np.matmul(vh, mH(g_vh)))
    if is_complex(u):
        need_no_phase(only_diagonal(turn_u + turn_v), "svd_backward", "singular vectors", "phase term, making it")
        if not (absent(g_u) or absent(g_vh)):
            grad = grad + on_diagonal(quotient(only_diagonal(turn_u), 2.0 * s))
    gaps = differences(s * s)
    if not absent(g_u):
        grad = grad + off_diagonal(quotient(turn_u, gaps)) * s[..., None, :]
    if not absent(g_vh):
        grad = grad + off_diagonal(quotient(turn_v, gaps)) * s[..., :, None]
    grad = np.matmul(np.matmul(u, grad), vh)
    if u.shape[-2] > k and not absent(g_u):
        scaled = quotient(g_u, s[..., None, :])
        grad = grad + np.matmul(scaled - np.matmul(u, np.matmul(mH(u), scaled)), vh)
    if vh.shape[-1] > k and not absent(g_vh):
        scaled = quotient(g_vh, s[..., :, None])
        grad = grad + np.matmul(u, scaled - np.matmul(np.matmul(scaled, mH(vh)), vh))
    return grad


def _skew(x: Any) -> Any:
    return x - mH(x)


def parts_of(a: Any, full: bool) -> tuple[Any, ...]:
    """(U, S, Vᴴ) of arrays."""
    return where_finite(lambda x: tuple(np.linalg.svd(x, full)), a)


def values_of(a: Any) -> Any:
    """S of arrays."""
    return where_finite(lambda x: (np.linalg.svd(x, compute_uv=False),), a)[0]


singular = several(
    "svd", parts_of, ("u", "s", "vh"), holomorphic=False, grad_name="LinalgSvdBackward0", a=_svd_rule
)


def _check(A: Tensor, driver: str | None = None) -> None:
    need_matrix(A, "linalg.svd")
    need_floats(A, "linalg.svd")
    need_half_not(A, "linalg_svd_cpu")
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )
    verify(_need_numbers, A._array)


def _need_numbers(a: Any) -> None:
    failed = np.isnan(a).any(axis=(-2, -1))
    if failed.any():
        where, _ = first_failure(failed)
        raise LinAlgError(
            f"linalg.svd: {where}The algorithm failed to converge because the input matrix contained non-finite values."
        )


@takes_out
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """(U, S, Vh) of A (*, m, n): A = U diag(S) Vh, U and V with orthonormal columns, S (*, k) falling, k = min(m, n).

    With `full_matrices` U is (*, m, m) and Vh (*, n, n), else (*, m, k) and (*, k, n). Errors: LinAlgError for inf or
    nan. Source: PyTorch's `torch.linalg.svd`.
    """
    _check(A, driver)
    return SVD(*singular(A, full_matrices))


@takes_out
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of A (*, m, n) → (*, min(m, n)), descending. Source: PyTorch's `torch.linalg.svdvals`."""
    _check(A, driver)
    if A.requires_grad:
        return singular(A, False)[1]
    return wrap(values_of(A._array))


# ---- pseudo-inverse --------------------------------------------------------------------------------------------------
def _as_tolerance(x: Any) -> Any:
    return np.asarray(x._array if isinstance(x, Tensor) else x)[..., None]


def _cut(s: Any, shape: tuple[int, ...], atol: Any, rtol: Any) -> Any:
    """Which singular values (*, k) count: those over max(atol, rtol · the largest).

    The default of rtol is ε · max(m, n), and 0 where an atol above 0 is given.
    """
    if rtol is None:
        default = np.finfo(s.dtype).eps * max(shape[-2:])
        rtol = default if atol is None else np.where(_as_tolerance(atol)[..., 0] > 0, 0.0, default)
    if not s.shape[-1]:
        return s > 0
    peak = np.max(s, axis=-1, keepdims=True)
    limit = np.maximum(_as_tolerance(0.0 if atol is None else atol), _as_tolerance(rtol) * peak)
    return s > limit.astype(s.dtype)


def _inverted_where(s: Any, counts: Any) -> Any:
    return np.where(counts, 1 / np.where(counts, s, 1), 0).astype(s.dtype)


def _pseudo_inverse(a: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if hermitian:
        values, v = where_finite(lambda x: tuple(np.linalg.eigh(x)), a)
        counts = _cut(np.abs(values), a.shape, atol, rtol)
        return np.matmul(v * _inverted_where(values, counts)[..., None, :], np.conj(mT(v)))
    u, s, vh = parts_of(a, False)
    scale = _inverted_where(s, _cut(s, a.shape, atol, rtol))
    return np.matmul(np.conj(mT(vh)) * scale[..., None, :], np.conj(mT(u)))


def _pinv_rule(g: Any, out: Any, a: Any) -> Any:
    """−Pᴴ dP Pᴴ + (1 − A P) dPᴴ P Pᴴ + Pᴴ P dPᴴ (1 − P A)."""
    p, ph, gh = out, mH(out), mH(g)
    right = np.matmul(np.matmul(gh, p), ph)
    left = np.matmul(ph, np.matmul(p, gh))
    return (
        -np.matmul(ph, np.matmul(g, ph)) + right - np.matmul(a, np.matmul(p, right)) + left
        - np.matmul(np.matmul(left, p), a)
    )  # fmt: skip


pinv_of: Callable[..., Any] = row(
    "pinv", _pseudo_inverse, holomorphic=False, grad_name="LinalgPinvBackward0",
    a=lambda g, out, a: _pinv_rule(g, out, a),
)


@takes_out
def pinv(input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudo-inverse of A (*, m, n) → (*, n, m); singular values up to max(atol, rtol · the largest) count as 0.

    `rtol` is ε · max(m, n) unless given; `rcond` is its older name. Source: PyTorch's `torch.linalg.pinv`.
    """
    kind = kind_of(input)
    if input._array.ndim < 2 or kind.kind not in "fc" or kind.itemsize == 2:
        raise RuntimeError(
            f"linalg.pinv({type_name(kind)}{{{list(input.shape)}}}): expected a tensor with 2 or more dimensions of "
            "float, double, cfloat or cdouble types"
        )
    if not input._array.size:
        return mT(input).clone()
    verify(_need_numbers, input._array)
    return pinv_of(input, atol, rtol if rcond is None else rcond, hermitian)


@takes_out
def matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values of A (*, m, n) are over max(atol, rtol · the largest) → (*).

    `rtol` is ε · max(m, n) unless given; `tol` is an `atol` by itself. Source: PyTorch's `torch.linalg.matrix_rank`.
    """
    need_matrix(input, "torch.linalg.matrix_rank", "input")
    if kind_of(input).kind not in "fc" or kind_of(input).itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    if tol is not None:
        atol, rtol = tol, 0.0
    for name, given in (("tol", tol), ("atol", atol), ("rtol", rtol)):
        if isinstance(given, Tensor) and is_complex(given):
            raise RuntimeError(f"torch.linalg.matrix_rank: {name} tensor of complex type is not supported. Got "
                               f"{type_name(kind_of(given))}")  # fmt: skip
    array = input._array
    if hermitian:
        s = np.abs(eigvalsh(input.detach())._array)
    else:
        verify(_need_numbers, input._array)
        s = values_of(array)
    return wrap(np.sum(_cut(s, array.shape, atol, rtol), axis=-1, dtype=np.int64))


# ---- least squares ---------------------------------------------------------------------------------------------------
def _least_squares(a: Any, b: Any, rcond: float) -> Any:
    u, s, vh = parts_of(a, False)
    scale = _inverted_where(s, _cut(s, a.shape, None, rcond))
    return np.matmul(np.conj(mT(vh)), scale[..., None] * np.matmul(np.conj(mT(u)), b))


_lstsq = row(
    "lstsq", _least_squares, holomorphic=False, broadcasts=True, grad_name="LinalgLstsqBackward0",
    a=lambda g, a, b, rcond: _pinv_rule(np.matmul(g, mH(b)), pinv_of(a, None, rcond, False), a),
    b=lambda g, a, rcond: np.matmul(mH(pinv_of(a, None, rcond, False)), g),
)  # fmt: skip
_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def _check_rank(rank: Any, full: int, name: str) -> None:
    if (rank < full).any():
        raise LinAlgError(
            f"{name}: The least squares solution could not be computed because the input matrix does not have full "
            f"rank (error code: {int(np.min(rank)) + 1})."
        )


@takes_out
def lstsq(input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """X that makes ‖A X − B‖ least (of all such, the shortest): A (*, m, n), B (*, m, k) → X (*, n, k), or vectors.

    The result is (solution, residuals, rank, singular_values), of which there are as many as PyTorch's `driver` gives;
    the solution is found by the singular values, those up to rcond · the largest left out, except for "gels", which
    needs A of full rank. Source: PyTorch's `torch.linalg.lstsq`.
    """
    name = "torch.linalg.lstsq"
    _check_least_squares(input, b, driver)
    shape, other_shape = input._array.shape, b._array.shape
    vector = len(shape) - 1 == len(other_shape)
    right: Any = np.expand_dims(b, -1) if vector else b
    if shape[-2] != right.shape[-2]:
        words = "-1" if vector else "-2"
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({words})")
    driver = driver or "gelsy"
    cutoff = float(np.finfo(kind_of(input)).eps) * max(shape[-2:]) if rcond is None else rcond
    verify(_need_numbers, input._array)
    s = values_of(input._array)
    rank = np.sum(_cut(s, shape, None, cutoff), axis=-1, dtype=np.int64)
    if driver == "gels":
        verify(_check_rank, rank, min(shape[-2:]), name)
        cutoff = 0.0
    x = _lstsq(input, right, cutoff)
    residuals: Any = np.real(np.reshape(x, (-1,))[:0])
    if shape[-2] > shape[-1] and driver != "gelsy" and (rank == shape[-1]).all():
        rest = right - np.matmul(input, x)
        residuals = np.sum(np.real(rest * np.conjugate(rest)), axis=-2)
    return LstSq(
        np.squeeze(x, -1) if vector else x, residuals, wrap(np.empty(0, np.int64) if driver == "gels" else rank),
        wrap(s if driver in ("gelsd", "gelss") else np.empty(0, s.dtype)),
    )  # fmt: skip


def _check_least_squares(A: Tensor, B: Tensor, driver: str | None) -> None:
    name = "torch.linalg.lstsq"
    if A._array.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B._array.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if not 0 <= A._array.ndim - B._array.ndim <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, but "
            f"they are {A._array.ndim} and {B._array.ndim}"
        )
    if A._array.dtype != B._array.dtype:
        raise RuntimeError(f"{name}: Expected input and other to have the same dtype, but got input's dtype "
                           f"{type_name(kind_of(A))} and other's dtype {type_name(kind_of(B))}")  # fmt: skip
    if kind_of(A).kind not in "fc" or kind_of(A).itemsize == 2:
        raise RuntimeError("This function doesn't handle types other than float and double")
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")


# ---- low rank --------------------------------------------------------------------------------------------------------
def low_rank(A: Tensor, q: int, niter: int, M: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V) with q columns of A − M, by the range that random vectors reach, after `niter` turns with A and Aᴴ.

    Source: N. Halko, P. Martinsson, J. Tropp, "Finding structure with randomness" (2009), algorithms 4.4 and 5.1.
    """
    if M is not None:
        A = A - M
    wide = A._array.shape[-2] < A._array.shape[-1]
    tall: Any = mH(A) if wide else A
    basis: Any = qr(np.matmul(tall, randn(tall.shape[-1], q, dtype=A.dtype if kind_of(A).kind in "fc" else None)))[0]
    for _ in range(niter):
        basis = qr(np.matmul(mH(tall), basis))[0]
        basis = qr(np.matmul(tall, basis))[0]
    u, s, vh = svd(np.matmul(mH(basis), tall), full_matrices=False)
    u, v = np.matmul(basis, u), mH(vh)
    return (v, s, u) if wide else (u, s, v)
