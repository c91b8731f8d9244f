"""Recurrent layers, and their single steps as cells. What they compute is in `ops/recurrent`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..creation import empty, zeros
from ..initializer import uniform_
from ..network import Module, Parameter
from ..network.sequences import PackedSequence
from ..ops.recurrent import gru, gru_cell, lstm, lstm_cell, rnn_relu, rnn_relu_cell, rnn_tanh, rnn_tanh_cell
from ..tensor import Tensor

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
_FUNCTIONS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "RNN_TANH": rnn_tanh, "RNN_RELU": rnn_relu, "GRU": gru, "LSTM": lstm
}  # fmt: skip

States = tuple[Tensor, ...]
Sequence = Any  # a tensor or a PackedSequence


def _check_type(name: str, value: Any, wanted: type) -> None:
    if not isinstance(value, wanted):
        raise TypeError(f"{name} should be of type {wanted.__name__}, got: {type(value).__name__}")


def _check_positive(name: str, value: int) -> None:
    if value <= 0:
        raise ValueError(f"{name} must be greater than zero")


def _only_of_lstm(proj_size: int | None) -> None:
    if proj_size is not None:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` share: the weights, and the way of sequences and states.

    Per layer and direction there are weight_ih_l0 (gates · hidden, inputs), weight_hh_l0, with `bias` bias_ih_l0 and
    bias_hh_l0, with projections weight_hr_l0; l1 … are the layers above, and "_reverse" is the way back. All start
    uniform in ±1/√hidden_size. Errors: ValueError and TypeError for numbers that make no network. PyTorch's
    `nn.RNNBase`.
    """

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check(dropout)
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: self._directions]:
                shapes = self._shapes(input_size if layer == 0 else self._state_size * self._directions)
                self._all_weights.append([f"{name}_l{layer}{suffix}" for name in shapes])
                for name, shape in zip(self._all_weights[-1], shapes.values()):
                    self.register_parameter(name, Parameter(empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def _check(self, dropout: Any) -> None:
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed, "
                f"got {dropout}"
            )
        if dropout and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )
        _check_type("bias", self.bias, bool)
        _check_type("batch_first", self.batch_first, bool)
        for name in ("input_size", "hidden_size"):
            _check_type(name, getattr(self, name), int)
            _check_positive(name, getattr(self, name))
        _check_positive("num_layers", self.num_layers)
        if self.proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {self.mode}")

    def _shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """The weights of a layer in one direction."""
        gates = _GATES[self.mode] * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, self._state_size)}
        if self.bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _state_size(self) -> int:
        return self.proj_size or self.hidden_size

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing: what it is for in PyTorch is another device's memory."""

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            uniform_(weight, -bound, bound)

    # ---- checks of a call -------------------------------------------------------------------------------------------
    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Errors: ValueError for another type than the weights', RuntimeError for sizes that do not fit."""
        kind = self._flat_weights[0].dtype
        if input.dtype != kind:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({kind}). Convert input: "
                f"input.to({kind}), or convert model: model.to({input.dtype})"
            )
        dims = 3 if batch_sizes is None else 2
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers · directions, batch, size of a state)."""
        batch = input.size(0 if self.batch_first else 1) if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * self._directions, batch, self._state_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Errors: RuntimeError with both sizes where they differ."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """The input and all states. Errors: see `check_input` and `check_hidden_size`."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states with their sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ---- a call -----------------------------------------------------------------------------------------------------
    # One state or a tuple: that of LSTM differs, see there.
    def _zero_states(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def _with_batch(self, hx: Any, batched: bool) -> Any:
        """The states that came with a batch (3-D) or without (2-D), as 3-D."""
        dims, kind = (3, "batched 3-D") if batched else (2, "unbatched 2-D")
        if hx.dim() != dims:
            raise RuntimeError(f"For {kind} input, hx should also be {dims}-D but got {hx.dim()}-D tensor")
        return hx if batched else hx.unsqueeze(1)

    def _without_batch(self, hx: Any) -> Any:
        return hx.squeeze(1)

    def _apply_to(self, *inputs: Any, **named: Any) -> tuple[Tensor, Any]:
        out, hidden = _FUNCTIONS[self.mode](
            *inputs, self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional,
            **named,
        )  # fmt: skip
        return out, hidden

    def forward(self, input: Sequence, hx: Any = None) -> tuple[Sequence, Any]:
        if isinstance(input, PackedSequence):
            return self._of_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched, batch_dim = input.dim() == 3, 0 if self.batch_first else 1
        x = input if batched else input.unsqueeze(batch_dim)
        hx = self._zero_states(x, None) if hx is None else self._with_batch(hx, batched)
        self.check_forward_args(x, hx, None)
        out, hidden = self._apply_to(x, hx, batch_first=self.batch_first)
        return (out, hidden) if batched else (out.squeeze(batch_dim), self._without_batch(hidden))

    def _of_packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        x, sizes, order, back = input
        hx = self._zero_states(x, sizes) if hx is None else self.permute_hidden(hx, order)
        self.check_forward_args(x, hx, sizes)
        out, hidden = self._apply_to(x, sizes, hx)
        return PackedSequence(out, sizes, order, back), self.permute_hidden(hidden, back)

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
                 "bidirectional": False}  # fmt: skip
        parts += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)


