"""Recurrent layers in one direction: ONNX' LSTM, GRU and RNN.

Ours come as flat rows (L · N, ·), sorted by step; ONNX takes (L, N, ·), one weight for each direction in front, and the
gates in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import Builder, NoTranslation, Wire
from .table import kernel

__all__: list[str] = []


def _steps(b: Builder, x: Wire, sizes: Sequence[int]) -> Wire:
    """The rows (L · N, k) as (L, N, k)."""
    if len(set(sizes)) > 1:
        raise NoTranslation("its sequences have different lengths (a PackedSequence); pad them, and mask the result")
    return b.reshape(x, (len(sizes), sizes[0], x.dims[1]))


def _in_front(b: Builder, x: Wire) -> Wire:
    return b.unsqueeze(x, [0])


def _start(b: Builder, state: Wire) -> Wire | None:
    """A first state with a direction in front; none where it is zeros, as ONNX has it by itself."""
    zero = state.is_fixed and state.array is not None and not np.any(state.array)
    return None if zero else _in_front(b, state)


def _gates(b: Builder, x: Wire, order: Sequence[int]) -> Wire:
    """The gates' parts of a weight or bias (gates · H, …) in another order, with a direction in front."""
    size = x.dims[0] // len(order)
    parts = [b.slice(x, 0, i * size, (i + 1) * size) for i in order]
    return _known(b.unsqueeze(b.concat(parts, 0), [0]), x, lambda a: np.concatenate([
        np.split(a, len(order))[i] for i in order])[None])  # fmt: skip


def _known(out: Wire, x: Wire, change: Callable[[Any], Any]) -> Wire:
    """The wire with its numbers and a name, if those that it is made of are known."""
    if x.array is not None and x.is_fixed:
        out.array = change(x.array)
        out.name = f"{x.name}.onnx" if x.name else ""
    return out


def _run(
    b: Builder, op: str, x: Wire, weights: tuple[Wire | None, ...], states: Sequence[Wire], sizes: Sequence[int],
    reverse: bool, **attributes: Any,
) -> list[Wire]:  # fmt: skip
    """The layer on all steps, from its first states: the rows of every step, and the last states."""
    size = states[-1].dims[1]
    starts = [_start(b, state) for state in states]
    steps, *last = b.op(op, _steps(b, x, sizes), *weights, None, *starts, count=1 + len(states), hidden_size=size,
                        direction="reverse" if reverse else "forward", **attributes)  # fmt: skip
    return _flat(b, steps, last, sizes, size)


def _flat(b: Builder, steps: Wire, last: list[Wire], sizes: Sequence[int], size: int) -> list[Wire]:
    """ONNX' results (L, 1, N, H) and (1, N, H) as ours."""
    steps.shape = (len(sizes), 1, sizes[0], size)
    outs = [b.reshape(steps, (len(sizes) * sizes[0], size))]
    for each, (shape, _) in zip(last, b.outs[1:]):
        each.shape = (1, *shape)
        outs.append(b.squeeze(each, [0]))
    return outs


def _with_zeros(b: Builder, bias: Wire) -> Wire:
    """Both biases (1, 2 · gates · H), where ours are one already."""
    return _known(b.concat([bias, b.constant(np.zeros(bias.dims, bias.dtype))], 1), bias,
                  lambda a: np.concatenate([a, np.zeros_like(a)], 1))  # fmt: skip


@kernel("lstm")
def _lstm(
    b: Builder, keep: bool, x: Wire, w_ih: Wire, w_hh: Wire, bias: Wire | None, h: Wire, c: Wire, v: Wire | None,
    sizes: Sequence[int], reverse: bool, *_: Any,
) -> list[Wire]:  # fmt: skip
    if v is not None:
        raise NoTranslation("it has a projection (proj_size), which ONNX' LSTM has not")
    order = (0, 3, 1, 2)  # i, o, f, c for i, f, g, o
    biases = None if bias is None else _with_zeros(b, _gates(b, bias, order))
    return _run(b, "LSTM", x, (_gates(b, w_ih, order), _gates(b, w_hh, order), biases), (h, c), sizes, reverse)


@kernel("gru")
def _gru(
    b: Builder, keep: bool, x: Wire, w_hh: Wire, bias: Wire, h: Wire, sizes: Sequence[int], reverse: bool, *_: Any
) -> list[Wire]:
    """Ours gets W x + b from a linear layer before it; it is taken back into ONNX' GRU."""
    order = (1, 0, 2)  # z, r, h for r, z, n
    given, w_ih, b_ih = _undone(x)
    first = b.constant(np.zeros(bias.dims, bias.dtype)) if b_ih is None else b_ih
    biases = b.concat([_gates(b, first, order), _gates(b, bias, order)], 1)
    weights = _gates(b, w_ih, order), _gates(b, w_hh, order), biases
    return _run(b, "GRU", given, weights, (h,), sizes, reverse, linear_before_reset=1)


@kernel("rnn")
def _rnn(
    b: Builder, keep: bool, x: Wire, w_hh: Wire, h: Wire, relu: bool, sizes: Sequence[int], reverse: bool, *_: Any
) -> list[Wire]:
    given, w_ih, bias = _undone(x)
    biases = None if bias is None else _with_zeros(b, _in_front(b, bias))
    weights = _in_front(b, w_ih), _in_front(b, w_hh), biases
    return _run(b, "RNN", given, weights, (h,), sizes, reverse, activations=["Relu" if relu else "Tanh"])


def _undone(x: Wire) -> tuple[Wire, Wire, Wire | None]:
    """The input, weight and bias of the linear layer that made x."""
    node = x.node
    if node is None or node.op != "Gemm" or not node.attributes.get("transB"):
        raise NoTranslation("it does not come from a linear layer")
    given, weight, bias = [*node.inputs, None][:3]
    assert given is not None
    assert weight is not None
    return given, weight, bias
