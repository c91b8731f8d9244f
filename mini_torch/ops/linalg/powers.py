"""Powers, exponentials and long products of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...op import public, row, takes_out, type_name
from ...tensor import Tensor, wrap
from .inverses import inv
from .matrices import kind_of, mT, need_floats, need_square
from .products import dot, matmul

__all__ = ["matrix_exp", "matrix_power", "multi_dot"]

# The coefficients of the [13/13] Padé approximant and the norm up to which it is exact to double precision.
# Source: N. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005).
_PADE = [
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
]  # fmt: skip
_RADIUS = 5.371920351148152


def _exponential(a: Any) -> Any:
    """exp(a) = exp(a / 2ˢ)^(2ˢ), each matrix with its own s; all in double precision."""
    if not a.size:
        return a.copy()
    wide = a.astype(np.result_type(a.dtype, np.float64))
    finite = np.isfinite(wide).all(axis=(-2, -1), keepdims=True)
    wide = np.where(finite, wide, 0)
    size = np.abs(wide).sum(axis=-2, keepdims=True).max(axis=-1, keepdims=True)
    turns = np.ceil(np.log2(np.maximum(size / _RADIUS, 1.0))).astype(np.int64)
    out = _pade(wide / np.exp2(turns))
    with np.errstate(all="ignore"):
        for i in range(int(turns.max())):
            out = np.where(i < turns, np.matmul(out, out), out)
        return np.where(finite, out, np.nan).astype(a.dtype)


def _pade(a: Any) -> Any:
    b, eye = _PADE, np.eye(a.shape[-1])
    a2 = np.matmul(a, a)
    a4 = np.matmul(a2, a2)
    a6 = np.matmul(a4, a2)
    odd = np.matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye
    even = np.matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    odd = np.matmul(a, odd)
    return np.linalg.solve(even - odd, even + odd)


def _exp_rule(g: Any, a: Any) -> Any:
    """The upper right block of exp [[Aᵀ, G], [0, Aᵀ]] is the derivative of exp at Aᵀ in the direction G.

    Source: R. Mathias, "A chain rule for matrix functions and applications" (1996).
    """
    n, t = a.shape[-1], mT(a)
    both = np.concatenate([np.concatenate([t, g], -1), np.concatenate([np.zeros_like(t), t], -1)], -2)
    return _exp(both)[..., :n, n:]


_exp: Callable[..., Any] = row("matrix_exp", _exponential, grad_name="LinalgMatrixExpBackward0", a=_exp_rule)


@public
def matrix_exp(input: Tensor) -> Tensor:
    """1 + A + A²/2 + A³/6 + … of square matrices (*, n, n). Source: PyTorch's `torch.linalg.matrix_exp`.

    >>> from mini_torch import zeros
    >>> matrix_exp(zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    need_floats(input, "linalg.matrix_exp")
    need_square(input, "linalg.matrix_exp")
    return _exp(input)


@public
def matrix_power(input: Tensor, n: int) -> Tensor:
    """Aⁿ of square matrices, by squaring; A⁻¹ first for a negative n. Source: PyTorch's `torch.linalg.matrix_power`."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    need_square(input, "linalg.matrix_power")
    if n == 0:
        eye = np.eye(input._array.shape[-1], dtype=kind_of(input))
        return input.masked_fill(wrap(np.True_), 0) + eye  # the gradient is zeros, not missing
    if n < 0:
        return matrix_power(inv(input), -n)
    out, power = None, input
    while True:
        n, odd = divmod(n, 2)
        if odd:
            out = power if out is None else matmul(out, power)
        if not n:
            break
        power = matmul(power, power)
    assert out is not None
    return out.clone() if out is input else out


# ---- products of many ------------------------------------------------------------------------------------------------
def _check_chain(tensors: Sequence[Tensor]) -> None:
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {n}")
    for i, x in enumerate(tensors):
        words = "the first" if i == 0 else "the last" if i == n - 1 else f"tensor {i}"
        if i in (0, n - 1):
            if x._array.ndim not in (1, 2):
                raise RuntimeError(f"multi_dot(): {words} tensor must be 1D or 2D but got {x._array.ndim}D")
        elif x._array.ndim != 2:
            raise RuntimeError(f"multi_dot(): {words} must be 2D but got {x._array.ndim}D")
        if kind_of(x) != kind_of(tensors[0]):
            first, this = (type_name(kind_of(y)).lower() for y in (tensors[0], x))
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {first} and tensor {i} {this}"
            )
        if i and tensors[i - 1]._array.shape[-1] != x._array.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {list(tensors[i - 1].shape)} and {list(x.shape)} "
                "cannot be multiplied"
            )


def _splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices so that the products cost least.

    Source: Cormen et al., "Introduction to Algorithms", section 14.2.
    """
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            choices = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            split[i, j] = best = min(choices, key=choices.__getitem__)
            cost[i, j] = choices[best]
    return split


@takes_out
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the order that costs least; the first and the last may be vectors.

    Source: PyTorch's `torch.linalg.multi_dot`.
    """
    chain = list(tensors)
    _check_chain(chain)
    row_first, column_last = chain[0]._array.ndim == 1, chain[-1]._array.ndim == 1
    if row_first and column_last and len(chain) == 2:
        return dot(*chain)
    if row_first:
        chain[0] = chain[0].unsqueeze(0)
    if column_last:
        chain[-1] = chain[-1].unsqueeze(1)
    split = _splits([x._array.shape[0] for x in chain] + [chain[-1]._array.shape[1]])

    def product(i: int, j: int) -> Tensor:
        return chain[i] if i == j else matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    out: Any = product(0, len(chain) - 1)
    if row_first:
        out = np.squeeze(out, 0)
    return np.squeeze(out, -1) if column_last else out
