"""QR.

Source of the derivative: J. Roberts, L. Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square,
wide, and deep matrices and their software implementation" (2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import several, takes_out
from ...tensor import Tensor
from .elimination import triangular_right
from .matrices import identity_like, mH, need_floats, need_half_not, need_matrix, return_type

__all__ = ["factors", "qr"]

QR = return_type("linalg_qr", "Q", "R")


def _forward(a: Any, mode: str) -> tuple[Any, Any]:
    if mode == "r":
        return np.empty(0, a.dtype), np.linalg.qr(a, "r")
    return tuple(np.linalg.qr(a, mode))


def _rule(g_q: Any, g_r: Any, q: Any, r: Any, mode: str) -> Any:
    """(dQ + Q (M + Mᴴ − Re diag M)) R⁻ᴴ with M the upper triangle of dR Rᴴ − Qᴴ dQ; the rest of a wide R is Qᴴ A₂."""
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = q.shape[-2], r.shape[-1]
    if mode == "complete" and m > n:
        raise RuntimeError(
            f"The QR decomposition is not differentiable when mode='complete' and nrows > ncols. (shape {[m, n]})"
        )
    k = min(m, n)
    square = r[..., :k]
    if n > k:
        rest, g_rest = r[..., k:], g_r[..., k:]
        g_q = g_q + np.matmul(np.matmul(q, rest), mH(g_rest))
    middle = np.triu(np.matmul(g_r[..., :k], mH(square)) - np.matmul(mH(q), g_q))
    middle = (middle + mH(middle)) * (1 - 0.5 * identity_like(q, k))
    grad = triangular_right(mH(square), g_q + np.matmul(q, middle), False)
    return np.concatenate([grad, np.matmul(q, g_rest)], -1) if n > k else grad


_qr = several("qr", _forward, ("q", "r"), holomorphic=False, grad_name="LinalgQrBackward0", a=_rule)


def factors(A: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """(Q, R) in NumPy's mode."""
    need_matrix(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    need_floats(A, "linalg.qr")
    need_half_not(A, "geqrf_cpu")
    return _qr(A, mode)


@takes_out
def qr(A: Tensor, mode: str = "reduced") -> Any:
    """(Q, R) of A (*, m, n): Q with orthonormal columns (*, m, k), R (*, k, n) upper triangular, k = min(m, n).

    "complete": Q (*, m, m) and R (*, m, n); "r": only R. Source: PyTorch's `torch.linalg.qr`.
    """
    return QR(*factors(A, mode))
