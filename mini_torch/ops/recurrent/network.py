"""Networks of recurrent layers, and single steps: PyTorch's functions on top of the sweeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...op import cast, type_name
from ...tensor import Tensor, wrap
from ..dropout import dropout as drop
from ..join import cat, stack
from ..linalg.products import linear
from ..split import unbind
from .elman import elman_sweep
from .gru import gru_sweep
from .lstm import lstm_sweep
from .steps import Sizes

__all__ = ["gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell"]

# ---- one layer in one direction --------------------------------------------------------------------------------------
# (x, states, weights, sizes, reverse) → (the outputs, the last states …)
Layer = Callable[[Tensor, list[Tensor], "_Weights", Sizes, bool], tuple[Tensor, ...]]


class _Weights:
    """The weights of a layer in one direction, in the order in which PyTorch has them."""

    def __init__(self, given: Sequence[Tensor], biased: bool) -> None:
        self.ih, self.hh = given[:2]
        self.biases: tuple[Tensor, ...] = tuple(given[2:4]) if biased else ()
        self.hr: Tensor | None = given[-1] if len(given) % 2 else None


def _all_biases(weights: _Weights) -> Tensor | None:
    return weights.biases[0] + weights.biases[1] if weights.biases else None


def _lstm_layer(
    x: Tensor, states: list[Tensor], weights: _Weights, sizes: Sizes, reverse: bool
) -> tuple[Tensor, ...]:
    if len(states) != 2:
        raise RuntimeError("lstm expects two hidden states")
    outs: tuple[Tensor, ...] = lstm_sweep(
        x, weights.ih, weights.hh, _all_biases(weights), *states, weights.hr, sizes, reverse
    )
    return outs


def _gru_layer(x: Tensor, states: list[Tensor], weights: _Weights, sizes: Sizes, reverse: bool) -> tuple[Tensor, ...]:
    b_ih, b_hh = weights.biases or (None, wrap(np.zeros(len(weights.hh), x._array.dtype)))
    outs: tuple[Tensor, ...] = gru_sweep(linear(x, weights.ih, b_ih), weights.hh, b_hh, *states, sizes, reverse)
    return outs


def _elman_layer(relu: bool) -> Layer:
    def layer(x: Tensor, states: list[Tensor], weights: _Weights, sizes: Sizes, reverse: bool) -> tuple[Tensor, ...]:
        inputs = linear(x, weights.ih, _all_biases(weights)), weights.hh, *states
        outs: tuple[Tensor, ...] = elman_sweep(*inputs, relu, sizes, reverse)
        return outs

    return layer


_tanh_layer, _relu_layer = _elman_layer(False), _elman_layer(True)


def _run(
    layer: Layer, x: Tensor, states: list[Tensor], weights: _Weights, sizes: Sizes, reverse: bool = False
) -> tuple[Tensor, ...]:
    """The layer after checks; float16 and bfloat16 in float32, where there is BLAS for it."""
    kind = weights.hh._array.dtype
    for given in (x, *states):
        if given._array.dtype != kind:
            names = f"{type_name(given._array.dtype)} and {type_name(kind)}"
            raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {names}")
    if kind.itemsize > 2:
        return layer(x, states, weights, sizes, reverse)
    wide = np.dtype(np.float32)
    all_weights = [w for w in (weights.ih, weights.hh, *weights.biases, weights.hr) if w is not None]
    widened = _Weights([cast(w, wide) for w in all_weights], bool(weights.biases))
    results = layer(cast(x, wide), [cast(s, wide) for s in states], widened, sizes, reverse)
    return tuple([cast(result, kind) for result in results])


# ---- whole networks --------------------------------------------------------------------------------------------------
def _layers(
    layer: Layer, x: Tensor, sizes: Sizes, hx: Sequence[Tensor], params: Sequence[Tensor], has_biases: bool,
    num_layers: int, dropout: float, train: bool, bidirectional: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    """All layers on a flat sequence: the last one's outputs, and every layer's last states (L · directions, N, ·)."""
    directions = 2 if bidirectional else 1
    each, rest = divmod(len(params), num_layers * directions)
    if rest or each < (4 if has_biases else 2):
        raise RuntimeError(
            f"{num_layers} layers in {directions} direction(s) need as many sets of weights (with biases: "
            f"{has_biases}), got {len(params)} tensors"
        )
    first = [unbind(h) for h in hx]
    last: list[list[Tensor]] = [[] for _ in hx]
    for i in range(num_layers):
        if i and train and dropout:
            x = drop(x, dropout)
        outs = []
        for k in range(i * directions, (i + 1) * directions):
            weights = _Weights(params[k * each : (k + 1) * each], has_biases)
            out, *ends = _run(layer, x, [states[k] for states in first], weights, sizes, k % directions == 1)
            outs.append(out)
            for states, end in zip(last, ends):
                states.append(end)
        x = cat(outs, 1) if bidirectional else outs[0]
    return (x, *[stack(states) for states in last])


def _of_padded(
    layer: Layer, input: Tensor, hx: Any, params: Sequence[Tensor], has_biases: bool, num_layers: int, dropout: float,
    train: bool, bidirectional: bool, batch_first: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    x = input.transpose(0, 1) if batch_first else input
    length, batch, features = x._array.shape
    if not length:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    out, *states = _layers(layer, x.reshape(length * batch, features), (batch,) * length, _listed(hx), params,
                           has_biases, num_layers, dropout, train, bidirectional)  # fmt: skip
    out = out.reshape(length, batch, -1 if batch else out._array.shape[1])
    return (out.transpose(0, 1) if batch_first else out, *states)


def _of_packed(
    layer: Layer, data: Tensor, batch_sizes: Tensor, hx: Any, params: Sequence[Tensor], has_biases: bool,
    num_layers: int, dropout: float, train: bool, bidirectional: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    sizes = tuple(batch_sizes.tolist())
    if sum(sizes) != len(data._array):
        raise RuntimeError(f"batch_sizes add up to {sum(sizes)} rows, and data has {len(data._array)}")
    return _layers(layer, data, sizes, _listed(hx), params, has_biases, num_layers, dropout, train, bidirectional)


def _listed(hx: Any) -> list[Tensor]:
    return [hx] if isinstance(hx, Tensor) else list(hx)


def _is_packed(args: tuple[Any, ...], named: dict[str, Any], place: int) -> bool:
    """Whether the call is PyTorch's other one, with batch_sizes: then a tensor is at `place`."""
    return "batch_sizes" in named or "data" in named or (len(args) > place and isinstance(args[place], Tensor))


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs, last hidden states and last cells of a network of LSTM layers.

    `lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)` for an input
    (L, N, k), or `lstm(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)` for a
    packed one; hx is (h0, c0), each (layers · directions, N, ·). Errors: RuntimeError for an empty sequence, for types
    that differ, for a single state. Source: PyTorch's `torch.lstm`.
    """
    out, h, c = (_of_packed if _is_packed(args, kwargs, 1) else _of_padded)(_lstm_layer, *args, **kwargs)
    return out, h, c


def _with_one_state(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Tensor]:
    out, h = (_of_packed if _is_packed(args, kwargs, 2) else _of_padded)(layer, *args, **kwargs)
    return out, h


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Outputs and last states of a network of GRU layers. Called as `lstm`, with one tensor as hx.

    Source: PyTorch's `torch.gru`.
    """
    return _with_one_state(_gru_layer, args, kwargs)


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Outputs and last states of a network of layers h ← tanh(W x + U h + b). Called as `lstm`, with one tensor as hx.

    Source: PyTorch's `torch.rnn_tanh`.
    """
    return _with_one_state(_tanh_layer, args, kwargs)


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """`rnn_tanh` with relu for tanh. Source: PyTorch's `torch.rnn_relu`."""
    return _with_one_state(_relu_layer, args, kwargs)