class RNN(RNNBase):
    """Elman's network: h ← tanh(W x + b + U h + b′) at every step, or relu for tanh (`nonlinearity`).

    Shape: input (L, N, input_size), with `batch_first` (N, L, ·), without a batch (L, ·), or a `PackedSequence`; hx
    (num_layers · directions, N, hidden_size), zeros by default → all states of the last layer (L, N, directions ·
    hidden_size) and the last states of all layers, like hx. `dropout` acts between layers, in training. Source: Elman
    1990, "Finding structure in time"; PyTorch's `nn.RNN`.

    >>> out, h = RNN(3, 4, num_layers=2)(mini_torch.ones(5, 2, 3))
    >>> out.shape, h.shape
    (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
        dtype: Any = None, *, proj_size: int | None = None,
    ) -> None:  # fmt: skip
        _only_of_lstm(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, device=device, dtype=dtype)  # fmt: skip
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """Gated recurrent units: h ← (1 - z) n + z h at every step, see `ops.recurrent.gru_cell`. Used as `RNN`.

    Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"; PyTorch's `nn.GRU`.

    >>> out, h = GRU(3, 4, bidirectional=True)(mini_torch.ones(5, 2, 3))
    >>> out.shape, h.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None, *,
        proj_size: int | None = None,
    ) -> None:  # fmt: skip
        _only_of_lstm(proj_size)
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         device=device, dtype=dtype)  # fmt: skip


