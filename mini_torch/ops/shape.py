"""Views and rearrangements: reshape, transpose, expand, flip.

As in PyTorch, everything that can be a view of the same memory is one; writing through it reaches the base.
"""

from __future__ import annotations

import builtins
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtype import Size
from ..op import implements, public, row, shape_mismatch
from ..tensor import Tensor, check_dim, method, wrap

__all__ = [
    "adjoint", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "expand_copy", "flatten", "flip", "fliplr",
    "flipud", "meshgrid", "moveaxis", "movedim", "numel", "permute", "ravel", "repeat_interleave", "reshape", "roll",
    "rot90", "squeeze", "swapaxes", "swapdims", "t", "tile", "transpose", "unflatten", "unfold", "unsqueeze",
]  # fmt: skip


def sizes_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` or `f((2, 3))` as a tuple of ints."""
    given = size[0] if len(size) == 1 and isinstance(size[0], tuple | list) else size
    return tuple([int(n) for n in given])


def listed(name: str) -> Any:
    """Decorator for `f(x, *sizes)`: the sizes may also be given as one keyword argument, `f(x, name=(2, 3))`."""

    def enter(function: Any) -> Any:
        @functools.wraps(function)
        def called(input: Tensor, *args: Any, **named: Any) -> Tensor:
            return function(input, *args) if not named else function(input, *args, named.pop(name), **named)

        return called

    return enter


# ---- reshape ---------------------------------------------------------------------------------------------------------
_view = row("view", lambda x, size: x.reshape(size), view=True, x=lambda g, shape: np.reshape(g, shape))
_copy_reshape = row("unsafe_view", lambda x, size: x.reshape(size), x=lambda g, shape: np.reshape(g, shape))


def _filled_in(size: tuple[int, ...], x: Tensor) -> tuple[int, ...]:
    """`size` with its -1 computed; RuntimeError if the elements do not fit."""
    count = x._array.size
    rest = math.prod([n for n in size if n != -1])
    unknown = size.count(-1)
    if unknown > 1:
        raise RuntimeError("only one dimension can be inferred")
    if builtins.any(n < -1 for n in size):
        raise RuntimeError(f"invalid shape dimension {builtins.min(size)}")
    if unknown and rest == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if count % rest if unknown else rest != count:
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple([count // rest if n == -1 else n for n in size]) if unknown else size


def _view_method(self: Tensor, *size: Any) -> Tensor:
    """The same memory in another shape, or (given a dtype) read as another type of the same width.

    Errors: RuntimeError where the shape needs a copy (use `reshape`). Source: PyTorch's `Tensor.view`.
    """
    if len(size) == 1 and hasattr(size[0], "numpy") and not isinstance(size[0], Tensor):
        return wrap(self._array.view(size[0].numpy))
    shape = _filled_in(sizes_of(size), self)
    if not _viewable(self._array, shape):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return _view(self, shape)


def _viewable(array: Any, shape: tuple[int, ...]) -> bool:
    if array.flags.c_contiguous or not array.size:
        return True
    try:
        if _RESHAPE_TAKES_COPY:
            array.reshape(shape, copy=False)
        else:
            array.view().shape = shape  # deprecated in NumPy 2.5
    except (AttributeError, ValueError):
        return False
    return True


_RESHAPE_TAKES_COPY = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


@public
@listed("shape")
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Another shape for the same elements: a view where the memory allows, else a copy. One size may be -1.

    Errors: RuntimeError if the number of elements differs. Source: PyTorch's `torch.reshape`.

    >>> from mini_torch import arange
    >>> arange(6).reshape(2, -1).shape
    torch.Size([2, 3])
    """
    size = _filled_in(sizes_of(shape), input)
    return (_view if _viewable(input._array, size) else _copy_reshape)(input, size)


method("view", _view_method)
method("view_as", lambda self, other: _view_method(self, other._array.shape))
method("reshape_as", lambda self, other: reshape(self, other._array.shape))


@public
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim … end_dim as one. Source: PyTorch's `torch.flatten`."""
    shape = input._array.shape
    first, last = check_dim(start_dim, len(shape)), check_dim(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last and shape:
        return input
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@public
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` as several. Source: PyTorch's `torch.unflatten`."""
    shape = input._array.shape
    axis = check_dim(dim, len(shape))
    sizes = tuple(sizes)
    if -1 not in sizes and math.prod(sizes) != shape[axis]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[axis]}) in "
            "the input tensor"
        )
    if -1 in sizes:
        rest = -math.prod(sizes)
        sizes = tuple(shape[axis] // rest if n == -1 else n for n in sizes)
    return reshape(input, (*shape[:axis], *sizes, *shape[axis + 1 :]))


@public
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension. Source: PyTorch's `torch.ravel`."""
    return reshape(input, -1)


def _squeeze_forward(x: Any, axes: tuple[int, ...]) -> Any:
    return x.squeeze(axes)


_squeeze = row("squeeze", _squeeze_forward, view=True, x=lambda g, shape: np.reshape(g, shape))


@public(inplace=False)
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without the dimensions of size 1, all or those of `dim`. Source: PyTorch's `torch.squeeze`."""
    shape = input._array.shape
    wanted = range(len(shape)) if dim is None else [dim] if isinstance(dim, int) else dim
    return _squeeze(input, tuple(a for a in (check_dim(d, len(shape)) for d in wanted) if shape and shape[a] == 1))


_unsqueeze = row(
    "unsqueeze", lambda x, axis: np.expand_dims(x, axis), view=True, x=lambda g, shape: np.reshape(g, shape)
)


@public
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at `dim`. Source: PyTorch's `torch.unsqueeze`."""
    return _unsqueeze(input, check_dim(dim, input._array.ndim + 1))


# ---- transpose -------------------------------------------------------------------------------------------------------
def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    back = [0] * len(axes)
    for i, a in enumerate(axes):
        back[a] = i
    return tuple(back)


_permute = row(
    "permute", lambda x, axes: np.transpose(x, axes), view=True, x=lambda g, axes: np.transpose(g, _inverse(axes))
)
_transpose = row(
    "transpose", lambda x, a, b: np.swapaxes(x, a, b), view=True, x=lambda g, a, b: np.swapaxes(g, a, b)
)
_t = row("t", lambda x: np.transpose(x), view=True, x=lambda g: np.transpose(g))


@public
@listed("dims")
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order, a view. Source: PyTorch's `torch.permute`."""
    ndim = input._array.ndim
    order = sizes_of(dims)
    if len(order) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple(check_dim(d, ndim) for d in order)
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, axes)


