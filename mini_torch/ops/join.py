"""Tensors put together: cat, stack, and their kin."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtype import default_numpy_dtype, promote_numpy
from ..op import cast, common_type, implements, public, variadic
from ..tensor import Tensor, check_dim, wrap
from .adjoint import cut, take
from .shape import meshgrid, reshape

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "cat", "column_stack", "combinations",
    "concat", "concatenate", "dstack", "hstack", "row_stack", "stack", "vstack",
]  # fmt: skip


# ---- join ------------------------------------------------------------------------------------------------------------
def _part(i: int, g: Any, axis: int, starts: tuple[int, ...]) -> Any:
    return cut(g, (slice(None),) * axis + (slice(starts[i], starts[i + 1]),))


_cat = variadic("cat", lambda arrays, axis, starts: np.concatenate(arrays, axis), _part)
_stack = variadic(
    "stack", lambda arrays, axis: _stacked(arrays, axis), lambda i, g, axis: cut(g, (slice(None),) * axis + (i,))
)


def _stacked(arrays: Any, axis: int) -> Any:
    new = (slice(None),) * axis + (None,)
    return np.concatenate([x[new] for x in arrays], axis)  # `np.stack` takes twice as long for small ones


def _one_type(tensors: Any, name: str) -> list[Tensor]:
    if isinstance(tensors, Tensor):
        raise TypeError(
            f"{name.removeprefix('torch.')}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor"
        )
    given = list(tensors)
    if not given:
        raise ValueError(f"{name}(): expected a non-empty list of Tensors")
    kind: Any = None
    mixed = False
    for i, x in enumerate(given):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
        own = x._array.dtype
        if own is not kind:
            mixed = kind is not None
            kind = promote_numpy(kind, own) if mixed else own
    return [x if x._array.dtype == kind else cast(x, kind) for x in given] if mixed else given


@public(method=False, aliases=("concat", "concatenate"), apart=True)
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after another along `dim`; the other sizes must agree.

    Errors: RuntimeError with both shapes if they do not; ValueError for no tensors. Source: PyTorch's `torch.cat`.
    """
    given = _one_type(tensors, "torch.cat")
    shapes = [x._array.shape for x in given]
    if shapes.count(shapes[0]) != len(shapes) or shapes[0] in ((), (0,)):
        given = _joinable(given, dim)
        shapes = [x._array.shape for x in given]
    axis = check_dim(dim, len(shapes[0]))
    starts = [0]
    for shape in shapes:
        starts.append(starts[-1] + shape[axis])
    return _cat(given, axis, tuple(starts))


def _joinable(given: list[Tensor], dim: int) -> list[Tensor]:
    """What is to be joined, without empty vectors, which join anything by tradition; RuntimeError for other shapes."""
    if builtins.any(not x._array.ndim for x in given):
        at = next(i for i, x in enumerate(given) if not x._array.ndim)
        raise RuntimeError(f"zero-dimensional tensor (at position {at}) cannot be concatenated")
    given = [x for x in given if x._array.shape != (0,)] or given[:1]
    axis = check_dim(dim, given[0]._array.ndim)
    first = given[0]._array.shape
    for i, x in enumerate(given):
        shape = x._array.shape
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            expected, got = next((n, m) for d, (n, m) in enumerate(zip(first, shape)) if d != axis and n != m)
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {axis}. Expected size {expected} but got size {got} "
                f"for tensor number {i} in the list (shapes {list(first)} and {list(shape)})."
            )
    return given


concat = concatenate = cat


@public(method=False)
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape, side by side along a new dimension. Source: PyTorch's `torch.stack`."""
    if not len(tensors):
        raise RuntimeError("stack expects a non-empty TensorList")
    given = _one_type(tensors, "stack")
    for i, x in enumerate(given):
        if x._array.shape != given[0]._array.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(given[0].shape)} at entry 0 and "
                f"{list(x.shape)} at entry {i}"
            )
    return _stack(given, check_dim(dim, given[0]._array.ndim + 1))


