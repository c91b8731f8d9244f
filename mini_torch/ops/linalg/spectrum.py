"""Eigenvalues and eigenvectors.

Sources of the derivatives: M. Giles, "Collected matrix derivative results …" (2008); C. Boeddeker et al., "On the
computation of complex-valued gradients with application to statistically optimum beamforming" (2017). Eigenvectors are
determined up to a factor e^{iφ}: a loss that depends on it has no gradient, and is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import verify
from ...op import several, takes_out, type_name
from ...tensor import Tensor
from .definite import cholesky
from .elimination import triangular
from .inverses import solved
from .matrices import (
    absent,
    identity_like,
    is_complex,
    kind_of,
    mH,
    need_half_not,
    need_square,
    on_diagonal,
    only_diagonal,
    quotient,
    return_type,
    where_finite,
)

__all__ = ["differences", "eig", "eigh", "eigvals", "eigvalsh", "need_no_phase", "off_diagonal",
           "smallest_or_largest"]

Eig = return_type("linalg_eig", "eigenvalues", "eigenvectors")
Eigh = return_type("linalg_eigh", "eigenvalues", "eigenvectors")


def differences(values: Any) -> Any:
    """x_j − x_i (*, n, n) with ones on the diagonal, so that one can divide by it."""
    return values[..., None, :] - values[..., :, None] + identity_like(values, values.shape[-1])


def off_diagonal(x: Any) -> Any:
    return x * (1 - identity_like(x, x.shape[-1]))


def need_no_phase(turn: Any, name: str, vectors: str, words: str = "quantity, so it is") -> None:
    """RuntimeError unless the imaginary parts of `turn`, how a loss changes as vectors turn by e^{iφ}, are zero."""
    array = turn._array if isinstance(turn, Tensor) else turn
    if not np.allclose(array.imag, 0, atol=1e-2):
        raise RuntimeError(
            f"{name}: The {vectors} in the complex case are specified up to multiplication by e^{{i phi}}. The "
            f"specified loss function depends on this {words} ill-defined."
        )


# ---- Hermitian -------------------------------------------------------------------------------------------------------
def _eigh_rule(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    """V (diag(dλ) + ½ (VᴴdV − dVᴴV) / (λ_j − λ_i)) Vᴴ."""
    if absent(g_vectors):
        return np.matmul(vectors * g_values[..., None, :], mH(vectors))
    inner = np.matmul(mH(vectors), g_vectors)
    if is_complex(vectors):
        need_no_phase(only_diagonal(inner), "linalg_eigh_backward", "eigenvectors")
    turn = 0.5 * (inner - mH(inner))
    middle = off_diagonal(quotient(turn, differences(values))) + on_diagonal(g_values)
    return np.matmul(vectors, np.matmul(middle, mH(vectors)))


def _symmetric_spectrum(a: Any, uplo: str) -> tuple[Any, Any]:
    return where_finite(lambda x: tuple(np.linalg.eigh(x, uplo)), a)


_eigh = several(
    "eigh", _symmetric_spectrum, ("values", "vectors"), holomorphic=False, grad_name="LinalgEighBackward0", a=_eigh_rule
)


def hermitian_spectrum(A: Tensor, UPLO: str) -> tuple[Any, Any]:
    need_square(A, "linalg.eigh")
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    need_half_not(A, "linalg_eigh_cpu")
    return _eigh(A, UPLO.upper())


@takes_out
def eigh(input: Tensor, UPLO: str = "L") -> Any:
    """(eigenvalues, eigenvectors) of Hermitian matrices (*, n, n), read from their lower ("U": upper) triangle.

    A = V diag(λ) Vᴴ with λ (*, n) ascending. Source: PyTorch's `torch.linalg.eigh`.
    """
    return Eigh(*hermitian_spectrum(input, UPLO))


@takes_out
def eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of Hermitian matrices (*, n, n) → (*, n), ascending; see `eigh`.

    Source: PyTorch's `torch.linalg.eigvalsh`.
    """
    return hermitian_spectrum(input, UPLO)[0]


def smallest_or_largest(A: Tensor, k: int, B: Tensor | None, largest: bool) -> tuple[Tensor, Tensor]:
    """k values λ and vectors x of A x = λ B x for Hermitian A and B, B positive definite (1 unless given)."""
    if B is None:
        values, vectors = hermitian_spectrum(A, "L")
    else:  # with B = L Lᴴ and y = Lᴴ x an ordinary problem: L⁻¹ A L⁻ᴴ y = λ y
        factor = cholesky(B)
        half = triangular(factor, A, False, False)
        values, y = hermitian_spectrum(mH(triangular(factor, mH(half), False, False)), "L")
        vectors = triangular(mH(factor), y, True, False)
    if largest:
        return values[..., -k:].flip(-1), vectors[..., -k:].flip(-1)
    return values[..., :k], vectors[..., :k]


# ---- general ---------------------------------------------------------------------------------------------------------
def _eig_rule(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    """V⁻ᴴ (diag(dλ) + (VᴴdV − VᴴV Re diag(VᴴdV)) / conj(λ_j − λ_i)) Vᴴ for V with columns of norm 1."""
    middle = on_diagonal(g_values)
    if not absent(g_vectors):
        inner = np.matmul(mH(vectors), g_vectors)
        lengths = only_diagonal(inner)
        need_no_phase(lengths, "linalg_eig_backward", "eigenvectors")
        inner = inner - np.matmul(mH(vectors), vectors) * np.real(lengths)[..., None, :]
        middle = off_diagonal(quotient(inner, np.conjugate(differences(values)))) + middle
    return solved(mH(vectors), np.matmul(middle, mH(vectors)))


def _spectrum(a: Any) -> tuple[Any, Any]:
    values, vectors = np.linalg.eig(a)
    kind = np.result_type(a.dtype, np.complex64)
    return values.astype(kind), vectors.astype(kind)


_eig = several(
    "eig", _spectrum, ("values", "vectors"), holomorphic=False, grad_name="LinalgEigBackward0", a=_eig_rule
)


def _general_spectrum(A: Tensor, name: str) -> tuple[Any, Any]:
    need_square(A, name)
    if kind_of(A).kind not in "fc":
        raise RuntimeError(f"Unknown Complex ScalarType for {type_name(kind_of(A))}")
    need_half_not(A, "linalg_eig_out_cpu")
    verify(_need_finite, A._array, name)
    return _eig(A)


def _need_finite(a: Any, name: str) -> None:
    if not np.isfinite(a).all():
        raise RuntimeError(f"torch.{name}: input tensor should not contain infs or NaNs.")


@takes_out
def eig(input: Tensor) -> Any:
    """(eigenvalues, eigenvectors) of square matrices (*, n, n), complex: A = V diag(λ) V⁻¹, columns of norm 1.

    Errors: RuntimeError for inf or nan. Source: PyTorch's `torch.linalg.eig`.
    """
    return Eig(*_general_spectrum(input, "linalg.eig"))


@takes_out
def eigvals(input: Tensor) -> Tensor:
    """The eigenvalues of square matrices (*, n, n) → (*, n), complex. Source: PyTorch's `torch.linalg.eigvals`."""
    return _general_spectrum(input, "linalg.eigvals")[0]