# ---- single steps ----------------------------------------------------------------------------------------------------
def _cell(
    layer: Layer, input: Tensor, states: list[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None,
    b_hh: Tensor | None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The states after one step."""
    size, expected = input._array.shape[1], w_ih._array.shape[1]
    if size != expected:
        raise RuntimeError(f"input has inconsistent input_size: got {size} expected {expected}")
    for i, state in enumerate(states):
        if len(state._array) != len(input._array):
            raise RuntimeError(
                f"Input batch size {len(input._array)} doesn't match hidden{i} batch size {len(state._array)}"
            )
        if state._array.shape[1] != w_hh._array.shape[1]:
            raise RuntimeError(
                f"hidden{i} has inconsistent hidden_size: got {state._array.shape[1]}, expected {w_hh._array.shape[1]}"
            )
    biases = [] if b_ih is None or b_hh is None else [b_ih, b_hh]
    return _run(layer, input, states, _Weights([w_ih, w_hh, *biases], bool(biases)), (len(input._array),))[1:]


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One step of an LSTM: (h, c) → c′ = σ(f) c + σ(i) tanh(g) and h′ = σ(o) tanh(c′).

    i, f, g, o are the quarters of w_ih x + b_ih + w_hh h + b_hh. Shape: input (N, k), h and c (N, H), w_ih (4H, k),
    w_hh (4H, H), biases (4H). Errors: RuntimeError for sizes or types that do not fit. Source: PyTorch's
    `torch.lstm_cell`.
    """
    h, c = _cell(_lstm_layer, input, list(hx), w_ih, w_hh, b_ih, b_hh)
    return h, c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a GRU: h′ = (1 - z) n + z h, where n = tanh(xₙ + r hₙ), r = σ(xᵣ + hᵣ), z = σ(x_z + h_z).

    xᵣ, x_z, xₙ are the thirds of w_ih x + b_ih, and hᵣ, h_z, hₙ those of w_hh h + b_hh. Shape: as `lstm_cell`, with
    3H for 4H. Source: PyTorch's `torch.gru_cell`.
    """
    return _cell(_gru_layer, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """tanh(w_ih x + b_ih + w_hh h + b_hh). Source: PyTorch's `torch.rnn_tanh_cell`."""
    return _cell(_tanh_layer, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """max(0, w_ih x + b_ih + w_hh h + b_hh). Source: PyTorch's `torch.rnn_relu_cell`."""
    return _cell(_relu_layer, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]