def _at_least(n: int, x: Tensor) -> Tensor:
    shape = x._array.shape
    if len(shape) >= n:
        return x
    fills = {1: (1,), 2: (1, *(shape or (1,))), 3: (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1)}
    return reshape(x, fills[n])


def _each_at_least(n: int, tensors: Any) -> Any:
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    out = tuple(_at_least(n, x) for x in given)
    return out[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else out


@public(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Numbers as vectors. Source: PyTorch's `torch.atleast_1d`."""
    return _each_at_least(1, tensors)


@public(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions. Source: PyTorch's `torch.atleast_2d`."""
    return _each_at_least(2, tensors)


@public(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions. Source: PyTorch's `torch.atleast_3d`."""
    return _each_at_least(3, tensors)


def _not_empty(tensors: Any, name: str) -> list[Tensor]:
    given = list(tensors)
    if not given:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return given


@public(method=False)
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Side by side: along dimension 1, vectors along 0. Source: PyTorch's `torch.hstack`."""
    given = [_at_least(1, x) for x in _not_empty(tensors, "hstack")]
    return cat(given, 0 if given[0]._array.ndim == 1 else 1)


@public(method=False, aliases=("row_stack",))
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """One below the other. Source: PyTorch's `torch.vstack`."""
    return cat([_at_least(2, x) for x in _not_empty(tensors, "vstack")], 0)


row_stack = vstack


@public(method=False)
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """One behind the other, along dimension 2. Source: PyTorch's `torch.dstack`."""
    return cat([_at_least(3, x) for x in _not_empty(tensors, "dstack")], 2)


@public(method=False)
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Side by side along dimension 1, vectors as columns. Source: PyTorch's `torch.column_stack`."""
    given = _not_empty(tensors, "column_stack")
    return hstack([reshape(x, (x._array.size, 1)) if x._array.ndim < 2 else x for x in given])


# ---- all with all ----------------------------------------------------------------------------------------------------
@public(method=False)
def block_diag(*tensors: Any) -> Tensor:
    """The matrix with these matrices (vectors as rows, numbers) along its diagonal. PyTorch's `torch.block_diag`.

    >>> from mini_torch import ones
    >>> block_diag(ones(1, 2), ones(1, 1))
    tensor([[1., 1., 0.],
            [0., 0., 1.]])
    """
    for i, x in enumerate(tensors):
        if x._array.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {x._array.ndim} "
                "dimensions"
            )
    if not tensors:
        return wrap(np.empty((1, 0), default_numpy_dtype()))
    kind = common_type(*tensors)
    blocks = [_at_least(2, cast(x, kind) if x._array.dtype != kind else x) for x in tensors]
    width, left, rows = sum(x._array.shape[1] for x in blocks), 0, []
    for x in blocks:
        n, m = x._array.shape
        before, after = (wrap(np.zeros((n, k), x._array.dtype)) for k in (left, width - left - m))
        rows.append(cat([before, x, after], 1))
        left += m
    return cat(rows, 0)


def _need_vectors(tensors: Sequence[Tensor]) -> None:
    for x in tensors:
        if x._array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")


@public(method=False)
def cartesian_prod(*tensors: Any) -> Tensor:
    """All ways to take one element of each vector, one a row. Source: PyTorch's `torch.cartesian_prod`."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    _need_vectors(given)
    if len(given) == 1:
        return given[0]
    return stack([reshape(x, -1) for x in meshgrid(*given)], 1)


@public(method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of `r` elements of a vector, in order, one a row. Source: PyTorch's `torch.combinations`."""
    _need_vectors([input])
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return wrap(np.empty(0, input._array.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = np.array(list(choose(range(input._array.size), r)), np.int64).reshape(-1, r)
    return take(input, (chosen,))


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
@implements(np.concatenate)
def _numpy_concatenate(arrays: Any, axis: int = 0, out: Any = None, **_: Any) -> Tensor:
    return cat([x if isinstance(x, Tensor) else wrap(x) for x in arrays], axis)


@implements(np.stack)
def _numpy_stack(arrays: Any, axis: int = 0, out: Any = None, **_: Any) -> Tensor:
    return stack([x if isinstance(x, Tensor) else wrap(x) for x in arrays], axis)
