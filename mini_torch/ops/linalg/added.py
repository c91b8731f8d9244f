"""beta · input + alpha · product, for every product of matrices and vectors.

With beta = 0 the input does not count, not even its nan; its gradient is zeros.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...op import cast, public, type_name
from ...tensor import Tensor, wrap
from .products import HALVES, bmm, c_type, mm, mv, outer

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm"]


def _plus(base: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    shape, target = base._array.shape, product._array.shape
    if shape != target:
        _check_expands(shape, target)
    if product._array.dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)
    elif product._array.dtype.kind == "f" and (isinstance(beta, complex) or isinstance(alpha, complex)):
        raise RuntimeError("value cannot be converted to type float without overflow")
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product + base.masked_fill(wrap(np.True_), 0) if base.requires_grad else product
    return (base if beta == 1 else base * beta) + product


def _check_expands(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    if len(shape) > len(target):
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(shape)}}}, size={list(target)}): the number of sizes provided "
            f"({len(target)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    for i in range(1, len(shape) + 1):
        if shape[-i] not in (1, target[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({target[-i]}) must match the existing size ({shape[-i]}) at "
                f"non-singleton dimension {len(target) - i}.  Target sizes: {list(target)}.  Tensor sizes: "
                f"{list(shape)}"
            )


def _rounded_once(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`function` of float16 and bfloat16 as PyTorch computes it: all in float32, and only the result rounded."""

    @functools.wraps(function)
    def rounding(input: Tensor, *factors: Any, beta: Any = 1, alpha: Any = 1, **named: Any) -> Tensor:
        given = (input, *factors, *named.values())
        kinds = {x._array.dtype if isinstance(x, Tensor) else None for x in given}
        if len(kinds) > 1 or input._array.dtype.char not in HALVES:
            return function(input, *factors, beta=beta, alpha=alpha, **named)
        wide = np.dtype(np.float32)
        named = {name: cast(x, wide) for name, x in named.items()}
        out = function(*[cast(x, wide) for x in (input, *factors)], beta=beta, alpha=alpha, **named)
        return cast(out, input._array.dtype)

    return rounding


def _check_matrices(base: Tensor, a: Tensor, b: Tensor) -> None:
    x, y, z = (t._array.dtype for t in (base, a, b))
    if y != z:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {type_name(y)} and {type_name(z)}")
    if x != z:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {type_name(x)} and {type_name(z)}")
    if x.kind == "b":
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")


@public(inplace=True)
@_rounded_once
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat1 @ mat2, (n, m) + (n, k) · (k, m). Source: PyTorch's `torch.addmm`."""
    for x, name in ((mat1, "mat1"), (mat2, "mat2")):
        if x._array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x._array.ndim}-D tensor")
    _check_matrices(input, mat1, mat2)
    return _plus(input, mm(mat1, mat2), beta, alpha)


@public(inplace=True)
@_rounded_once
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat @ vec, (n) + (n, k) · (k). Source: PyTorch's `torch.addmv`."""
    x, a, v = input._array, mat._array, vec._array
    if a.ndim != 2 or v.ndim != 1 or x.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {x.ndim}, {a.ndim}, {v.ndim}")
    if not x.dtype == a.dtype == v.dtype:
        names = [type_name(t.dtype) for t in (x, a, v)]
        raise RuntimeError("addmv input tensors must have the same dtype, but got {}, {}, and {}".format(*names))
    if a.shape[1] != v.size or x.size not in (1, a.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({x.size}), mat ({a.shape[0]}x{a.shape[1]}), vec ({v.size})"
        )
    return _plus(input, mv(mat, vec), beta, alpha)


@public(inplace=True)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · vec1 ⊗ vec2, (n, m) + (n) · (m), with promotion; on bools "or" and "and".

    Source: PyTorch's `torch.addr`.
    """
    for x, name in ((vec1, "vec1"), (vec2, "vec2")):
        if x._array.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {x._array.ndim}-D")
    if all(x._array.dtype.kind in "biu" for x in (input, vec1, vec2)):
        for factor, name in ((beta, "beta"), (alpha, "alpha")):
            if isinstance(factor, float | complex):
                raise RuntimeError(
                    f"For integral input tensors, argument {name} must not be a floating point number."
                )
    product = outer(vec1, vec2)
    if input._array.dtype.kind == "b" == product._array.dtype.kind:
        _check_expands(input._array.shape, product._array.shape)
        return (input & bool(beta)) | (product & bool(alpha))
    return _plus(input, product, beta, alpha)


@public(inplace=True)
@_rounded_once
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · bmm(batch1, batch2), (b, n, m) + (b, n, k) · (b, k, m). PyTorch's `torch.baddbmm`."""
    kinds = [t._array.dtype for t in (input, batch1, batch2)]
    if len(set(kinds)) > 1:
        names = [c_type(kind) for kind in kinds]
        raise RuntimeError("Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}".format(*names))
    if kinds[0].kind == "b":
        raise NotImplementedError("\"baddbmm\" not implemented for 'Bool'")
    return _plus(input, bmm(batch1, batch2), beta, alpha)


@public(inplace=True)
@_rounded_once
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · Σ bmm(batch1, batch2), (n, m) + (b, n, k) · (b, k, m). Source: PyTorch's `torch.addbmm`.
    """
    a, b = batch1._array.shape, batch2._array.shape
    for shape, name in ((a, "batch1"), (b, "batch2")):
        if len(shape) != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if a[0] != b[0]:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {a[0]} and {b[0]}")
    if a[2] != b[1]:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({a[1]}x{a[2]} and {b[1]}x{b[2]})")
    _check_matrices(input, batch1, batch2)
    side_by_side = batch1.transpose(0, 1).reshape((a[1], a[0] * a[2]))  # the sum over the batch is one product
    return _plus(input, mm(side_by_side, batch2.reshape((b[0] * b[1], b[2]))), beta, alpha)
