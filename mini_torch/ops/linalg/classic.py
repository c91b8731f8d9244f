"""The names that are older than `torch.linalg`: what PyTorch keeps under `torch.*` and as methods."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import public, row, takes_out, type_name
from ...tensor import Tensor, wrap
from . import definite, elimination, inverses, orthogonal, powers, singular, spectrum
from .elimination import triangular
from .matrices import kind_of, mH, mT, need_half_not, need_square, return_type
from .norms import matrix_norm, vector_norm

__all__ = [
    "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "frobenius_norm", "inverse", "lobpcg",
    "logdet", "lu", "lu_solve", "lu_unpack", "nuclear_norm", "pca_lowrank", "pinverse", "qr", "slogdet", "svd",
    "svd_lowrank", "triangular_solve",
]  # fmt: skip

SVD = return_type("svd", "U", "S", "V")
QR = return_type("qr", "Q", "R")
SlogDet = return_type("slogdet", "sign", "logabsdet")
LUUnpack = return_type("lu_unpack", "P", "L", "U")
LUInfo = return_type("_lu_with_info", "LU", "pivots", "info")
TriangularSolve = return_type("triangular_solve", "solution", "cloned_coefficient")


# ---- inverses and determinants ---------------------------------------------------------------------------------------
@public
def inverse(input: Tensor) -> Tensor:
    """A⁻¹, see `torch.linalg.inv`. Source: PyTorch's `torch.inverse`."""
    return inverses.inv(input)


@public
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse, see `torch.linalg.pinv`. Source: PyTorch's `torch.pinverse`."""
    return singular.pinv(input, rtol=rcond, atol=0.0)


@public
def det(input: Tensor) -> Tensor:
    """The determinant, see `torch.linalg.det`. Source: PyTorch's `torch.det`."""
    return inverses.det(input)


@public
def slogdet(input: Tensor) -> Any:
    """(sign, logabsdet), see `torch.linalg.slogdet`. Source: PyTorch's `torch.slogdet`."""
    return SlogDet(*inverses.sign_and_log(input, "linalg.slogdet"))


@public
def logdet(input: Tensor) -> Tensor:
    """ln det A of square matrices (*, n, n) → (*): nan where it is negative. Source: PyTorch's `torch.logdet`."""
    sign, size = inverses.sign_and_log(input, "logdet")
    if kind_of(sign).kind == "c":
        return sign.log() + size
    return size.masked_fill(sign == -1, math.nan)


# ---- Cholesky --------------------------------------------------------------------------------------------------------
@public
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The Cholesky factor, see `torch.linalg.cholesky`. Source: PyTorch's `torch.cholesky`."""
    return definite.factored(input, upper, "cholesky", check=True)[0]


def _solved_twice(b: Any, factor: Any, upper: bool) -> Any:
    if upper:
        return triangular(factor, triangular(mH(factor), b, False, False), True, False)
    return triangular(mH(factor), triangular(factor, b, False, False), True, False)


def _factor_rule(change: Any, factor: Any, upper: bool) -> Any:
    """From the gradient of A⁻¹ on both sides, the factor's: −(M + Mᴴ) L, not cut to the triangle, as in PyTorch."""
    both = change + mH(change)
    return -np.matmul(factor, both) if upper else -np.matmul(both, factor)


_cholesky_solve: Callable[..., Any] = row(
    "cholesky_solve", _solved_twice, holomorphic=False, broadcasts=True,
    b=lambda g, factor, upper: _cholesky_solve(g, factor, upper),
    factor=lambda g, out, factor, upper: _factor_rule(
        np.matmul(_cholesky_solve(g, factor, upper), mH(out)), factor, upper),
)  # fmt: skip
_cholesky_inverse = row(
    "cholesky_inverse", lambda factor, upper: _inverse_from(factor, upper), holomorphic=False,
    factor=lambda g, out, factor, upper: _factor_rule(np.matmul(out, np.matmul(g, out)), factor, upper),
)  # fmt: skip


@public
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X of A X = B from the factor of A = L Lᴴ (with `upper`: Uᴴ U). Source: PyTorch's `torch.cholesky_solve`."""
    _check_pair(input, input2, "cholesky_solve", "b")
    need_half_not(input2, "cholesky_solve_cpu")
    return _cholesky_solve(input, input2, upper)


def _inverse_from(factor: Any, upper: bool) -> Any:
    eye = np.broadcast_to(np.eye(factor.shape[-1], dtype=factor.dtype), factor.shape)
    return _solved_twice(eye, factor, upper)


@public
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """A⁻¹ from the factor of A = L Lᴴ (with `upper`: Uᴴ U). Source: PyTorch's `torch.cholesky_inverse`."""
    need_square(input, "cholesky_inverse")
    need_half_not(input, "cholesky_inverse_out_cpu")
    return _cholesky_inverse(input, upper)


def _check_pair(b: Tensor, a: Tensor, name: str, letter: str) -> None:
    """RuntimeError unless b (*, n, k) fits the square a (*, n, n)."""
    for x, each in ((b, letter), (a, "A" if name != "cholesky_solve" else "u")):
        if x._array.ndim < 2:
            raise RuntimeError(
                f"{each} should have at least 2 dimensions, but has {x._array.ndim} dimensions instead"
                if name == "cholesky_solve" else
                f"torch.{name}: Expected {each} to have at least 2 dimensions, but it has {x._array.ndim} dimensions "
                "instead"
            )  # fmt: skip
    n, m = a._array.shape[-2:]
    if kind_of(a) != kind_of(b):
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {type_name(kind_of(b))} and A of type "
            f"{type_name(kind_of(a))} instead."
        )
    if n != m:
        raise RuntimeError(f"A must be batches of square matrices, but they are {n} by {m} matrices")
    if b._array.shape[-2] != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {n} by {n} but each b matrix is "
            f"{b._array.shape[-2]} by {b._array.shape[-1]}"
        )