@public(aliases=("swapaxes", "swapdims"))
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, a view. Source: PyTorch's `torch.transpose`."""
    n = input._array.ndim
    a, b = check_dim(dim0, n), check_dim(dim1, n)
    return _transpose(input, a, b) if n else _view(input, ())


swapaxes = swapdims = transpose


@public
def t(input: Tensor) -> Tensor:
    """A matrix transposed; vectors and numbers as they are. Source: PyTorch's `torch.t`."""
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    return _t(input)


method("T", property(lambda self: _permute(self, tuple(range(self._array.ndim))[::-1]), doc="Dimensions reversed."))


def _matrix_transposed(self: Tensor) -> Tensor:
    if self._array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
        )
    return transpose(self, -2, -1)


method("mT", property(_matrix_transposed, doc="The last two dimensions exchanged."))
method("H", property(lambda self: transpose(self, 0, 1) if self._array.ndim else self, doc="A matrix transposed."))


@public
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged. Source: PyTorch's `torch.adjoint`."""
    return _matrix_transposed(input)


@public(aliases=("moveaxis",))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places, the rest in order. Source: PyTorch's `torch.movedim`."""
    n = input._array.ndim
    src = [check_dim(d, n) for d in ([source] if isinstance(source, int) else source)]
    dst = [check_dim(d, n) for d in ([destination] if isinstance(destination, int) else destination)]
    if not n:
        return input
    order = [d for d in range(n) if d not in src]
    for to, from_ in sorted(zip(dst, src)):
        order.insert(to, from_)
    return _permute(input, tuple(order))


moveaxis = movedim

# ---- expand and repeat -----------------------------------------------------------------------------------------------
_expand = row("expand", lambda x, size: _broadcast(x, size), view=True, broadcasts=True, x=lambda g: g)


def _broadcast(x: Any, size: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, size)


def _expand_method(self: Tensor, *sizes: Any) -> Tensor:
    """A view in which dimensions of size 1 are repeated without a copy; -1 keeps a size.

    Errors: RuntimeError if the sizes do not fit. Source: PyTorch's `Tensor.expand`.
    """
    size, shape = sizes_of(sizes), self._array.shape
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(shape)}}}, size={list(size)}): the number of sizes provided "
            f"({len(size)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    full = []
    for i, n in enumerate(size):
        old = shape[i - lead] if i >= lead else 1
        if n == -1 and i < lead:
            raise RuntimeError(
                f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
            )
        if n not in (-1, old) and old != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: {list(shape)}"
            )
        full.append(old if n == -1 else n)
    return _expand(self, tuple(full))


