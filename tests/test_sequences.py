"""Sequences of different lengths, padded and packed: in PyTorch, where it is installed, as here."""

from __future__ import annotations

import copy
import importlib
import pickle
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def rnn(torch: ModuleType) -> ModuleType:
    return importlib.import_module(f"{torch.__name__}.nn.utils.rnn")


def three(torch: ModuleType) -> list[Any]:
    """Of lengths 3, 5 and 1."""
    return [torch.arange(3.0), torch.arange(5.0) + 10, torch.arange(1.0) + 20]


def test_padding(torch: ModuleType, rnn: ModuleType) -> None:
    parts = three(torch)
    right = [[0, 1, 2, 9, 9], [10, 11, 12, 13, 14], [20, 9, 9, 9, 9]]
    left = [[9, 9, 0, 1, 2], [10, 11, 12, 13, 14], [9, 9, 9, 9, 20]]
    assert rnn.pad_sequence(parts, True, 9).tolist() == right
    assert rnn.pad_sequence(parts, padding_value=9.0).T.tolist() == right
    assert rnn.pad_sequence(parts, True, 9, padding_side="left").tolist() == left
    whole = rnn.pad_sequence([torch.ones(2, 3), torch.ones(1, 3)])
    assert (whole.shape, whole[1, 1].tolist()) == ((2, 2, 3), [0, 0, 0])
    back = rnn.unpad_sequence(rnn.pad_sequence(parts), torch.tensor([3, 5, 1]))
    assert [x.tolist() for x in back] == [x.tolist() for x in parts]
    x = torch.ones(2, requires_grad=True)
    rnn.pad_sequence([x, torch.ones(3)]).sum().backward()
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [(lambda t, r: r.pad_sequence([]), RuntimeError, "received an empty list of sequences"),
     (lambda t, r: r.pad_sequence(3), RuntimeError, "Expected iterable for input sequences, but got arg of type"),
     (lambda t, r: r.pad_sequence([t.ones(2, 3), t.ones(2, 4)]), RuntimeError, "must"),
     (lambda t, r: r.pad_sequence([t.ones(1)], padding_side="up"), RuntimeError, "one of left or right, but got up"),
     (lambda t, r: r.pack_sequence([t.ones(1), t.ones(2)]), RuntimeError, "must be sorted in decreasing order"),
     (lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [4, 2]), RuntimeError, "equal to batch_size"),
     (lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [4, 2, -1]), RuntimeError, "greater than 0"),
     (lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [[4, 2, 1]]), RuntimeError, "should be a 1D CPU int64 tensor"),
     (lambda t, r: r.pack_padded_sequence(t.ones(4, 0, 2), []), RuntimeError, "Cannot pack empty tensors"),
     (lambda t, r: r.pack_padded_sequence(t.ones(3), [3]), IndexError, None),
     (lambda t, r: r.unpad_sequence(t.ones(2, 3), t.tensor([3, 1, 1]), True), ValueError, None),
     (lambda t, r: r.pad_packed_sequence(r.pack_sequence([t.ones(3)]), total_length=2), ValueError,
      "Expected total_length to be at least the length of the longest sequence"),
     (lambda t, r: r.PackedSequence((1, 2, 3)), AssertionError, None)],
)  # fmt: skip
def test_what_does_not_fit(torch: ModuleType, rnn: ModuleType, call: Any, error: Any, message: str | None) -> None:
    with pytest.raises(error, match=message):
        call(torch, rnn)


def test_a_sequence_longer_than_the_input() -> None:
    """PyTorch reads behind the end of the memory."""
    torch = importlib.import_module("mini_torch")
    with pytest.raises(RuntimeError, match="a sequence is longer than the input, which has 4 steps"):
        torch.nn.utils.rnn.pack_padded_sequence(torch.ones(4, 3), [5, 2, 1])


def test_packing(torch: ModuleType, rnn: ModuleType) -> None:
    packed = rnn.pack_sequence(three(torch), enforce_sorted=False)
    assert packed.data.tolist() == [10, 0, 20, 11, 1, 12, 2, 13, 14]
    assert packed.batch_sizes.tolist() == [3, 2, 2, 1, 1]
    assert (packed.sorted_indices.tolist(), packed.unsorted_indices.tolist()) == ([1, 0, 2], [1, 0, 2])
    padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True, padding_value=-1.0, total_length=6)
    assert padded.tolist() == [[0, 1, 2, -1, -1, -1], [10, 11, 12, 13, 14, -1], [20, -1, -1, -1, -1, -1]]
    assert (lengths.tolist(), lengths.dtype) == ([3, 5, 1], torch.int64)
    assert [x.tolist() for x in rnn.unpack_sequence(packed)] == [x.tolist() for x in three(torch)]
    in_order = rnn.pack_sequence([torch.ones(2), torch.zeros(1)])
    assert in_order.sorted_indices is None
    assert in_order.unsorted_indices is None
    assert rnn.invert_permutation(torch.tensor([2, 0, 1])).tolist() == [1, 2, 0]


def test_packed_sequences_in_other_types(torch: ModuleType, rnn: ModuleType) -> None:
    packed = rnn.pack_sequence([torch.ones(2), torch.zeros(1)])
    for name in ("double", "half", "long", "int", "short", "char", "byte"):
        assert getattr(packed, name)().data.dtype == getattr(torch.ones(1), name)().dtype
    assert packed.float() is packed
    assert packed.cpu() is packed
    assert packed.to(torch.float32) is packed
    assert packed.to(torch.float64).data.dtype == torch.float64
    assert not packed.is_cuda
    assert not packed.is_pinned()
    for other in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert type(other) is rnn.PackedSequence
        assert other.data.tolist() == packed.data.tolist()
    made = rnn.PackedSequence(torch.ones(2), torch.tensor([2]), torch.tensor([1, 0]))
    assert made.unsorted_indices.tolist() == [1, 0]
    assert rnn.PackedSequence((torch.ones(2), torch.tensor([2]))).batch_sizes.tolist() == [2]