@public(function_too=False)
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """(solution, cloned_coefficient): X of A X = b (Aᵀ X = b with `transpose`) with A triangular, and a copy of A.

    Source: PyTorch's `torch.triangular_solve`.
    """
    _check_pair(input, A, "triangular_solve", "b")
    need_half_not(input, "triangular_solve_cpu")
    batch = np.broadcast_shapes(A._array.shape[:-2], input._array.shape[:-2])
    coefficient = A.expand((*batch, *A._array.shape[-2:])).clone()
    matrix, upper = (mT(A), not upper) if transpose else (A, upper)
    return TriangularSolve(triangular(matrix, input, upper, unitriangular), coefficient)


# ---- LU --------------------------------------------------------------------------------------------------------------
@public
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """(LU, pivots), with `get_infos` (LU, pivots, info); see `torch.linalg.lu_factor`. Source: PyTorch's `torch.lu`."""
    factors, pivots, info = elimination.lu_factor_ex(A, pivot=pivot)
    return LUInfo(factors, pivots, info) if get_infos else (factors, pivots)


@public
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X of A X = b, see `torch.linalg.lu_solve`. Source: PyTorch's `torch.lu_solve`."""
    return elimination.lu_solve(LU_data, LU_pivots, input)


@public(method=False)
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """(P, L, U) of what `lu_factor` gives; empty what is not asked for. Source: PyTorch's `torch.lu_unpack`."""
    if unpack_pivots and LU_pivots._array.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this "
            "function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    nothing = wrap(np.empty(0, kind_of(LU_data)))
    p, lower, upper = elimination.unpack(LU_data, LU_pivots if unpack_pivots else None, unpack_data)
    return LUUnpack(*(nothing if x is None else x for x in (p, lower, upper)))


# ---- QR and singular values ------------------------------------------------------------------------------------------
@public
def qr(input: Tensor, some: bool = True) -> Any:
    """(Q, R), see `torch.linalg.qr`: reduced if `some`, else complete. Source: PyTorch's `torch.qr`."""
    return QR(*orthogonal.factors(input, "reduced" if some else "complete"))


@public
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """(U, S, V) with input = U diag(S) Vᴴ, see `torch.linalg.svd`; U and V are zeros unless `compute_uv`.

    Source: PyTorch's `torch.svd`.
    """
    if compute_uv:
        u, s, vh = singular.svd(input, full_matrices=not some)
        return SVD(u, s, mH(vh))
    *batch, m, n = input._array.shape
    zeros = [wrap(np.zeros((*batch, k, k), kind_of(input))) for k in (m, n)]
    return SVD(zeros[0], singular.svdvals(input), zeros[1])


@public(method=False)
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Any:
    """(U, S, V): the first q singular values of A (less M) and their vectors, by random projection.

    Source: PyTorch's `torch.svd_lowrank`.
    """
    return singular.low_rank(A, 6 if q is None else q, 2 if niter is None else niter, M)


@public(method=False)
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """(U, S, V): the first q principal components of the rows of A (*, m, n), by random projection.

    Source: PyTorch's `torch.pca_lowrank`.
    """
    smaller = min(A._array.shape[-2:])
    if q is not None and not 0 <= q <= smaller:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={smaller}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    q = min(6, smaller) if q is None else q
    return singular.low_rank(A - A.mean(-2, True) if center else A, q, niter, None)


@takes_out
def lobpcg(
    A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None, n: int | None = None,
    iK: Tensor | None = None, niter: int | None = None, tol: float | None = None, largest: bool | None = None,
    method: str | None = None, tracker: Any = None, ortho_iparams: Any = None, ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(E, X): the k largest (or smallest) eigenvalues of A x = λ B x and their vectors, for Hermitian A, B (*, m, m).

    By the whole decomposition, not by iteration: what says how to iterate (`X` but for its width, `iK`, `niter`, `tol`,
    …) is not needed. Errors: ValueError for m < 3 k. Source: PyTorch's `torch.lobpcg`.
    """
    m = A._array.shape[-1]
    need_square(A, "lobpcg")
    k = k or (1 if X is None else X._array.shape[-1])
    if m < 3 * k:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={k})"
        )
    return spectrum.smallest_or_largest(A, k, B, largest is None or largest)


# ---- norms and products ----------------------------------------------------------------------------------------------
@takes_out
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of the singular values. Source: PyTorch's `torch.nuclear_norm`."""
    return matrix_norm(input, "nuc", dim, keepdim)


@takes_out
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """√Σ|x|² along one or two dimensions. Source: PyTorch's `torch.frobenius_norm`."""
    if not isinstance(dim, int) and len(dim) > 2:
        raise RuntimeError(f"Expected at most 2 dimensions, but got {len(dim)} dimensions instead.")
    return vector_norm(input, 2, dim, keepdim)


@takes_out
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices, see `torch.linalg.multi_dot`. Source: PyTorch's `torch.chain_matmul`."""
    return matrices[0].clone() if len(matrices) == 1 else powers.multi_dot(matrices)
