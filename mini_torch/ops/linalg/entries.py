"""What stands in for `np.linalg`'s functions when they are called on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import implements
from ...tensor import Tensor
from .definite import cholesky
from .inverses import det, inv, slogdet, solve
from .norms import norm_of
from .orthogonal import qr
from .powers import matrix_power, multi_dot
from .singular import matrix_rank, pinv, svd, svdvals
from .spectrum import eig, eigh, eigvals, eigvalsh
from .vectors import kron

__all__: list[str] = []

for _theirs, _ours in (
    (np.linalg.inv, inv), (np.linalg.solve, solve), (np.linalg.det, det), (np.linalg.slogdet, slogdet),
    (np.linalg.eig, eig), (np.linalg.eigvals, eigvals), (np.linalg.eigh, eigh), (np.linalg.eigvalsh, eigvalsh),
    (np.linalg.qr, qr), (np.linalg.pinv, pinv), (np.linalg.matrix_power, matrix_power),
    (np.linalg.matrix_rank, matrix_rank), (np.linalg.multi_dot, multi_dot), (np.kron, kron),
):  # fmt: skip
    implements(_theirs)(_ours)


@implements(np.linalg.cholesky)
def _numpy_cholesky(a: Tensor, *, upper: bool = False) -> Tensor:
    return cholesky(a, upper=upper)


@implements(np.linalg.svd)
def _numpy_svd(a: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return svd(a, full_matrices) if compute_uv else svdvals(a)


@implements(np.linalg.norm)
def _numpy_norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    return norm_of(x, ord, axis, keepdims)
