"""Recurrent layers: against the plain loop of the equations, gradients of every order, packed = padded, errors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mini_torch as torch
from mini_torch.autograd import gradcheck, gradgradcheck
from mini_torch.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

nn = torch.nn
KINDS: list[tuple[type[Any], dict[str, Any]]] = [
    (nn.LSTM, {}), (nn.LSTM, {"proj_size": 2}), (nn.GRU, {}), (nn.RNN, {}), (nn.RNN, {"nonlinearity": "relu"})
]  # fmt: skip
IDS = ["LSTM", "LSTM with projections", "GRU", "RNN tanh", "RNN relu"]
every_kind = pytest.mark.parametrize(("kind", "options"), KINDS, ids=IDS)


def made(kind: Any, **options: Any) -> Any:
    torch.manual_seed(0)
    return kind(2, 3, dtype=torch.float64, **options)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def states_of(layer: Any, batch: int) -> list[torch.Tensor]:
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    states = [draw(count, batch, layer.proj_size or layer.hidden_size)]
    return [*states, draw(count, batch, layer.hidden_size)] if layer.mode == "LSTM" else states


def called(layer: Any, x: Any, states: list[torch.Tensor]) -> list[torch.Tensor]:
    """The output and the last states, as a flat list."""
    out, last = layer(x, tuple(states) if len(states) == 2 else states[0])
    return [out, *(last if isinstance(last, tuple) else (last,))]


# ---- the equations, as in the papers ---------------------------------------------------------------------------------
def sigma(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def step(layer: Any, suffix: str, x: Any, states: list[Any]) -> list[Any]:
    w_ih, w_hh, b_ih, b_hh = (
        getattr(layer, f"{name}_{suffix}").detach().numpy() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h = states[0]
    here, there = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if layer.mode == "LSTM":
        i, f, g, o = np.split(here + there, 4, axis=1)
        c = sigma(f) * states[1] + sigma(i) * np.tanh(g)
        h = sigma(o) * np.tanh(c)
        return [h @ getattr(layer, f"weight_hr_{suffix}").detach().numpy().T if layer.proj_size else h, c]
    if layer.mode == "GRU":
        (xr, xz, xn), (hr, hz, hn) = np.split(here, 3, axis=1), np.split(there, 3, axis=1)
        z = sigma(xz + hz)
        return [(1 - z) * np.tanh(xn + sigma(xr + hr) * hn) + z * h]
    return [np.maximum(here + there, 0) if layer.mode == "RNN_RELU" else np.tanh(here + there)]


def by_the_equations(layer: Any, x: Any, states: list[Any]) -> list[Any]:
    """The output and the last states of all layers and directions."""
    last: list[list[Any]] = [[] for _ in states]
    for i in range(layer.num_layers):
        outs = []
        for way in range(2 if layer.bidirectional else 1):
            now, out = [s[len(last[0])] for s in states], []
            for frame in x[::-1] if way else x:
                now = step(layer, f"l{i}{'_reverse' if way else ''}", frame, now)
                out.append(now[0])
            outs.append(np.stack(out[::-1] if way else out))
            for ends, s in zip(last, now):
                ends.append(s)
        x = np.concatenate(outs, axis=-1)
    return [x, *[np.stack(ends) for ends in last]]


@every_kind
@pytest.mark.parametrize("bidirectional", [False, True])
def test_values(kind: Any, options: dict[str, Any], bidirectional: bool) -> None:
    layer = made(kind, num_layers=2, bidirectional=bidirectional, **options)
    x, states = draw(5, 4, 2), states_of(layer, 4)
    expected = by_the_equations(layer, x.detach().numpy(), [s.detach().numpy() for s in states])
    for ours, theirs in zip(called(layer, x, states), expected, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-12, atol=1e-14)
    with torch.no_grad():  # nothing is kept for backward
        np.testing.assert_allclose(called(layer, x, states)[0].numpy(), expected[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("kind", "expected"), [
    ("LSTM", [-0.043419, -0.002342, -0.004934, -0.134178]),
    ("GRU", [0.169506, 0.140123, 0.076844, -0.663889, -0.114138, -0.447914]),
    ("RNN", [0.198678, -0.041411, -0.808828, -0.875058, 0.205558, -0.600593]),
])  # fmt: skip
def test_pytorchs_numbers(kind: str, expected: list[float]) -> None:
    """Of its stream for the start and for dropout between the layers."""
    torch.manual_seed(7)
    options = {"proj_size": 2} if kind == "LSTM" else {}
    layer = getattr(nn, kind)(2, 3, 2, dropout=0.5, bidirectional=True, batch_first=True, **options)
    x = torch.randn(2, 4, 2)
    torch.manual_seed(1)
    np.testing.assert_allclose(layer(x)[0][0, 0].tolist(), expected, atol=2e-6)
    assert layer.weight_ih_l0[0].tolist() == [0.04032507538795471, -0.3477921187877655]


# ---- gradients -------------------------------------------------------------------------------------------------------
def of_all(layer: Any, packed: bool, count: int) -> tuple[Any, list[torch.Tensor]]:
    """The layer as a function of its input, states and weights; and those."""
    names = [name for name, _ in layer.named_parameters()]
    sizes = torch.tensor([2, 1])

    def function(x: Any, *rest: Any) -> Any:
        for name, weight in zip(names, rest[count:]):
            layer._parameters[name] = weight
        results = called(layer, PackedSequence(x, sizes) if packed else x, list(rest[:count]))
        return tuple(results if not packed else [results[0].data, *results[1:]])

    x = draw(3, 2) if packed else draw(2, 2, 2)
    return function, [x, *states_of(layer, 2), *[p.detach().requires_grad_() for p in layer.parameters()]]


@every_kind
@pytest.mark.parametrize("packed", [False, True])
def test_gradients(kind: Any, options: dict[str, Any], packed: bool) -> None:
    layer = made(kind, bidirectional=True, **options)
    function, inputs = of_all(layer, packed, 2 if kind is nn.LSTM else 1)
    assert gradcheck(function, inputs)


@every_kind
def test_second_gradients(kind: Any, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    projected = bool(options.get("proj_size"))
    layer = kind(1, 1 + projected, dtype=torch.float64, **({"proj_size": 1} if projected else options))
    function, inputs = of_all(layer, True, 2 if kind is nn.LSTM else 1)
    inputs[0] = draw(3, 1)
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_complex_numbers(kind: Any) -> None:
    torch.manual_seed(0)
    layer = kind(1, 1, dtype=torch.complex128)
    function, inputs = of_all(layer, False, 2 if kind is nn.LSTM else 1)
    inputs = [torch.randn(x.shape, dtype=torch.complex128, requires_grad=True) for x in [draw(2, 1, 1), *inputs[1:]]]
    inputs[1:] = [torch.randn(x.shape[0], 1, 1, dtype=x.dtype, requires_grad=True) if x.dim() == 3 else x
                  for x in inputs[1:]]  # fmt: skip
    assert gradcheck(function, inputs)
    assert kind is nn.LSTM or gradgradcheck(function, inputs)


@every_kind
def test_the_recorded_gradient_is_the_swept_one(kind: Any, options: dict[str, Any]) -> None:
    layer = made(kind, num_layers=2, bidirectional=True, **options)
    x = draw(4, 3, 2)
    inputs = [x, *layer.parameters()]
    out = layer(x)[0].square().sum()
    swept = torch.autograd.grad(out, inputs, retain_graph=True)
    again = torch.autograd.grad(out, inputs, retain_graph=True)
    recorded = torch.autograd.grad(out, inputs, create_graph=True)
    for a, b, c in zip(swept, again, recorded):
        assert a.equal(b)
        np.testing.assert_allclose(c.detach().numpy(), a.numpy(), rtol=1e-11, atol=1e-13)


@every_kind
def test_the_output_may_be_changed_in_place(kind: Any, options: dict[str, Any]) -> None:
    layer, x = made(kind, **options), draw(3, 2, 2)
    (expected,) = torch.autograd.grad((2 * layer(x)[0]).sum(), x)
    (found,) = torch.autograd.grad(layer(x)[0].mul_(2).sum(), x)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


def test_another_gradient_array_with_the_old_identity() -> None:
    """What one sweep found is not kept for the next backward, even if the same tensor arrives with new values."""
    layer, x = made(nn.GRU), draw(3, 1, 2)
    out, g = layer(x)[0], torch.ones(3, 1, 3, dtype=torch.float64)
    (first,) = torch.autograd.grad(out, x, g, retain_graph=True)
    (second,) = torch.autograd.grad(out, x, g.mul_(2), retain_graph=True)
    np.testing.assert_allclose(second.numpy(), 2 * first.numpy(), rtol=1e-12)


def test_a_weight_that_also_makes_the_input() -> None:
    """Each input's gradient counts its own part once."""
    cell = made(nn.RNNCell)
    x = draw(2, 2)

    def function(x: Any, w: Any) -> Any:
        return torch.rnn_tanh_cell(x @ w[:2, :2], x @ w[:2], w[:, :2], w)

    assert gradgradcheck(function, (x, cell.weight_hh.detach().requires_grad_()))


