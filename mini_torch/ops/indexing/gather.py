"""gather, and scatter in all its kinds: elements along one dimension, by a tensor of indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import verify
from ...op import as_operand, implements, public, row, type_name
from ...op.types import shape_mismatch
from ...tensor import Tensor, check_dim, wrap
from ..adjoint import add_along, combine_along, cut, positions_along, take_along

__all__ = ["gather", "scatter", "scatter_add", "scatter_reduce", "take_along_dim"]

Index = np.ndarray[Any, Any]


_UNSIGNED = {4: np.uint32, 8: np.uint64}


# ---- checks ----------------------------------------------------------------------------------------------------------
def _check_index(input: Tensor, index: Tensor, axis: int, name: str, whose: str = "self") -> None:
    """RuntimeError for an index of another type or number of dimensions, or one that points outside."""
    array = index._array
    if not array.size:
        return
    if array.dtype.char not in "ilq":
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, but got {type_name(array.dtype)}")
    if (array.ndim or 1) != (input._array.ndim or 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {whose} tensor, but got {list(array.shape)} for "
            f"{list(input.shape)}"
        )
    verify(_check_reach, array, axis, input._array.shape[axis] if input._array.ndim else 1)


def _check_reach(array: Any, axis: int, n: int) -> None:
    if array.view(_UNSIGNED[array.dtype.itemsize]).max() >= n:  # where what is below 0 is large, too
        low, high = int(array.min()), int(array.max())
        bad = low if low < 0 else high
        raise RuntimeError(f"index {bad} is out of bounds for dimension {axis} with size {n}")


def _in_one_dim(x: Tensor) -> Tensor:
    return x if x._array.ndim else x.reshape(1)


# ---- gather ----------------------------------------------------------------------------------------------------------
@public(apart=True)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on. `index` may be smaller than input off `dim`.

    Errors: RuntimeError for an index out of range or of another type. Source: PyTorch's `torch.gather`.

    >>> from mini_torch import tensor
    >>> tensor([[1, 2], [3, 4]]).gather(1, tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    axis = check_dim(dim, input._array.ndim)
    shape = index._array.shape
    _check_index(input, index, axis, "gather", "input")
    if not index._array.size:
        return input.reshape(-1)[:0].reshape(shape)
    x, index = _in_one_dim(input), _in_one_dim(index)
    if index._array.shape != x._array.shape:
        _check_size(x, index, axis)
    out = take_along(x, index, axis)
    return out if out._array.shape == shape else out.reshape(shape)


def _check_size(x: Tensor, index: Tensor, axis: int) -> None:
    """RuntimeError for an index that is larger than x in another dimension."""
    for i, (n, m) in enumerate(zip(index._array.shape, x._array.shape)):
        if i != axis and n > m:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger than self "
                f"{list(x.shape)} apart from dimension {axis}"
            )


@public
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with broadcasting; without `dim` from the flattened tensor. Source: PyTorch's `torch.take_along_dim`."""
    if indices._array.dtype != np.int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {type_name(indices._array.dtype)}"
        )
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    if input._array.ndim != indices._array.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices"
        )
    if not input._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = check_dim(dim, input._array.ndim)
    a, b = list(input._array.shape), list(indices._array.shape)
    if any(m != n and 1 not in (m, n) for i, (m, n) in enumerate(zip(a, b)) if i != axis):
        raise shape_mismatch(tuple(a[:axis] + a[axis + 1 :]), tuple(b[:axis] + b[axis + 1 :]))
    shape = [m if n == 1 else n for m, n in zip(a, b)]
    wide = input.expand(shape[:axis] + a[axis : axis + 1] + shape[axis + 1 :])
    index = indices.expand(shape[:axis] + b[axis : axis + 1] + shape[axis + 1 :])
    return gather(wide, axis, index % a[axis] if a[axis] else index)  # indices count from both ends, and around


@implements(np.take_along_axis)
def _numpy_take_along(arr: Tensor, indices: Any, axis: int) -> Tensor:
    return take_along(arr, indices, axis)


# ---- the rows --------------------------------------------------------------------------------------------------------
def _combined(ufunc: np.ufunc) -> Callable[..., Any]:
    """A copy of x into which the ufunc combines what the index takes of src."""
    return lambda x, src, index, axis: combine_along(ufunc, np.array(x, order="C"), index, axis, _corner(src, index))


