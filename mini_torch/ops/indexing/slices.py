"""Whole slices along one dimension, by a vector of indices: index_select, index_add, index_copy …"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import verify
from ...op import public, type_name
from ...tensor import Tensor, check_dim
from ..adjoint import take as pick
from .gather import scatter_reduce
from .getitem import fit, number, put_at
from .index import picked_shape

__all__ = ["index_add", "index_copy", "index_fill", "index_reduce", "index_select"]


def _along(index: Tensor, axis: int) -> tuple[Any, ...]:
    """The index as NumPy takes it; an own copy, so that a later change of the tensor cannot reach backward."""
    return (slice(None),) * axis + (index._array.reshape(-1).astype(np.int64),)


def _check_range(
    input: Tensor, index: Tensor, axis: int, message: str, low: bool = False, error: type[Exception] = IndexError
) -> None:
    """The error where the index points outside; with `low`, it may count from the end."""
    n = input._array.shape[axis] if input._array.ndim else 1

    def check(array: Any) -> None:
        if array.size and (array.min() < (-n if low else 0) or array.max() >= n):
            bad = int(array.max()) if array.max() >= n else int(array.min())
            raise error(message.format(bad=bad, axis=axis, n=n))

    verify(check, index._array)


def _check_vector(index: Tensor, message: str, error: type[Exception] = IndexError) -> None:
    if index._array.ndim > 1:
        raise error(f"{message} (got shape {list(index.shape)})")


@public(apart=True)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along `dim` that the vector `index` names, copied.

    Errors: IndexError for an index that is no vector or points outside. Source: PyTorch's `torch.index_select`.
    """
    axis = check_dim(dim, input._array.ndim)
    if index._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"index_select(): Expected dtype int32 or int64 for index, but got {index.dtype}")
    _check_vector(index, "index_select(): Index is supposed to be a vector")
    if not input._array.ndim and index._array.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index._array.size} value(s)")
    if index._array.size and input._array.ndim and not input._array.shape[axis]:
        raise RuntimeError(f"index_select(): self indexing axis dim should be positive (shape {list(input.shape)})")
    _check_range(input, index, axis, "index out of range in self: {bad} for dimension {axis} with size {n}")
    return pick(input, _along(index, axis)) if input._array.ndim else input.clone()


# ---- add and reduce --------------------------------------------------------------------------------------------------
def _check_source(input: Tensor, axis: int, index: Tensor, source: Tensor, name: str) -> None:
    """What `index_add` and `index_reduce` ask of their arguments."""
    kind = type_name(index._array.dtype)
    if index._array.ndim > 1:
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got dim: {index._array.ndim} with type: {kind} and "
            f"size: {list(index.shape)}"
        )
    if index._array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {kind}")
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{name}(): self ({type_name(input._array.dtype)}) and source ({type_name(source._array.dtype)}) must have "
            "the same scalar type"
        )
    if source._array.ndim and axis >= source._array.ndim:
        raise RuntimeError(
            f"{name}(): Indexing dim {axis} is out of bounds of the source tensor with dim {source._array.ndim}"
        )
    given = source._array.shape[axis] if source._array.ndim else 1
    if not source._array.ndim and index._array.size != 1:
        raise IndexError(f"Dimension specified as {axis} but tensor has no dimensions")
    if given != index._array.size:
        raise RuntimeError(
            f"{name}(): Number of indices ({index._array.size}) should be equal to source.size(dim): ({given}), for "
            f"dim: {axis}"
        )
    a, b = input._array.shape, source._array.shape
    if (len(a) != len(b) or a[:axis] + a[axis + 1 :] != b[:axis] + b[axis + 1 :]) and (len(a), b) != (0, (1,)):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(a)} source.shape = {list(b)}"
        )