class LSTM(RNNBase):
    """Long short-term memory: a cell c and a state h per sequence, see `ops.recurrent.lstm_cell`. Used as `RNN`.

    The states are a pair (h, c). With `proj_size` h is W h of that size, everywhere but inside the cell (Sak, Senior,
    Beaufays 2014). Source: Hochreiter and Schmidhuber 1997, "Long short-term memory"; PyTorch's `nn.LSTM`.

    >>> out, (h, c) = LSTM(3, 4, batch_first=True, proj_size=2)(mini_torch.ones(2, 5, 3))
    >>> out.shape, h.shape, c.shape
    (torch.Size([2, 5, 2]), torch.Size([1, 2, 2]), torch.Size([1, 2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         proj_size, device, dtype)  # fmt: skip

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers · directions, batch, hidden_size)."""
        return (*self.get_expected_hidden_size(input, batch_sizes)[:2], self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        for i in range(2):
            self.check_hidden_size(hidden[i], expected[i], f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        if permutation is None:
            return hx
        return hx[0].index_select(1, permutation), hx[1].index_select(1, permutation)

    def _zero_states(self, input: Tensor, batch_sizes: Tensor | None) -> States:
        return (
            zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype),
            zeros(self.get_expected_cell_size(input, batch_sizes), dtype=input.dtype),
        )

    def _with_batch(self, hx: Any, batched: bool) -> States:
        dims, kind = (3, "batched 3-D") if batched else (2, "unbatched 2-D")
        h, c = hx[0], hx[1]
        if h.dim() != dims or c.dim() != dims:
            raise RuntimeError(
                f"For {kind} input, hx and cx should also be {dims}-D but got ({h.dim()}-D, {c.dim()}-D) tensors"
            )
        return (h, c) if batched else (h.unsqueeze(1), c.unsqueeze(1))

    def _without_batch(self, hx: Any) -> States:
        return hx[0].squeeze(1), hx[1].squeeze(1)

    def _apply_to(self, *inputs: Any, **named: Any) -> tuple[Tensor, States]:
        out, h, c = lstm(
            *inputs, self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional,
            **named,
        )  # fmt: skip
        return out, (h, c)


# ---- cells -----------------------------------------------------------------------------------------------------------
class RNNCellBase(Module):
    """What the cells share: weight_ih (gates · hidden, inputs), weight_hh, bias_ih, bias_hh. PyTorch's
    `nn.RNNCellBase`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias

        def blank(*shape: int) -> Parameter:
            return Parameter(empty(shape, device=device, dtype=dtype))

        gates = num_chunks * hidden_size
        self.weight_ih = blank(gates, input_size)
        self.weight_hh = blank(gates, hidden_size)
        self.register_parameter("bias_ih", blank(gates) if bias else None)
        self.register_parameter("bias_hh", blank(gates) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            uniform_(weight, -bound, bound)

    def _check_dims(self, what: str, x: Tensor) -> None:
        if x.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__}: Expected {what} to be 1D or 2D, got {x.dim()}D instead")

    def _step(self, function: Callable[..., Any], input: Tensor, hx: Tensor | None) -> Tensor:
        """One step of a cell with a single state."""
        self._check_dims("input", input)
        if hx is not None:
            self._check_dims("hidden", hx)
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            hx = zeros(x.size(0), self.hidden_size, dtype=x.dtype)
        elif not batched:
            hx = hx.unsqueeze(0)
        out = function(x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return out if batched else out.squeeze(0)

    def extra_repr(self) -> str:
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return (
            f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")
            + ("" if nonlinearity == "tanh" else f", nonlinearity={nonlinearity}")
        )  # fmt: skip


class RNNCell(RNNCellBase):
    """One step of `RNN`: input (N, input_size), hx (N, hidden_size) → (N, hidden_size), all with or without N.

    Source: PyTorch's `nn.RNNCell`.

    >>> RNNCell(3, 4)(mini_torch.ones(2, 3)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        functions = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}
        if self.nonlinearity not in functions:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(functions[self.nonlinearity], input, hx)


class GRUCell(RNNCellBase):
    """One step of `GRU`. Used as `RNNCell`. Source: PyTorch's `nn.GRUCell`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(gru_cell, input, hx)


class LSTMCell(RNNCellBase):
    """One step of `LSTM`: input (N, input_size), hx a pair (h, c), each (N, hidden_size) → the next pair.

    Source: PyTorch's `nn.LSTMCell`.

    >>> h, c = LSTMCell(3, 4)(mini_torch.ones(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: States | None = None) -> States:
        self._check_dims("input", input)
        for i, state in enumerate(hx or ()):
            self._check_dims(f"hx[{i}]", state)
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if hx is None:
            zero = zeros(x.size(0), self.hidden_size, dtype=x.dtype)
            hx = zero, zero
        elif not batched:
            hx = hx[0].unsqueeze(0), hx[1].unsqueeze(0)
        h, c = lstm_cell(x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))