def _corner(x: Any, index: Any) -> Any:
    return x[tuple([slice(n) for n in index.shape])]


def _written(x: Any, src: Any, index: Any, axis: int) -> Any:
    out = np.array(x, order="C")
    out.reshape(-1)[positions_along(index, out.shape, axis)] = _corner(src, index)
    return out


def _place_corner(x: Any, size: tuple[int, ...]) -> Any:
    out = np.zeros(size, x.dtype)
    out[tuple([slice(n) for n in x.shape])] = x
    return out


_padded: Callable[..., Any] = row(
    "pad_to", _place_corner, grad_name="PadBackward0",
    x=lambda g, shape: cut(g, tuple([slice(n) for n in shape])),
)  # fmt: skip
_cleared: Callable[..., Any] = row(
    "scatter_clear", lambda x, index, axis: _written(x, np.zeros(index.shape, x.dtype), index, axis),
    x=lambda g, index, axis: _cleared(g, index, axis), index=None,
)  # fmt: skip
_scatter = row(
    "scatter", _written,
    x=lambda g, index, axis: _cleared(g, index, axis),
    src=lambda g, index, shape, axis: _padded(take_along(g, index, axis), shape), index=None,
)  # fmt: skip
_scatter_add = row(
    "scatter_add", _combined(np.add),
    x=lambda g: g,
    src=lambda g, index, shape, axis: _padded(take_along(g, index, axis), shape), index=None,
)  # fmt: skip


def _product_of_others(g: Any, x: Any, src: Any, index: Any, out: Any, shape: Any, axis: int) -> Any:
    """The gradient of a factor: the product of what else met at its target, also where some of these are 0."""
    part = cut(src, tuple([slice(n) for n in index.shape]))
    zero = part == 0
    safe = np.where(zero, 1.0, part)
    zeros_met = take_along(add_along(np.where(zero, np.ones_like(part), 0.0), index, x.shape, axis), index, axis)
    rest = take_along(_scatter_prod(x, safe, index, axis), index, axis)  # without the zeros of src
    others = np.where(zero, np.where(zeros_met == 1, rest, 0.0), take_along(out, index, axis) / safe)
    return _padded(take_along(g, index, axis) * others, shape)


_scatter_prod: Callable[..., Any] = row(
    "scatter_prod", _combined(np.multiply), grad_name="ScatterReduceBackward0",
    x=lambda g, x, src, index, axis: g * _scatter_prod(np.ones_like(x), src, index, axis),
    src=_product_of_others, index=None,
)  # fmt: skip


def _shared_out(g: Any, x: Any, src: Any, index: Any, out: Any, axis: int) -> tuple[Any, Any, Any]:
    """The gradient divided among all that equal the extreme, and who they are in x and in src."""
    part = cut(src, tuple([slice(n) for n in index.shape]))
    ours = np.where(x == out, np.ones_like(x), 0.0)
    theirs = np.where(part == take_along(out, index, axis), np.ones_like(part), 0.0)
    return g / np.maximum(ours + add_along(theirs, index, x.shape, axis), 1.0), ours, theirs


def _extreme_of_x(g: Any, x: Any, src: Any, index: Any, out: Any, axis: int) -> Any:
    share, ours, _ = _shared_out(g, x, src, index, out, axis)
    return share * ours


def _extreme_of_src(g: Any, x: Any, src: Any, index: Any, out: Any, shape: Any, axis: int) -> Any:
    share, _, theirs = _shared_out(g, x, src, index, out, axis)
    return _padded(take_along(share, index, axis) * theirs, shape)


_extremes = {
    name: row(f"scatter_{name}", _combined(ufunc), grad_name="ScatterReduceBackward0", x=_extreme_of_x,
              src=_extreme_of_src, index=None)
    for name, ufunc in (("amax", np.maximum), ("amin", np.minimum))
}  # fmt: skip


