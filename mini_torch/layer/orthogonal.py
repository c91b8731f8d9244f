"""Orthogonal weights: three maps from free matrices onto those whose columns (or rows) are orthonormal.

The matrix exponential and Cayley's map take the skew-symmetric part A - Aᴴ of a lower triangle to a square orthogonal
matrix, whose first columns are taken; Householder's takes its columns as reflections. Source: Lezcano-Casado and
Martínez-Rubio 2019, "Cheap orthogonal constraints in neural networks"; Lezcano-Casado 2019, "Trivializations for
gradient-based optimization on manifolds" (the map composed with a fixed matrix, `base`).
"""

from __future__ import annotations

from typing import Any

from ..creation import eye, zeros_like
from ..dtype import finfo
from ..graph import no_grad
from ..network import Module
from ..network.parametrization import register_parametrization
from ..ops.join import cat
from ..ops.linalg.inverses import solve
from ..ops.linalg.powers import matrix_exp
from ..ops.linalg.reflections import geqrf, householder_product
from ..random import randn
from ..tensor import Tensor

__all__ = ["orthogonal"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    eps = 10.0 * n * finfo(q.dtype).eps
    return bool(((q.mH @ q - eye(k, dtype=q.dtype)).abs() <= eps).all())


def _columns_of(a: Tensor) -> Tensor:
    """Orthonormal columns that span what those of `a` do, QR's with a positive diagonal of R."""
    x, tau = geqrf(a)
    return householder_product(x, tau) * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """The map, times `base` if it is a trivialization."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        q: Any = self._map(x.mT if wide else x)
        if self.use_trivialization and self.base is not None:
            q = self.base @ q
        return q.mT if wide else q

    def _map(self, x: Tensor) -> Tensor:
        """An n × k matrix, k ≤ n, with orthonormal columns."""
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            a = x.tril(diagonal=-1)
            q = householder_product(a, 2.0 / (1.0 + (a * a).sum(dim=-2)))
            return q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        x = x.tril()
        if n != k:
            x = cat([x, x.new_zeros(*x.shape[:-2], n, n - k)], dim=-1)
        a = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(a)
        else:
            one = eye(n, dtype=a.dtype)
            q = solve(one - 0.5 * a, one + 0.5 * a)
        return q[..., :k]

    def right_inverse(self, q: Tensor) -> Tensor:
        """What the map takes to q, made orthogonal. Of a trivialization q becomes the base, and the map gives I."""
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}."
            )
        with no_grad():
            wide = q.shape[-2] < q.shape[-1]
            return self._to_base(q, wide) if self.use_trivialization else self._reflections_of(q, wide)

    def _reflections_of(self, q: Tensor, wide: bool) -> Tensor:
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = geqrf(q.mT if wide else q)
        diagonal = a.diagonal(dim1=-2, dim2=-1)
        diagonal.copy_(diagonal.sign() * (1 - 2 * (tau == 0).to(a.dtype)))
        return a.mT if wide else a

    def _to_base(self, q: Tensor, wide: bool) -> Tensor:
        tall = q.mT if wide else q
        n, k = tall.shape[-2:]
        if n != k:
            tall = cat([tall, randn(*tall.shape[:-2], n, n - k, dtype=q.dtype)], dim=-1)
        self.base = tall.clone() if n == k and _is_orthogonal(tall) else _columns_of(tall)
        start = zeros_like(q)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keeps a weight orthogonal (unitary, if complex): its columns orthonormal, or its rows where they are fewer.

    `orthogonal_map` is "matrix_exp" (the default for square and complex weights), "cayley" or "householder" (the
    default for others). Without `use_trivialization` the first two cannot be assigned. Errors: ValueError for another
    map, or where there is no matrix. PyTorch's `nn.utils.parametrizations.orthogonal`.

    >>> from mini_torch.layer import Linear
    >>> w = orthogonal(Linear(2, 4)).weight
    >>> mini_torch.testing.assert_close(w.T @ w, mini_torch.eye(2))
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    part = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, part, unsafe=True)