@public(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """input with the slices of alpha · source added at `index` along `dim`; what meets adds up.

    Errors: RuntimeError or IndexError where the shapes, types or the index do not fit. Source: PyTorch's
    `torch.index_add`.

    >>> from mini_torch import ones, tensor, zeros
    >>> zeros(2, 2).index_add(0, tensor([1, 1]), ones(2, 2))
    tensor([[0., 0.],
            [2., 2.]])
    """
    axis = check_dim(dim, input._array.ndim)
    _check_source(input, axis, index, source, "index_add_")
    _check_range(
        input, index, axis, "index {bad} is out of bounds for dimension {axis} with size {n}", error=RuntimeError
    )
    alpha = np.asarray(alpha).astype(input._array.dtype).item()  # -1 is 255 for uint8
    source = source if alpha == 1 else source * alpha
    if not input._array.ndim:
        return input + source.reshape(())
    return put_at(input, source, _along(index, axis), True)


@public(inplace=True)
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input with source's slices combined into it at `index` by 'prod', 'mean', 'amax' or 'amin'.

    Source: PyTorch's `torch.index_reduce`.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    axis = check_dim(dim, input._array.ndim)
    _check_source(input, axis, index, source, "index_reduce_")
    if input._array.dtype.kind == "c" or (input._array.dtype.kind == "b" and not include_self):
        raise NotImplementedError(f"\"index_func_\" not implemented for '{type_name(input._array.dtype)}'")
    _check_range(input, index, axis, "index out of range in self: {bad} for dimension {axis} with size {n}")
    behind = (1,) * (source._array.ndim - axis - 1)
    each = index.reshape(-1, *behind).expand(source._array.shape) if source._array.ndim else index
    return scatter_reduce(input, dim, each, source, reduce, include_self=include_self)


# ---- copy and fill ---------------------------------------------------------------------------------------------------
def _check_copy(input: Tensor, axis: int, index: Tensor, source: Tensor) -> None:
    if index._array.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index._array.ndim})")
    if index._array.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {type_name(index._array.dtype)}")
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{type_name(input._array.dtype)} and (source) {type_name(source._array.dtype)}"
        )
    a, b = input._array.shape, source._array.shape
    if a and b and len(a) != len(b):
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({len(b)}), destination dimensionality ({len(a)})"
        )
    given = b[axis] if b else 1
    if given != index._array.size:
        raise IndexError(
            f"index_copy_(): Number of indices ({index._array.size}) should be equal to source.size(dim) ({given})"
        )
    a, b = a[:axis] + a[axis + 1 :], b[:axis] + b[axis + 1 :]
    if a != b:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, a))} at dimension {axis} and source slice shape: {' '.join(map(str, b))} at "
            "dimension 0."
        )


@public(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """input with its slices at `index` replaced by those of source. Source: PyTorch's `torch.index_copy`."""
    axis = check_dim(dim, input._array.ndim)
    _check_copy(input, axis, index, source)
    _check_range(input, index, axis, "index_copy_(): index {bad} is out of bounds for dimension {axis} with size {n}")
    if not input._array.ndim:
        return source.reshape(-1)[-1].clone() if source._array.size else input.clone()
    at = _along(index, axis)
    return put_at(input, source.reshape(picked_shape(input._array, at)), at, False)


@public(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """input with its slices at `index` filled with a number or 0-d tensor. Source: PyTorch's `torch.index_fill`."""
    axis = check_dim(dim, input._array.ndim)
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} "
            "dimension(s)."
        )
    given_complex = value._array.dtype.kind == "c" if isinstance(value, Tensor) else isinstance(value, complex)
    if given_complex and input._array.dtype.kind != "c":
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    if index._array.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    _check_vector(index, "Index has to be a vector/scalar", RuntimeError)
    _check_range(input, index, axis, "index {bad} is out of bounds for dimension {axis} with size {n}", low=True)
    if not input._array.ndim:
        return index_fill(input.reshape(1), 0, index, value).reshape(())
    *before, last = _along(index, axis)
    last = last % (input._array.shape[axis] or 1)
    at = (*before, np.unique(last) if isinstance(value, Tensor) and value.requires_grad else last)  # each counts once
    kind = input._array.dtype
    if isinstance(value, Tensor) and kind.kind not in "fc":
        value = value._array.item()
    filler = value.to(input.dtype) if isinstance(value, Tensor) else number(value, kind)
    return put_at(input, fit(filler, picked_shape(input._array, at)), at, False)