# ---- ways of input ---------------------------------------------------------------------------------------------------
@every_kind
def test_without_batch_and_batch_first(kind: Any, options: dict[str, Any]) -> None:
    layer = made(kind, num_layers=2, bidirectional=True, **options)
    first = made(kind, num_layers=2, bidirectional=True, batch_first=True, **options)
    x, states = draw(5, 3, 2), states_of(layer, 3)
    whole = called(layer, x, states)
    turned = called(first, x.transpose(0, 1), states)
    assert turned[0].transpose(0, 1).equal(whole[0])
    assert all(a.equal(b) for a, b in zip(turned[1:], whole[1:]))
    alone = called(layer, x[:, 1], [s[:, 1] for s in states])
    for a, b in zip(alone, whole):
        np.testing.assert_allclose(a.detach().numpy(), b[:, 1].detach().numpy(), rtol=1e-12)


@every_kind
@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_is_every_sequence_alone(kind: Any, options: dict[str, Any], batch_first: bool) -> None:
    layer = made(kind, num_layers=2, bidirectional=True, batch_first=batch_first, **options)
    lengths = [3, 5, 1]
    sequences, states = [draw(n, 2) for n in lengths], states_of(layer, 3)
    packed = pack_padded_sequence(pad_sequence(sequences, batch_first), lengths, batch_first, enforce_sorted=False)
    out, *last = called(layer, packed, states)
    padded, found = pad_packed_sequence(out, batch_first)
    assert found.tolist() == lengths
    assert padded.shape[:2] == ((3, 5) if batch_first else (5, 3))
    for i, (x, whole) in enumerate(zip(sequences, unpack_sequence(out))):
        alone, *ends = called(layer, x, [s[:, i] for s in states])
        np.testing.assert_allclose(whole.detach().numpy(), alone.detach().numpy(), rtol=1e-12)
        for a, b in zip(last, ends):
            np.testing.assert_allclose(a[:, i].detach().numpy(), b.detach().numpy(), rtol=1e-12)
    padded.sum().backward()
    assert all(x.grad is not None and x.grad.abs().min() > 0 for x in sequences) or options.get("nonlinearity")


