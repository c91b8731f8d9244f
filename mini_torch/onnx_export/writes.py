"""Writes into arrays as new arrays: `x[index] = value` and `np.add(x, y, out=x)` for a language without memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.values import Call
from . import table
from .graph import Builder, NoTranslation, Wire
from .index import basic_parts, is_basic, put_at

__all__ = ["put", "put_back", "written"]


def written(b: Builder, call: Call, old: Wire, args: list[Any], kwargs: dict[str, Any], name: tuple[str, str]) -> Wire:
    """What `old` is after the call that writes into it."""
    if name[1] == "_setitem":
        _, index, value = args
        return put(b, old, index, value if isinstance(value, Wire) else b.constant(value, old.dtype))
    if name[1] == "fill":
        return b.expand(b.wire(args[1], old.dtype), old.dims)
    if call.form in ("ufunc", "function") and name[1] not in ("copyto", "put", "place", "putmask"):
        translation = table.numpy_calls.get(name[1])
        if translation is not None:
            out: Wire = translation(b, *args, **kwargs)
            return _spread(b, out, old)
    raise NoTranslation(f"it writes into an array in a way that is not known ({name[1]})")


def _spread(b: Builder, x: Wire, like: Wire) -> Wire:
    """x in the shape and type of what it is written to."""
    x = b.cast(x, like.dtype)
    return x if x.shape is None else b.expand(x, like.dims)


def put(b: Builder, x: Wire, index: Any, value: Wire) -> Wire:
    """x after `x[index] = value`."""
    value = b.cast(value, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) == 1 and _is_mask(parts[0], x):
        mask = parts[0] if isinstance(parts[0], Wire) else b.constant(parts[0])
        if value.shape is not None and len(value.shape) > x.rank - mask.rank:
            raise NoTranslation("it writes an array to where a mask is True; use torch.where or masked_fill")
        return b.op("Where", b.unsqueeze(mask, range(mask.rank, x.rank)), value, x)
    if not is_basic(index):
        return put_at(b, x, index, value)
    axes = basic_parts(index, x.dims)
    if any(new for _, new, _ in axes):
        raise NoTranslation("it writes through an index with None; reshape the value instead")
    lost = [k for k, (i, _, _) in enumerate(axes) if isinstance(i, int)]
    kept = [k for k in range(len(axes)) if k not in lost]
    first = (kept[len(kept) - value.rank] if value.rank else len(axes)) if value.rank <= len(kept) else 0
    value = b.unsqueeze(value, [k - first for k in lost if k > first])  # where an int took a dimension away
    return _put(b, x, [_span(i, n) for (i, _, _), n in zip(axes, x.dims)], value, 0)


def _span(index: Any, size: int) -> range:
    """The places on an axis that an int or a slice names."""
    return range(index % size, index % size + 1) if isinstance(index, int) else range(size)[index]


def _put(b: Builder, x: Wire, spans: list[range], value: Wire, axis: int) -> Wire:
    """x with the value in the spans of the axes from `axis` on: what is before, what is written to, what is behind."""
    sizes = x.shape or ()
    while axis < len(spans) and spans[axis] == range(sizes[axis]):
        axis += 1
    if axis == len(spans):
        return b.expand(value, sizes)
    start, stop = spans[axis].start, spans[axis].stop
    if spans[axis].step != 1:
        raise NoTranslation("it writes through an index with steps; use torch.where with a mask")
    inside = b.slice(x, axis, start, stop)
    parts = [_put(b, inside, [*spans[:axis], range(stop - start), *spans[axis + 1 :]], value, axis + 1)]
    if start > 0:
        parts.insert(0, b.slice(x, axis, None, start))
    if stop < sizes[axis]:
        parts.append(b.slice(x, axis, stop, None))
    return b.concat(parts, axis)


def _is_mask(x: Any, target: Wire) -> bool:
    kind = x.dtype if isinstance(x, Wire | np.ndarray) else None
    return kind == np.bool_


def put_back(b: Builder, maker: Call, parent: Wire, new: Wire) -> Wire:
    """The parent of a view after the view has become `new`."""
    name = maker.own_name
    shape = parent.shape or ()
    if name == "_getitem":
        return put(b, parent, maker.args[1], new)
    if name in ("reshape", "ravel", "expand_dims", "squeeze"):
        return b.reshape(new, shape)
    if name == "swapaxes":
        return b.swap(new, *[int(a) for a in maker.args[1:3]])
    if name == "transpose":
        axes = maker.args[1:]
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        order = [a % len(shape) for a in order] if order and order[0] is not None else [*range(len(shape))][::-1]
        return b.transpose(new, [int(i) for i in np.argsort(order)])
    raise NoTranslation(f"it writes into a view ({name}); write into a .clone()")
