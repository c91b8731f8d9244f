"""The largest and the smallest, and where they stand."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..graph import as_unit
from ..op import implements, public, refused, row
from ..tensor import Tensor, check_dim, wrap
from .adjoint import add_along
from .elementwise import maximum, minimum
from .reduction.axes import Dims, any_zero, axes_of, keep, numpy_reduction

__all__ = [
    "amax", "amin", "aminmax", "argmax", "argmin", "cummax", "cummin", "max", "min",
]  # fmt: skip


class MinMax(NamedTuple):
    """What `aminmax` returns."""

    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.aminmax(\nmin={self.min!r},\nmax={self.max!r})"


class Extremes(NamedTuple):
    """What `max`, `min`, `cummax`, `sort` … return: values and where they stood, by name and by position."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"


_KINDS = {
    name: type(name, (Extremes,), {"__slots__": ()})
    for name in ("max", "min", "median", "nanmedian", "mode", "cummax", "cummin", "sort", "topk", "kthvalue")
}


def found(name: str, values: Tensor, index: np.ndarray[Any, Any]) -> Extremes:
    """`Extremes` under PyTorch's name for what the operation `name` returns."""
    return _KINDS[name](values, wrap(index))


def need_elements(x: Tensor, axes: tuple[int, ...], name: str) -> None:
    """IndexError if there is nothing along one of the axes to reduce."""
    if x._array.size == 0 and any_zero(x._array.shape, axes):
        empty = next(a for a in axes if x._array.shape[a] == 0)
        raise IndexError(f"{name}(): Expected reduction dim {empty} to have non-zero size. (shape {list(x.shape)})")


def _need_any(x: Tensor, name: str) -> None:
    if not x._array.size:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            f"the 'dim' argument. (shape {list(x.shape)})"
        )


# ---- over dimensions -------------------------------------------------------------------------------------------------
def shared_rule(g: Any, x: Any, out: Any, axes: tuple[int, ...]) -> Any:
    """Elements that are equal to the result share the gradient evenly."""
    mask = x == keep(out, len(x.shape), axes)
    hits = np.where(mask, np.ones_like(x), 0.0)
    return keep(g, len(x.shape), axes) * (hits / np.sum(hits, axis=axes, keepdims=True))


_amax = row("amax", lambda x, axes, keepdim: np.maximum.reduce(x, axis=axes, keepdims=keepdim), x=shared_rule)
_amin = row("amin", lambda x, axes, keepdim: np.minimum.reduce(x, axis=axes, keepdims=keepdim), x=shared_rule)


def even_rule(g: Any, x: Any, out: Any) -> Any:
    """Over all elements: those that are equal to the result, or NaN if that is, share the gradient evenly."""
    value = out._array if isinstance(out, Tensor) else out
    hits = np.where(x == out if value == value else x != x, np.ones_like(x), 0.0)
    return g * (hits / np.sum(hits))


def _over_all(name: str, ufunc: Any) -> Any:
    return row(f"{name}_all", lambda x: ufunc.reduce(x, axis=None), grad_name=f"{name.title()}Backward1", x=even_rule)


_max_all, _min_all = _over_all("max", np.maximum), _over_all("min", np.minimum)