@pytest.mark.parametrize(("cell", "layer"), [(nn.LSTMCell, nn.LSTM), (nn.GRUCell, nn.GRU), (nn.RNNCell, nn.RNN)])
def test_a_loop_of_cells(cell: Any, layer: Any) -> None:
    cell, layer = made(cell), made(layer)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    x, states = draw(4, 3, 2), None
    outs = []
    for frame in x:
        states = cell(frame, states)
        outs.append(states[0] if isinstance(states, tuple) else states)
    whole, _ = layer(x)
    np.testing.assert_allclose(torch.stack(outs).detach().numpy(), whole.detach().numpy(), rtol=1e-12)
    one = cell(x[0, 0])
    assert (one[0] if isinstance(one, tuple) else one).shape == (3,)
    ours = torch.autograd.grad(torch.stack(outs).sum(), [x, *cell.parameters()])
    theirs = torch.autograd.grad(whole.sum(), [x, *layer.parameters()])
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-13)


def test_half_precision_and_an_empty_batch() -> None:
    layer = nn.LSTM(2, 3, dtype=torch.float16)
    out, (h, c) = layer(torch.ones(4, 2, 2, dtype=torch.float16))
    assert (out.dtype, h.dtype, c.dtype) == (torch.float16,) * 3
    wide = copy.deepcopy(layer).float()(torch.ones(4, 2, 2))[0]
    np.testing.assert_allclose(out.detach().numpy(), wide.detach().numpy(), atol=1e-3)
    assert nn.GRU(2, 3)(torch.ones(4, 0, 2))[0].shape == (4, 0, 3)


# ---- sequences -------------------------------------------------------------------------------------------------------
def test_sequences() -> None:
    parts = [torch.arange(n) + 10 * n for n in (2, 4, 1)]
    packed = pack_sequence(parts, enforce_sorted=False)
    assert packed.data.tolist() == [40, 20, 10, 41, 21, 42, 43]
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2] == invert_permutation(packed.sorted_indices).tolist()
    assert [x.tolist() for x in unpack_sequence(packed)] == [x.tolist() for x in parts]
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-1, total_length=5)
    assert padded.tolist() == [[20, 21, -1, -1, -1], [40, 41, 42, 43, -1], [10, -1, -1, -1, -1]]
    assert [x.tolist() for x in unpad_sequence(padded, lengths, True)] == [x.tolist() for x in parts]
    left = pad_sequence(parts, True, padding_side="left")
    assert left.tolist() == [[0, 0, 20, 21], [40, 41, 42, 43], [0, 0, 0, 10]]
    assert packed.float().data.dtype == torch.float32
    assert packed.to(torch.int64) is packed
    assert pickle.loads(pickle.dumps(packed)).data.equal(packed.data)


