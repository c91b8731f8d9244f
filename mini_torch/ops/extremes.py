"""The largest, the smallest, the middle, and where they stand."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..op import implements, public, row
from ..tensor import Tensor, check_dim, wrap
from .adjoint import add_along, take_along
from .elementwise import maximum, minimum
from .reduction import Dims, any_zero, axes_of, keep, numpy_reduction

__all__ = [
    "amax", "amin", "aminmax", "argmax", "argmin", "cummax", "cummin", "max", "median", "min",
]  # fmt: skip


class MinMax(NamedTuple):
    """What `aminmax` returns."""

    min: Tensor
    max: Tensor


class Extremes(NamedTuple):
    """What `max`, `min`, `cummax`, `sort` … return: values and where they stood, by name and by position."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"


_KINDS = {
    name: type(name, (Extremes,), {"__slots__": ()})
    for name in ("max", "min", "median", "cummax", "cummin", "sort", "topk", "kthvalue")
}


def found(name: str, values: Tensor, index: np.ndarray[Any, Any]) -> Extremes:
    """`Extremes` under PyTorch's name for what the operation `name` returns."""
    return _KINDS[name](values, wrap(index))


def _shared_rule(g: Any, x: Any, out: Any, axes: tuple[int, ...]) -> Any:
    """Elements that are equal extremes share the gradient evenly."""
    mask = x == keep(out, len(x.shape), axes)
    hits = np.where(mask, np.ones_like(x), 0.0)
    return keep(g, len(x.shape), axes) * (hits / np.sum(hits, axis=axes, keepdims=True))


_amax = row("amax", lambda x, axes, keepdim: np.maximum.reduce(x, axis=axes, keepdims=keepdim), x=_shared_rule)
_amin = row("amin", lambda x, axes, keepdim: np.minimum.reduce(x, axis=axes, keepdims=keepdim), x=_shared_rule)


def _need_elements(x: Tensor, axes: tuple[int, ...], name: str) -> None:
    if x._array.size == 0 and any_zero(x._array.shape, axes):
        empty = next(a for a in axes if x._array.shape[a] == 0)
        raise IndexError(f"{name}(): Expected reduction dim {empty} to have non-zero size. (shape {list(x.shape)})")


@public
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest element along `dim` (one or several); ties share the gradient. Source: PyTorch's `torch.amax`."""
    axes = axes_of(dim, input._array.ndim)
    _need_elements(input, axes, "amax")
    return _amax(input, axes, keepdim)


@public
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest element along `dim` (one or several); ties share the gradient. Source: PyTorch's `torch.amin`."""
    axes = axes_of(dim, input._array.ndim)
    _need_elements(input, axes, "amin")
    return _amin(input, axes, keepdim)


@public
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """(min, max), by name and by position. Source: PyTorch's `torch.aminmax`."""
    return MinMax(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _extreme_at(input: Tensor, dim: int, keepdim: bool, find: Any, name: str) -> Extremes:
    """The elements that `find` (argmax or argmin) points at along `dim`, with a gradient to just these."""
    if not input._array.ndim:
        check_dim(dim, 0)
        return found(name, _pick_0d[name](input), np.zeros((), np.int64))
    axis = check_dim(dim, input._array.ndim)
    _need_elements(input, (axis,), name)
    index = np.expand_dims(find(input._array, axis), axis)
    values = _pick[name](input, index, axis)
    return found(name, values, index) if keepdim else found(name, np.squeeze(values, axis), index.squeeze(axis))


_pick = {
    name: row(f"{name}_along", lambda x, index, axis: np.take_along_axis(x, index, axis),
              grad_name=f"{name.title()}Backward0",
              x=lambda g, index, shape, axis: add_along(g, index, shape, axis), index=None)
    for name in ("max", "min", "median")
}  # fmt: skip
_pick_0d = {
    name: row(f"{name}_0d", lambda x: x.copy(), grad_name=f"{name.title()}Backward0", x=lambda g: g) for name in _pick
}


def _pairwise(input: Tensor, dim: Any, name: str) -> Tensor | None:
    if not isinstance(dim, Tensor):
        return None
    return (maximum if name == "max" else minimum)(input, dim)


@public
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The largest element; with `dim` (values, indices) along it; with a second tensor the larger of each pair.

    Over all elements, ties share the gradient; along `dim` it goes to the one at `indices`, as in PyTorch.
    Errors: RuntimeError for no elements. Source: PyTorch's `torch.max`.

    >>> from mini_torch import tensor
    >>> tensor([[1, 5], [7, 2]]).max(1).values
    tensor([5, 7])
    """
    dim = other if other is not None else dim
    if dim is None:
        return _over_all(input, _amax, "max")
    pair = _pairwise(input, dim, "max")
    return _extreme_at(input, dim, keepdim, np.argmax, "max") if pair is None else pair


@public
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The smallest element; with `dim` (values, indices) along it; with a second tensor the smaller of each pair.

    See `max`. Source: PyTorch's `torch.min`.
    """
    dim = other if other is not None else dim
    if dim is None:
        return _over_all(input, _amin, "min")
    pair = _pairwise(input, dim, "min")
    return _extreme_at(input, dim, keepdim, np.argmin, "min") if pair is None else pair


def _over_all(input: Tensor, core: Any, name: str) -> Tensor:
    if not input._array.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument."
        )
    return core(input, tuple(range(input._array.ndim)), False)