def _extreme(name: str, kernel: str, core: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    axes = axes_of(dim, input._array.ndim)
    if dim is None or dim == ():
        _need_any(input, name)
    need_elements(input, axes, name)
    if input._array.dtype.kind == "c" and input._array.size:
        raise refused(kernel, input._array.dtype)
    return core(input, axes, keepdim)


@public
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest element along `dim` (one or several); ties share the gradient. Source: PyTorch's `torch.amax`."""
    return _extreme("amax", "max_values_cpu", _amax, input, dim, keepdim)


@public
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest element along `dim` (one or several); ties share the gradient. Source: PyTorch's `torch.amin`."""
    return _extreme("amin", "min_values_cpu", _amin, input, dim, keepdim)


@public
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """(min, max), by name and by position. Source: PyTorch's `torch.aminmax`."""
    if dim is None:
        _need_any(input, "aminmax")
    else:
        need_elements(input, axes_of(dim, input._array.ndim), "aminmax")
    if input._array.dtype.kind == "c":
        raise refused("aminmax_cpu", input._array.dtype)
    return MinMax(amin(input, dim, keepdim), amax(input, dim, keepdim))


# ---- and where they stand --------------------------------------------------------------------------------------------
def pick_at(input: Tensor, dim: int, keepdim: bool, find: Any, name: str) -> Extremes:
    """The elements that `find(array, axis)` points at along `dim`, with a gradient to just these."""
    if not input._array.ndim:
        check_dim(dim, 0)
        return found(name, _pick_0d[name](input), np.zeros((), np.int64))
    axis = check_dim(dim, input._array.ndim)
    need_elements(input, (axis,), name)
    index = as_unit(_found, find, input._array, axis)
    values = _pick[name](input, index, axis, keepdim)
    return found(name, values, index.reshape(values._array.shape))


def _found(find: Any, x: Any, *axis: int) -> Any:
    return np.asarray(find(x, *axis))


def _picked(x: Any, index: Any, axis: int, keepdim: bool) -> Any:
    """For each place in index, whose shape lacks the axis, the element at it along the axis."""
    if axis == x.ndim - 1 and x.size:
        rows = x.reshape(-1, x.shape[-1])
        out = rows[np.arange(len(rows)), index.reshape(-1)].reshape(index.shape)
    else:
        out = np.take_along_axis(x, np.expand_dims(index, axis), axis).squeeze(axis)
    return np.expand_dims(out, axis) if keepdim else out


def _picked_rule(g: Any, index: Any, shape: tuple[int, ...], axis: int, keepdim: bool) -> Any:
    return add_along(g if keepdim else np.expand_dims(g, axis), np.expand_dims(index, axis), shape, axis)


_PICKING = ("max", "min", "median", "nanmedian", "mode", "kthvalue")
_pick = {
    name: row(f"{name}_along", _picked, grad_name=f"{name.title()}Backward0", x=_picked_rule) for name in _PICKING
}
_pick_0d = {
    name: row(f"{name}_0d", lambda x: x.copy(), grad_name=f"{name.title()}Backward0", x=lambda g: g)
    for name in _PICKING
}


@public
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The largest element; with `dim` (values, indices) along it; with a second tensor the larger of each pair.

    Over all elements, ties share the gradient; along `dim` it goes to the one at `indices`, as in PyTorch.
    Errors: RuntimeError for no elements, or complex ones. Source: PyTorch's `torch.max`.

    >>> from mini_torch import tensor
    >>> tensor([[1, 5], [7, 2]]).max(1).values
    tensor([5, 7])
    """
    return _extreme_of(input, dim if other is None else other, keepdim, "max", _max_all, np.argmax, maximum)


@public
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The smallest element; with `dim` (values, indices) along it; with a second tensor the smaller of each pair.

    See `max`. Source: PyTorch's `torch.min`.
    """
    return _extreme_of(input, dim if other is None else other, keepdim, "min", _min_all, np.argmin, minimum)


def _extreme_of(input: Tensor, dim: Any, keepdim: bool, name: str, over_all: Any, find: Any, pairwise: Any) -> Any:
    kind = input._array.dtype
    if isinstance(dim, Tensor):
        return pairwise(input, dim)
    if dim is None:
        _need_any(input, name)
        if kind.kind == "c":
            raise refused(f"{name}_all", kind)
        return over_all(input)
    return pick_at(input, dim, keepdim, _complex_refused(name) if kind.kind == "c" else find, name)


def _complex_refused(name: str) -> Any:
    def find(x: Any, axis: int) -> Any:
        raise RuntimeError(f"{name}(): does not support complex input, got {x.dtype}")

    return find


def _arg(input: Tensor, dim: int | None, keepdim: bool, find: Any, name: str) -> Tensor:
    array = input._array
    if array.dtype.kind in "bc":
        kind = "bool" if array.dtype.kind == "b" else "complex"
        raise RuntimeError(f"{name}(): does not support {kind} input")
    if dim is None:
        if not array.size:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        index = as_unit(_found, find, array)
        return wrap(index.reshape((1,) * array.ndim) if keepdim else index)
    axis = check_dim(dim, array.ndim)
    if not array.ndim:
        return wrap(np.zeros((), np.int64))
    need_elements(input, (axis,), name)
    index = as_unit(_found, find, array, axis)
    return wrap(np.expand_dims(index, axis) if keepdim else index)


@public
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element stands: in the flattened tensor, or along `dim`. Source: PyTorch's `torch.argmax`."""
    return _arg(input, dim, keepdim, np.argmax, "argmax")


@public
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element stands, see `argmax`. Source: PyTorch's `torch.argmin`."""
    return _arg(input, dim, keepdim, np.argmin, "argmin")


# ---- so far ----------------------------------------------------------------------------------------------------------
def _running_extreme(name: str, input: Tensor, dim: int, better: Any) -> Extremes:
    x, axis = input._array, check_dim(dim, input._array.ndim)
    if not x.ndim:
        return found(name, input.clone(), np.zeros((), np.int64))
    if x.dtype.kind == "c" and x.size:
        raise refused(f"{name}_cpu", x.dtype)
    best, index = as_unit(_all_so_far, x, axis, better)
    return found(name, _running(input, best, index, axis), index)


def _all_so_far(x: Any, axis: int, better: Any) -> tuple[Any, Any]:
    rows = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    best, index = np.empty_like(rows), np.empty(rows.shape, np.int64)
    if x.size:
        n = x.shape[axis]
        a, b, c = (each.reshape(-1, n) for each in (rows, best, index))
        block = _BLOCK // n or 1
        for start in range(0, len(a), block):
            part = slice(start, start + block)
            b[part], c[part] = _so_far(a[part], better)
    best, index = (np.ascontiguousarray(np.moveaxis(each, -1, axis)) for each in (best, index))
    return best, index


_BLOCK = 65536  # elements at a time, which stay in the cache


def _so_far(rows: Any, better: Any) -> tuple[Any, Any]:
    """Along each row, the best so far and where it last stood."""
    best = better.accumulate(rows, 1)
    hit = rows == best
    if rows.dtype.kind == "f" and np.isnan(best).any():
        hit = hit | np.isnan(rows)
    return best, np.maximum.accumulate(np.where(hit, np.arange(rows.shape[1]), 0), 1)


_running = row(
    "running_extreme", lambda x, best, index, axis: best, grad_name="CummaxBackward0",
    x=lambda g, index, shape, axis: add_along(g, index, shape, axis),
)  # fmt: skip


@public
def cummax(input: Tensor, dim: int) -> Extremes:
    """(values, indices) of the largest so far along `dim`. Source: PyTorch's `torch.cummax`."""
    return _running_extreme("cummax", input, dim, np.maximum)


@public
def cummin(input: Tensor, dim: int) -> Extremes:
    """(values, indices) of the smallest so far along `dim`. Source: PyTorch's `torch.cummin`."""
    return _running_extreme("cummin", input, dim, np.minimum)


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
implements(np.amax, np.max, (np.maximum, "reduce"))(numpy_reduction(amax))
implements(np.amin, np.min, (np.minimum, "reduce"))(numpy_reduction(amin))


@implements(np.argmax)
def _numpy_argmax(a: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    return argmax(a, axis, keepdims)


@implements(np.argmin)
def _numpy_argmin(a: Tensor, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Tensor:
    return argmin(a, axis, keepdims)