def test_gradients_of_sequences() -> None:
    torch.manual_seed(0)
    parts = [draw(n, 2) for n in (2, 3)]

    def function(*parts: Any) -> Any:
        packed = pack_sequence(parts, enforce_sorted=False)
        return packed.data, pad_packed_sequence(packed)[0]

    assert gradcheck(function, parts)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda x: pack_padded_sequence(x, [2, 4]), RuntimeError, "sorted in decreasing order"),
    (lambda x: pack_padded_sequence(x, [4, 0]), RuntimeError, "greater than 0"),
    (lambda x: pack_padded_sequence(x, [4]), RuntimeError, r"batch_size=2"),
    (lambda x: pack_padded_sequence(x, [9, 1]), RuntimeError, "which has 4 steps"),
    (lambda x: pad_packed_sequence(pack_sequence([x]), total_length=1), ValueError, "total_length=1"),
    (lambda x: pad_sequence([]), RuntimeError, "empty list"),
    (lambda x: pad_sequence([x, x[:, :1]]), RuntimeError, r"\[4, 2, 3\] and \[4, 1, 3\]"),
    (lambda x: nn.LSTM(3, 4, proj_size=4), ValueError, "smaller than hidden_size"),
    (lambda x: nn.GRU(3, 4, proj_size=1), ValueError, "only supported for LSTM"),
    (lambda x: nn.RNN(3, 4, nonlinearity="sine"), ValueError, "sine"),
    (lambda x: nn.LSTM(3, 4, 2, dropout=2), ValueError, "got 2"),
    (lambda x: nn.LSTM(3.0, 4), TypeError, "input_size should be of type int, got: float"),
    (lambda x: nn.LSTM(3, 0), ValueError, "hidden_size must be greater than zero"),
    (lambda x: nn.LSTM(4, 4)(x), RuntimeError, "Expected 4, got 3"),
    (lambda x: nn.LSTM(3, 4)(x.double()), ValueError, "does not match weight dtype"),
    (lambda x: nn.LSTM(3, 4)(x[:0]), RuntimeError, "sequence length to be larger than 0"),
    (lambda x: nn.LSTM(3, 4)(x[0, 0]), ValueError, "LSTM: Expected input to be 2D or 3D, got 1D"),
    (lambda x: nn.GRU(3, 4)(x, torch.zeros(2, 4)), RuntimeError, "hx should also be 3-D but got 2-D"),
    (lambda x: nn.GRU(3, 4)(x, torch.zeros(1, 2, 5)), RuntimeError, r"\(1, 2, 4\), got \[1, 2, 5\]"),
    (lambda x: nn.GRU(3, 4)(x, torch.zeros(1, 2, 4).double()), RuntimeError, "Double and Float"),
    (lambda x: nn.LSTMCell(2, 4)(x[0]), RuntimeError, "got 3 expected 2"),
    (lambda x: nn.GRUCell(3, 4)(x[0], torch.zeros(1, 4)), RuntimeError, "doesn't match hidden0 batch size 1"),
    (lambda x: nn.GRUCell(3, 4)(x), ValueError, "GRUCell: Expected input to be 1D or 2D, got 3D"),
])  # fmt: skip
def test_refusals(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call(torch.ones(4, 2, 3))


def test_names_and_words() -> None:
    layer = nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1)
    assert list(layer.state_dict())[:10] == [
        f"{name}_l0{suffix}" for suffix in ("", "_reverse")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    ]  # fmt: skip
    assert [w.shape for w in layer.all_weights[2]] == [(12, 2), (12, 1), (12,), (12,), (1, 3)]
    assert repr(layer) == "LSTM(2, 3, proj_size=1, num_layers=2, bidirectional=True)"
    assert repr(nn.RNNCell(2, 3, bias=False, nonlinearity="relu")) == "RNNCell(2, 3, bias=False, nonlinearity=relu)"
    assert copy.deepcopy(layer)(torch.ones(3, 2))[0].equal(layer(torch.ones(3, 2))[0])
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        nn.GRU(2, 3, dropout=0.5)


def test_batch_sizes_that_do_not_add_up_are_refused() -> None:
    params = [p.detach() for p in nn.LSTM(2, 3).parameters()]
    h = torch.zeros(1, 2, 3)
    with pytest.raises(RuntimeError, match="add up to 4 rows, and data has 3"):
        torch.lstm(torch.ones(3, 2), torch.tensor([2, 2]), (h, h), params, True, 1, 0.0, False, False)
