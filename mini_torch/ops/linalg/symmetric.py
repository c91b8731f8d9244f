"""L D Lᵀ of symmetric and Hermitian matrices that need not be definite, with blocks of one or two in D.

Source: J. Bunch, L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems" (1977),
in LAPACK's layout (sytrf): L below D in one matrix, a pivot below zero for each half of a block of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...op import takes_out, type_name
from ...tensor import Tensor, wrap
from .elimination import first_failure
from .matrices import kind_of, need_floats, need_half_not, need_square, return_type

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]

LDL = return_type("linalg_ldl_factor", "LD", "pivots")
LDLEx = return_type("linalg_ldl_factor_ex", "LD", "pivots", "info")

_ALPHA = (1 + 17**0.5) / 8  # it balances the growth of a step with one pivot against that of a step with two


def _size(x: Any) -> Any:
    return np.abs(x.real) + np.abs(x.imag)  # LAPACK's measure of a complex pivot


def _pivot(a: Any, k: int) -> tuple[int, int]:
    """(the row to exchange with, 1 or 2 steps at once)."""
    here = _size(a[k, k])
    below = _size(a[k + 1 :, k])
    column = below.max(initial=0)
    if here >= _ALPHA * column:
        return k, 1
    far = k + 1 + int(below.argmax())
    row = max(_size(a[far, k:far]).max(), _size(a[far + 1 :, far]).max(initial=0))
    if here * row >= _ALPHA * column**2:
        return k, 1
    return (far, 1) if _size(a[far, far]) >= _ALPHA * row else (far, 2)


def _exchange(a: Any, i: int, j: int, k: int, conj: Any) -> None:
    """Rows and columns i and j > i of the lower triangle from k on."""
    a[j + 1 :, [i, j]] = a[j + 1 :, [j, i]]
    a[i + 1 : j, i], a[j, i + 1 : j] = conj(a[j, i + 1 : j].copy()), conj(a[i + 1 : j, i].copy())
    a[j, i] = conj(a[j, i])
    a[i, i], a[j, j] = a[j, j], a[i, i]
    if i > k:
        a[[i, j], k] = a[[j, i], k]


def _factored(a: Any, conj: Any) -> tuple[Any, int]:
    """The pivots of one matrix, which is overwritten with L and D, and the first step (from 1) that met only zeros."""
    n, k, info = len(a), 0, 0
    pivots = np.zeros(n, np.int32)
    while k < n:
        at, steps = _pivot(a, k)
        last = k + steps - 1
        if at != last:
            _exchange(a, last, at, k, conj)
        pivots[k : last + 1] = at + 1 if steps == 1 else -at - 1
        block, rest = a[k : last + 1, k : last + 1], a[last + 1 :, k : last + 1].copy()
        if steps == 1 and block[0, 0] == 0:
            info = info or k + 1
        else:
            a[last + 1 :, k : last + 1] = _times_inverse(rest, block, conj)
            a[last + 1 :, last + 1 :] -= np.tril(a[last + 1 :, k : last + 1] @ conj(rest).T)
        k += steps
    return pivots, info


def _times_inverse(x: Any, block: Any, conj: Any) -> Any:
    """x D⁻¹ for a block of D, of which the lower triangle is kept."""
    if len(block) == 1:
        return x / block
    whole = np.array([[block[0, 0], conj(block[1, 0])], [block[1, 0], block[1, 1]]])
    return np.linalg.solve(whole.T, x.T).T


def _solved(a: Any, pivots: Any, b: Any, conj: Any) -> Any:
    """X of a X = b for one matrix, from its factors: down through L and D, then up through Lᴴ."""
    x, k, blocks = b.copy(), 0, []
    while k < len(a):
        steps = 1 if pivots[k] > 0 else 2
        blocks.append((k, k + steps))
        at, last = abs(int(pivots[k])) - 1, k + steps - 1
        x[[last, at]] = x[[at, last]] if at != last else x[[last, at]]
        x[last + 1 :] -= a[last + 1 :, k : last + 1] @ x[k : last + 1]
        x[k : last + 1] = conj(_times_inverse(conj(x[k : last + 1]).T, a[k : last + 1, k : last + 1], conj)).T
        k += steps
    for k, end in reversed(blocks):
        x[k:end] -= conj(a[end:, k:end]).T @ x[end:]
        at = abs(int(pivots[k])) - 1
        x[[end - 1, at]] = x[[at, end - 1]] if at != end - 1 else x[[end - 1, at]]
    return x


def _conjugation(A: Tensor, hermitian: bool) -> Any:
    return np.conj if hermitian and kind_of(A).kind == "c" else lambda x: x


@takes_out
def ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """(LD, pivots, info) of symmetric (or `hermitian`) matrices (*, n, n), read from their lower triangle; info is the
    first step whose pivot is zero, from 1, else 0. No gradient. Source: PyTorch's `torch.linalg.ldl_factor_ex`.
    """
    name = "torch.linalg.ldl_factor_ex"
    need_square(input, name)
    need_floats(input, name)
    need_half_not(input, "ldl_factor_kernel_cpu")
    shape = input._array.shape
    out, pivots, info = np.tril(input._array), np.zeros(shape[:-1], np.int32), np.zeros(shape[:-2], np.int32)
    for at in np.ndindex(*shape[:-2]):
        pivots[at], info[at] = _factored(out[at], _conjugation(input, hermitian))
    if check_errors and info.any():
        where, i = first_failure(info)
        raise RuntimeError(f"{name}: {where}D[{i},{i}] is zero: what is solved with it divides by zero.")
    return LDLEx(wrap(out), wrap(pivots), wrap(info))


@takes_out
def ldl_factor(input: Tensor, *, hermitian: bool = False) -> Any:
    """(LD, pivots), see `ldl_factor_ex`; RuntimeError for a pivot of zero. Source: PyTorch's `torch.linalg.ldl_factor`.
    """
    out, pivots, _ = ldl_factor_ex(input, hermitian=hermitian, check_errors=True)
    return LDL(out, pivots)


@takes_out
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X of A X = B (*, n, k) from what `ldl_factor` gives. No gradient. Source: PyTorch's `torch.linalg.ldl_solve`."""
    name = "torch.linalg.ldl_solve"
    need_square(LD, name)
    need_floats(LD, name)
    a, b = LD._array.shape, B._array.shape
    if kind_of(LD) != kind_of(B):
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {type_name(kind_of(B))} and A of type "
            f"{type_name(kind_of(LD))} instead."
        )
    if len(b) < 2 or b[-2] != a[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {a[-1]} by {a[-1]} but B has shape {list(b)}"
        )
    if kind_of(pivots).kind not in "iu":
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {type_name(kind_of(pivots))}")
    if pivots._array.shape != a[:-1]:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    batch = np.broadcast_shapes(a[:-2], b[:-2])
    factors, swaps, right = (
        np.broadcast_to(x, (*batch, *x.shape[-n:])) for x, n in ((LD._array, 2), (pivots._array, 1), (B._array, 2))
    )
    out = np.empty((*batch, *b[-2:]), kind_of(B))
    for at in np.ndindex(*batch):
        out[at] = _solved(factors[at], swaps[at], right[at], _conjugation(LD, hermitian))
    return wrap(out)
