"""What a call of a recorded program costs, by its shapes: bytes read and written, and floating-point operations.

Counted as usual: a product (m, k) × (k, n) has 2mnk operations, an elementwise function one per element, a reduction
one per element that it reads; what only moves numbers has none. Of an operation that is a unit they are known where
products make nearly all of it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..ops.window import Windows
from .chains import Chain
from .recorder import fresh
from .update import RunUpdate
from .values import Call, Value

__all__ = ["Cost", "cost_of", "cost_of_update"]

_MOVES = {
    np.copyto, np.take, np.concatenate, np.stack, np.repeat, np.tile, np.roll, np.pad, np.where, np.put, np.transpose,
    np.broadcast_to, np.take_along_axis, np.put_along_axis, np.flip, np.reshape, np.ravel, np.moveaxis, np.swapaxes,
    np.expand_dims, np.squeeze, np.split, np.tril, np.triu, fresh, np.ndarray.astype, np.ndarray.reshape,
    np.ndarray.repeat, np.ndarray.take, np.ndarray.fill, np.ndarray.copy, np.ndarray.ravel, np.ndarray.flatten,
    np.ascontiguousarray,
}  # fmt: skip
_REDUCE = {
    np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.any, np.all, np.cumsum, np.cumprod, np.argmax,
    np.argmin, np.ndarray.sum, np.ndarray.mean, np.ndarray.prod, np.ndarray.max, np.ndarray.min, np.ndarray.any,
    np.ndarray.all, np.ndarray.argmax, np.ndarray.argmin, np.ndarray.cumsum, np.ndarray.cumprod, np.count_nonzero,
}  # fmt: skip
_RECURRENT = {"lstm_forward": 2, "gru_forward": 1, "elman_forward": 1}  # weights, the input's being done before in some


class Cost(NamedTuple):
    """NumPy calls, bytes, and operations, of which `unknown` calls have more than is counted."""

    calls: int = 0
    read: int = 0
    written: int = 0
    flops: int = 0
    unknown: int = 0

    def __add__(self, other: tuple[Any, ...]) -> Cost:
        return Cost(*[a + b for a, b in zip(self, other)])


def cost_of(call: Call) -> Cost:
    """What one call costs."""
    read = sum({id(v): v.nbytes for v in call.reads()}.values())
    made = [out for out in call.outs if out is not None and not out.is_view]
    written = sum({id(v): v.nbytes for v in [*made, *call.writes]}.values())
    if isinstance(call, Chain):
        parts = [flops_of(each) for each in call.calls]
        return Cost(len(parts), read, written, sum(n for n in parts if n is not None), parts.count(None))
    if call.is_view:
        return Cost(1)
    flops = flops_of(call)
    return Cost(1, read, written, flops or 0, flops is None)


def flops_of(call: Call) -> int | None:
    """The call's floating-point operations; None where they are not known."""
    function, out = call.function, call.out or (call.writes[0] if call.writes else None)
    if call.is_view or function in _MOVES or call.own_name in ("_getitem", "_setitem", "_real", "_imag"):
        return 0
    if function in (np.matmul, np.dot, np.ndarray.dot):
        return _product(call, out)
    if function is np.einsum:
        return _einsum(call)
    if function is getattr(np, "vecdot", None):
        return 2 * max(map(_size, call.reads()))
    if call.form == "ufunc":
        return _size(out) if out is not None and getattr(function, "signature", None) is None else None
    if function in _REDUCE or isinstance(getattr(function, "__self__", None), np.ufunc):
        return max(map(_size, call.reads()), default=0)
    if call.form == "kernel":
        return _unit(call)
    return None


def _size(value: Value) -> int:
    return math.prod(value.shape)


def _product(call: Call, out: Any) -> int | None:
    a, b = call.args[:2]
    if not isinstance(a, Value) or not isinstance(b, Value) or out is None:
        return None
    return 2 * _size(out) * (a.shape[-1] if a.shape and b.shape else 1)


def _einsum(call: Call) -> int | None:
    """2 for each combination of indices that a product of two has, and that over again for each further one."""
    text, *operands = call.args
    if not isinstance(text, str) or "." in text:
        return None
    names = text.partition("->")[0].split(",")
    sizes = {i: n for name, v in zip(names, operands) for i, n in zip(name.strip(), v.shape)}
    return 2 * math.prod(sizes.values()) * max(len(operands) - 1, 1)


def _unit(call: Call) -> int | None:
    """Operations that are mostly products: convolutions, recurrent layers, attention."""
    arrays = [v for v in call.reads() if v.dtype.kind in "fc" and v.shape]
    name = call.own_name.strip("_")
    if any(isinstance(x, Windows) for x in call.args):
        return _convolution(name, [v for v in arrays if len(v.shape) > 2], [v for v in call.outs if v is not None])
    if name in _RECURRENT:
        weights = arrays[1 : 1 + _RECURRENT[name]]
        return 2 * math.prod(arrays[0].shape[:-1]) * sum(map(_size, weights))
    if name in ("attention_forward", "attention_pull"):  # q kᵀ and its product with v; each has two on the way back
        q, k, v = arrays[:3] if name == "attention_forward" else arrays[1:4]
        once = 2 * math.prod(q.shape[:-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1])
        return once if name == "attention_forward" else 2 * once
    return None


def _convolution(name: str, images: list[Value], made: list[Value]) -> int | None:
    """Each value of the (smaller) images goes with one filter, of the weight's shape but for its first dimension."""
    if len(images) == 3:  # the way back, of (g, x, weight): a product for each of their gradients
        return 2 * sum(len(v.shape) > 2 for v in made) * _size(images[0]) * math.prod(images[2].shape[1:])
    if len(images) != 2:
        return None
    first, second = images
    if name == "weigh":  # of (x, g), the weight's gradient
        return 2 * _size(second) * math.prod(made[0].shape[1:])
    return 2 * _size(first if name == "spread" else made[0]) * math.prod(second.shape[1:])


def cost_of_update(run: RunUpdate) -> Cost:
    """What an optimizer's step costs, for one run of parameters: its formula once over all their numbers."""
    nbytes, size = run.gradient.nbytes, run.gradient.size
    parts = len(run.params)
    total = Cost(parts, nbytes, nbytes, size) + Cost(parts, 2 * nbytes, nbytes, size)  # gradients in, steps out
    if "decay" in run.factors:
        total += Cost(parts + 1, 3 * nbytes, 2 * nbytes, 2 * size)
    if "shrink" in run.factors:
        total += Cost(parts, nbytes, nbytes, size)
    for _, reads, _ in run.program.plan.calls:
        large = sum(kind != "number" and key not in run.program.numbers for kind, key in reads)
        total += Cost(1, large * nbytes, nbytes, size)
    return total