# ---- scatter ---------------------------------------------------------------------------------------------------------
def _scattered(function: Callable[..., Any], input: Tensor, dim: int, index: Tensor, src: Tensor, name: str) -> Tensor:
    """The row on checked arguments; 0-d tensors count as one element in one dimension."""
    axis = check_dim(dim, input._array.ndim)
    if index._array.size and (src._array.ndim or 1) != (input._array.ndim or 1):
        check_dim(dim, src._array.ndim)
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as src tensor, but got "
            f"{list(index.shape)} for {list(src.shape)}"
        )
    _check_index(input, index, axis, "scatter")
    if src._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, but got {input.dtype} and {src.dtype}"
        )
    if not index._array.size:
        return input.clone()
    x, index, src = _in_one_dim(input), _in_one_dim(index), _in_one_dim(src)
    sizes = list(zip(index._array.shape, x._array.shape, src._array.shape))
    if any((n > m and i != axis) or n > k for i, (n, m, k) in enumerate(sizes)):
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension "
            f"{axis} and to be no larger size than src {list(src.shape)}"
        )
    out = function(x, src, index, axis)
    return out if input._array.ndim else out.reshape(())


def _spread(value: Any, input: Tensor, index: Tensor) -> Tensor:
    """A number as the source of a scatter."""
    number = np.array(value).astype(input._array.dtype)
    return wrap(np.broadcast_to(number, index._array.shape))


@public(inplace=True)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """input with src (tensor or number) written at `index` along `dim`: the opposite of `gather`.

    `reduce` 'add' or 'multiply' combines instead. Where several meet, one of them stays. Errors: RuntimeError where
    shapes do not fit, types differ or an index points outside. Source: PyTorch's `torch.scatter`.

    >>> from mini_torch import tensor, zeros
    >>> zeros(2, 3).scatter(1, tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    source = value if src is None else src
    if not isinstance(source, Tensor):
        source = _spread(source, input, index)
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    function = {None: _scatter, "add": _scatter_add, "multiply": _scatter_prod}[reduce]
    return _scattered(function, input, dim, index, source, "scatter")


@public(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src added at `index` along `dim`; what meets adds up. Source: PyTorch's `torch.scatter_add`."""
    return _scattered(_scatter_add, input, dim, index, src, "scatter")


_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@public(inplace=True)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input with src combined into it at `index` along `dim` by 'sum', 'prod', 'mean', 'amax' or 'amin'.

    Without `include_self`, what stood at a target before does not count. Equal extremes share the gradient. Errors:
    as `scatter`. Source: PyTorch's `torch.scatter_reduce`.
    """
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)  # PyTorch knows these names, too, and does not say so
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    kind = input._array.dtype
    if (reduce in _extremes and kind.kind == "c") or (reduce == "mean" and kind.kind == "b"):
        name = f'"scatter_gather_tensor_cpu_reduce_{reduce}"'
        raise NotImplementedError(f"{name} not implemented for '{type_name(kind)}'")
    function = _extremes.get(reduce) or (_scatter_prod if reduce == "prod" else _scatter_add)
    if not include_self:
        neutral = _spread(neutral_of(reduce, input._array.dtype), input, index)
        input = _scattered(_scatter, input, dim, index, neutral, "scatter")
    out = _scattered(function, input, dim, index, src, "scatter")
    return _divided(out, input, dim, index, include_self) if reduce == "mean" else out


def neutral_of(reduce: str, kind: np.dtype[Any]) -> Any:
    """What changes nothing in a reduction of this type."""
    if reduce in ("sum", "mean", "prod"):
        return 1 if reduce == "prod" else 0
    if kind.kind == "b":
        return reduce == "amin"
    if kind.kind in "fV":
        return -np.inf if reduce == "amax" else np.inf
    return np.iinfo(kind).min if reduce == "amax" else np.iinfo(kind).max


def _divided(total: Tensor, input: Tensor, dim: int, index: Tensor, include_self: bool) -> Tensor:
    """Sums as means: divided by how many met; whole numbers are rounded down."""
    one = _spread(1, input, index)
    before = input.new_ones(input._array.shape)
    if not include_self:
        before = scatter(before, dim, index, 0)
    met = scatter_add(before, dim, index, one)._array
    counts = np.maximum(met, 1).astype(met.dtype)
    if counts.dtype.kind in "fc":
        return total / wrap(counts)
    return as_operand(wrap(total._array // counts), input._array.dtype)