def _arg(input: Tensor, dim: int | None, keepdim: bool, find: Any, name: str) -> Tensor:
    array = input._array
    if dim is None:
        if not array.size:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        index = np.asarray(find(array))
        return wrap(index.reshape((1,) * array.ndim) if keepdim else index)
    axis = check_dim(dim, array.ndim)
    if not array.ndim:
        return wrap(np.zeros((), np.int64))
    _need_elements(input, (axis,), name)
    index = find(array, axis)
    return wrap(np.expand_dims(index, axis) if keepdim else np.asarray(index))


@public
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element stands: in the flattened tensor, or along `dim`. Source: PyTorch's `torch.argmax`."""
    return _arg(input, dim, keepdim, np.argmax, "argmax")


@public
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element stands, see `argmax`. Source: PyTorch's `torch.argmin`."""
    return _arg(input, dim, keepdim, np.argmin, "argmin")


@public
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median, the lower of the two middle ones; with `dim` (values, indices). Source: PyTorch's `torch.median`."""
    flat = input if dim is not None else input.reshape(-1)
    if not flat._array.size and dim is None:
        return flat.sum() * math.nan
    found = _extreme_at(flat, 0 if dim is None else dim, keepdim, _middle, "median")
    return found.values if dim is None else found


def _middle(x: Any, axis: int) -> Any:
    order = np.argsort(x, axis, kind="stable")
    nans = np.isnan(x).any(axis) if x.dtype.kind == "f" else False
    middle = np.take(order, (x.shape[axis] - 1) // 2, axis)
    return np.where(nans, np.argmax(np.isnan(x), axis), middle) if np.any(nans) else middle


def _running_extreme(name: str, input: Tensor, dim: int, better: Any) -> Extremes:
    x, axis = input._array, check_dim(dim, input._array.ndim)
    if not x.ndim:
        return found(name, input.clone(), np.zeros((), np.int64))
    best = better.accumulate(x, axis)
    steps = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    index = np.maximum.accumulate(np.where(x == best, steps, 0), axis)
    return found(name, take_along(input, index, axis), index)


@public
def cummax(input: Tensor, dim: int) -> Extremes:
    """(values, indices) of the largest so far along `dim`. Source: PyTorch's `torch.cummax`."""
    return _running_extreme("cummax", input, dim, np.maximum)


@public
def cummin(input: Tensor, dim: int) -> Extremes:
    """(values, indices) of the smallest so far along `dim`. Source: PyTorch's `torch.cummin`."""
    return _running_extreme("cummin", input, dim, np.minimum)


implements(np.amax, np.max, (np.maximum, "reduce"))(numpy_reduction(amax))
implements(np.amin, np.min, (np.minimum, "reduce"))(numpy_reduction(amin))


@implements(np.argmax)
def _numpy_argmax(a: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    return argmax(a, axis, keepdims)


@implements(np.argmin)
def _numpy_argmin(a: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    return argmin(a, axis, keepdims)
