"""Results that go where something else was: in-place forms, `out=`, and the history of what was written to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtype import can_cast
from ..graph import InferenceCell, mode
from ..tensor import Tensor, alias, make
from ..view import View
from .quiet import quiet
from .table import record, row, rows
from .types import cast, type_name

__all__ = ["adopt", "check_changeable", "check_writable", "inplace", "overwrite", "own_node", "write_out"]


def inplace(function: Callable[..., Any], ufunc: np.ufunc | None = None) -> Callable[..., Any]:
    """The in-place form of `function`: the result is written into the first argument, which it returns.

    Where no history is made and `ufunc` is what `function` computes, it writes there itself.
    """
    direct = None if ufunc is None else quiet(ufunc)

    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        check_writable(self)
        old = self
        if mode.enabled and _has_history(self, *args, *kwargs.values()):
            old = alias(self)  # what formulas read is the old value, which the write below would destroy
            old._array, old._cell = self._array.copy(), [0, 0]
        elif direct is not None and _written(direct, self, *args, **kwargs):
            return self
        result = function(old, *args, **kwargs)
        if result is NotImplemented:
            return result
        if result is old:  # nothing to do, e.g. `positive_`
            return self
        if any(result is x for x in args):
            result = own_node(result)
        return overwrite(self, result)

    in_place.__doc__ = f"In-place form of `{getattr(function, '__name__', '')}`."
    return in_place


_times = quiet(np.multiply)


def _has_history(x: Tensor, *others: Any) -> bool:
    """Whether a change of `x` by these is one to be recorded."""
    return x.requires_grad or any(
        other.requires_grad if isinstance(other, Tensor) else isinstance(other, list | tuple) for other in others
    )


def _written(ufunc: Callable[..., Any], x: Tensor, other: Any, *rest: Any, alpha: Any = 1, **named: Any) -> bool:
    """Writes `ufunc` of x and alpha · other into x, if both are of one floating type: no other array is needed.

    False, and nothing written, where there is more to be done, or to be refused.
    """
    array = x._array
    if rest or named or array.dtype.char not in "fd" or not array.ndim:  # NumPy 1 widens what has no dimensions
        return False
    if isinstance(other, Tensor):
        if other._array.dtype is not array.dtype:
            return False
        other = other._array
    elif type(other) is not float or alpha != 1:
        return False
    if alpha != 1:
        if type(alpha) is not float:
            return False
        other = _times(other, alpha)
    try:
        ufunc(array, other, array)
    except ValueError:  # it is larger than x
        return False
    x._bump()
    return True


def own_node(x: Tensor) -> Tensor:
    """A tensor with x's memory and a node of its own behind it, so that what adopts its history is not x itself."""
    out: Tensor = make(Tensor, x._array)
    if mode.enabled:
        record(rows["clone"], (x,), (), out)
    return out


def check_changeable(x: Tensor) -> None:
    """RuntimeError if `x` has a place in the graph, or none for ever, that a change in place would spoil."""
    if not mode.inference and type(x._cell) is InferenceCell:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    if mode.enabled and x._requires_grad and x._node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if mode.enabled and x._view is not None:
        base = x._view.base
        if base._requires_grad and base._node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def check_writable(x: Tensor) -> None:
    """RuntimeError if `x` may not be written to now."""
    check_changeable(x)
    if not x._array.flags.writeable:
        raise RuntimeError("this tensor's memory is read-only. Please clone() it before writing into it.")
    _check_no_repeats(x._array)


def _check_no_repeats(array: Any) -> None:
    """RuntimeError for an expanded array: a write into one element would be seen in others."""
    if 0 in array.strides and array.size and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def overwrite(x: Tensor, result: Tensor) -> Tensor:
    """Writes `result`, computed from `x`'s old value, into `x`, and gives `x` its history."""
    old, new = x._array.shape, result._array.shape
    if new != old and np.broadcast_shapes(new, old) != old:
        raise RuntimeError(f"output with shape {list(old)} doesn't match the broadcast shape {list(new)}")
    if result._array.dtype != x._array.dtype:
        _check_castable(result, x)
        result = cast(result, x._array.dtype)
    x._array[...] = result._array
    return adopt(x, result)


def _check_castable(result: Tensor, x: Tensor) -> None:
    if not can_cast(result.dtype, x.dtype):
        raise RuntimeError(
            f"result type {type_name(result._array.dtype)} can't be cast to the desired output type "
            f"{type_name(x._array.dtype)}"
        )


def write_out(result: Any, out: Any) -> Any:
    """Writes `result` (a tensor or a tuple of tensors) into `out`, as `out=` does; returns `out`.

    `out` takes the result's shape and keeps its own type. Errors: RuntimeError where a gradient would be lost, or
    where the type does not fit.
    """
    if isinstance(result, tuple):
        if not isinstance(out, tuple | list) or len(out) != len(result):
            raise TypeError(f"argument 'out' must be tuple of {len(result)} Tensors, not {type(out).__name__}")
        written = [write_out(r, o) for r, o in zip(result, out)]
        return type(result)(*written) if hasattr(result, "_fields") else tuple(written)
    if not isinstance(out, Tensor):
        raise TypeError(f"argument 'out' must be Tensor, not {type(out).__name__}")
    if mode.enabled and (result._requires_grad or out.requires_grad):
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    _check_castable(result, out)
    if out._array.shape != result._array.shape:
        _resize_out(out, result._array.shape)
    _check_no_repeats(out._array)
    out._array[...] = result._array
    out._bump()
    return out


def _resize_out(out: Tensor, shape: tuple[int, ...]) -> None:
    if out._array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {list(out.shape)}, which does not "
            f"match the required output shape {list(shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements.",
            stacklevel=4,
        )
    out._array = np.empty(shape, out._array.dtype)


def adopt(x: Tensor, result: Tensor) -> Tensor:
    """After a write of `result` into `x`'s memory: counts it, and makes `result`'s history `x`'s.

    If `x` is a view, its base gets the history instead (the base with that region replaced), and every view of the
    base, `x` too, takes its own from there when it is next asked.
    """
    x._bump()
    if not mode.enabled or not (result._requires_grad or x._requires_grad):
        return x
    if x._view is not None:
        view, base = x._view, x._view.base
        new = make(Tensor, base._array)
        record(rows["copy_slices"], (alias(base), result), (view,), new)
        base._node, base._requires_grad = new._node, new._requires_grad
    else:
        x._node, x._requires_grad = result._node, result._requires_grad
    x._cell[1] += 1
    return x


def _without_region(x: Any, view: View) -> Any:
    out = np.array(x)
    region = view.replay(out)
    if not np.may_share_memory(region, out):  # `as_strided` of memory that lies otherwise is no view
        which = view.replay(np.arange(x.size).reshape(x.shape))
        np.put(out, which, 0)
        return out
    region[...] = 0
    return out


_clear_region: Callable[..., Any] = row("clear_region", _without_region, x=lambda g, view: _clear_region(g, view))
row(
    "copy_slices", lambda base, value, view: base, grad_name="CopySlices", casts=True, holomorphic=False,
    base=lambda g, view: _clear_region(g, view), value=lambda g, view: view.replay(g),
)  # fmt: skip