method("expand", listed("size")(_expand_method))
method("expand_as", lambda self, other: _expand_method(self, other._array.shape))


@public
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input.expand(size)`. Source: PyTorch's `torch.broadcast_to`."""
    return _expand_method(input, tuple(size))


@public(method=False)
def expand_copy(input: Tensor, size: Sequence[int]) -> Tensor:
    """`expand`, copied. Source: PyTorch's `torch.expand_copy`."""
    return _expand_method(input, tuple(size)).clone()


@public(method=False)
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that all these broadcast to. Source: PyTorch's `torch.broadcast_shapes`."""
    try:
        return Size(np.broadcast_shapes(*[(s,) if isinstance(s, int) else tuple(s) for s in shapes]))
    except ValueError:
        pairs = itertools.combinations([(s,) if isinstance(s, int) else tuple(s) for s in shapes], 2)
        clash = next((a, b) for a, b in pairs if any(1 != m != n != 1 for m, n in zip(a[::-1], b[::-1])))
        raise shape_mismatch(*clash) from None


@public(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape. Source: PyTorch's `torch.broadcast_tensors`."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    size = broadcast_shapes(*[x._array.shape for x in given])
    return tuple([_expand_method(x, size) for x in given])


def _unrepeat(g: Any, shape: tuple[int, ...], repeats: tuple[int, ...]) -> Any:
    lead = len(repeats) - len(shape)
    split = [n for i, r in enumerate(repeats) for n in ((r,) if i < lead else (r, shape[i - lead]))]
    axes = tuple(i if i < lead else lead + 2 * (i - lead) for i in range(len(repeats)))
    return np.sum(np.reshape(g, tuple(split)), axis=axes)


_repeat = row("repeat", lambda x, repeats: np.tile(x, repeats), x=_unrepeat)


def _repeat_method(self: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side, as often as `repeats` says per dimension. Source: PyTorch's `Tensor.repeat`."""
    counts = sizes_of(repeats)
    if len(counts) < self._array.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        )
    return _repeat(self, counts)


method("repeat", listed("repeats")(_repeat_method))


@public
@listed("dims")
def tile(input: Tensor, *dims: Any) -> Tensor:
    """As `repeat`, for fewer dims, too. Source: PyTorch's `torch.tile`."""
    counts = sizes_of(dims)
    return _repeat(input, (1,) * (input._array.ndim - len(counts)) + counts)


@public
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element repeated in place. Source: PyTorch's `torch.repeat_interleave`."""
    x = reshape(input, -1) if dim is None else input
    axis = check_dim(0 if dim is None else dim, x._array.ndim)
    counts = repeats._array if isinstance(repeats, Tensor) else repeats
    index = np.repeat(np.arange(x._array.shape[axis]), counts)
    return x[(slice(None),) * axis + (wrap(index),)]


# ---- flip and roll ---------------------------------------------------------------------------------------------------
_flip = row("flip", lambda x, axes: np.flip(x, axes).copy(), x=lambda g, axes: np.flip(g, axes))


@public
@listed("dims")
def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with the order along `dims` reversed. Source: PyTorch's `torch.flip`."""
    axes = tuple(check_dim(d, input._array.ndim) for d in sizes_of(dims))
    return _flip(input, axes if input._array.ndim else ())


@public
def fliplr(input: Tensor) -> Tensor:
    """Left and right exchanged. Source: PyTorch's `torch.fliplr`."""
    return flip(input, 1)


@public
def flipud(input: Tensor) -> Tensor:
    """Top and bottom exchanged. Source: PyTorch's `torch.flipud`."""
    if not input._array.ndim:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def _back(shifts: Any) -> Any:
    return tuple(-s for s in shifts) if isinstance(shifts, tuple) else -shifts


_roll: Callable[..., Any] = row(
    "roll", lambda x, shifts, axes: np.roll(x, shifts, axes), x=lambda g, shifts, axes: _roll(g, _back(shifts), axes)
)


@public
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Shifted along `dims`, what falls off coming back in front. Source: PyTorch's `torch.roll`."""
    if dims is None or dims == ():
        return _roll(input, shifts if isinstance(shifts, int) else tuple(shifts), None)
    shifts, dims = ((v,) if isinstance(v, int) else tuple(v) for v in (shifts, dims))
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    return _roll(input, shifts, tuple(check_dim(d, input._array.ndim) for d in dims))


@public
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k · 90° in the plane of `dims`. Source: PyTorch's `torch.rot90`."""
    a, b = dims
    k %= 4
    if k == 2:
        return flip(input, a, b)
    if k == 1:
        return flip(transpose(input, a, b), a)
    return transpose(flip(input, a), a, b) if k == 3 else input.clone()


# ---- windows ---------------------------------------------------------------------------------------------------------
def _windows(x: Any, axis: int, size: int, step: int) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=True)
    return view[(slice(None),) * axis + (slice(None, None, step),)]


def _refold(x: Any, whole: tuple[int, ...], axis: int, size: int, step: int) -> Any:
    out = np.zeros(whole, x.dtype)
    for k in range(size):
        span = slice(k, k + (x.shape[axis] - 1) * step + 1, step)
        out[(slice(None),) * axis + (span,)] += x[..., k]
    return out


_unfold = row(
    "unfold", _windows, view=True, x=lambda g, shape, axis, size, step: refold(g, shape, axis, size, step)
)
refold: Callable[..., Any] = row(
    "refold", _refold, x=lambda g, axis, size, step: _unfold(g, axis, size, step),
    grad_name="UnfoldBackwardBackward0",
)  # fmt: skip


@public(function_too=False)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dimension, `step` apart, as a last dimension; a view.

    Source: PyTorch's `Tensor.unfold`.
    """
    axis = check_dim(dimension, input._array.ndim)
    if not input._array.ndim and size == 1:
        return reshape(input, 1)
    if not input._array.ndim:
        raise RuntimeError(f"maximum size for tensor at dimension 0 is 1 but size is {size}")
    if size > input._array.shape[axis]:
        raise RuntimeError(
            f"maximum size for tensor at dimension {axis} is {input._array.shape[axis]} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(input, axis, size, step)


@public(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinate grids of vectors, as views; `indexing` is 'ij' (rows first) or 'xy'. PyTorch's `torch.meshgrid`."""
    given = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else list(tensors)
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if indexing == "xy" and len(given) > 1:
        first, second, *rest = meshgrid(given[1], given[0], *given[2:])
        return (second, first, *rest)
    shape = tuple(x._array.size for x in given)
    return tuple(
        _expand_method(reshape(x, (1,) * i + (-1,) + (1,) * (len(given) - i - 1)), shape) for i, x in enumerate(given)
    )


@public(method=False)
def numel(input: Tensor) -> int:
    """How many elements. Source: PyTorch's `torch.numel`."""
    return input._array.size


# ---- NumPy's names ---------------------------------------------------------------------------------------------------
@implements(np.reshape)
def _numpy_reshape(a: Tensor, shape: Any, order: str = "C", **_: Any) -> Tensor:
    return reshape(a, shape)


@implements(np.transpose)
def _numpy_transpose(a: Tensor, axes: Any = None) -> Tensor:
    n = a._array.ndim
    return _permute(a, tuple(range(n))[::-1] if axes is None else tuple(check_dim(d, n) for d in axes))


@implements(np.flip)
def _numpy_flip(m: Tensor, axis: Any = None) -> Tensor:
    return flip(m, tuple(range(m._array.ndim)) if axis is None else axis)


@implements(np.squeeze)
def _numpy_squeeze(a: Tensor, axis: Any = None) -> Tensor:
    return squeeze(a, axis)


implements(np.swapaxes)(transpose)
implements(np.expand_dims)(unsqueeze)
implements(np.broadcast_to)(broadcast_to)
implements(np.moveaxis)(movedim)
implements(np.ravel)(ravel)
implements(np.tile)(tile)
implements(np.roll)(roll)
implements(np.shape)(lambda a: tuple(a._array.shape))
implements(np.ndim)(lambda a: a._array.ndim)
implements(np.size)(lambda a, axis=None: a._array.size if axis is None else a._array.shape[axis])
implements(np.zeros_like)(lambda a, dtype=None, **_: wrap(np.zeros(a._array.shape, dtype or a._array.dtype)))
implements(np.ones_like)(lambda a, dtype=None, **_: wrap(np.ones(a._array.shape, dtype or a._array.dtype)))
