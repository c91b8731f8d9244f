"""Sequences of different lengths: padded to one tensor, or packed step by step without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..creation import as_tensor, full
from ..dtype import int64
from ..ops.join import cat
from ..ops.sorting import sort
from ..tensor import Tensor, wrap

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip

Self = TypeVar("Self", bound="PackedSequence")


class _Parts(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Parts):
    """Sequences of different lengths, longest first: all first elements, all second ones, and so on.

    `data` (sum of lengths, *); `batch_sizes` says how many sequences have a first, a second … element;
    `sorted_indices` is the order of the sequences as they were given, None where that was sorted already, and
    `unsorted_indices` its inverse. Made by `pack_padded_sequence` and `pack_sequence`. PyTorch's
    `nn.utils.rnn.PackedSequence`.
    """

    __slots__ = ()

    def __new__(
        cls: type[Self], data: Any, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:  # fmt: skip
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """The same with `data` converted; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Itself: memory is the processor's."""
        return self.to(self.data.cpu())

    def pin_memory(self: Self) -> Self:
        """A copy."""
        return type(self)(*[None if x is None else x.pin_memory() for x in self])

    def is_pinned(self) -> bool:
        """Whether `data` is pinned."""
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        """False."""
        return bool(self.data.is_cuda)

    def _as(self: Self, kind: str) -> Self:
        data = getattr(self.data, kind)()
        return self if data is self.data else type(self)(data, *self[1:])

    def double(self: Self) -> Self:
        """With data in float64."""
        return self._as("double")

    def float(self: Self) -> Self:
        """With data in float32."""
        return self._as("float")

    def half(self: Self) -> Self:
        """With data in float16."""
        return self._as("half")

    def long(self: Self) -> Self:
        """With data in int64."""
        return self._as("long")

    def int(self: Self) -> Self:
        """With data in int32."""
        return self._as("int")

    def short(self: Self) -> Self:
        """With data in int16."""
        return self._as("short")

    def char(self: Self) -> Self:
        """With data in int8."""
        return self._as("char")

    def byte(self: Self) -> Self:
        """With data in uint8."""
        return self._as("byte")


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The order that undoes an order. PyTorch's `nn.utils.rnn.invert_permutation`."""
    return None if permutation is None else wrap(np.argsort(permutation.numpy()))


def _places(sizes: Any) -> tuple[Any, Any]:
    """The step and the sequence of each row of packed data, as arrays."""
    step = np.repeat(np.arange(len(sizes)), sizes)
    return step, np.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _checked_lengths(lengths: Any, batch: int, length: int, enforce_sorted: bool) -> Tensor:
    lengths = as_tensor(lengths, dtype=int64)
    if lengths.dim() != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D cpu Long tensor"
        )
    array = lengths.numpy()
    if len(array) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(array)} (batch_size={batch})"
        )
    if not len(array):
        raise RuntimeError("Cannot pack empty tensors.")
    if array.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0, "
            f"lengths={array.tolist()}"
        )
    if enforce_sorted and np.any(array[1:] > array[:-1]):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement, got "
            f"{array.tolist()}"
        )
    if array.max() > length:
        raise RuntimeError(f"a sequence is longer than the input, which has {length} steps: lengths={array.tolist()}")
    return lengths


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of a padded batch, packed.

    Shape: input (L, N, *), with `batch_first` (N, L, *); `lengths` (N), a list or a tensor, longest first unless
    `enforce_sorted` is False. Errors: RuntimeError for lengths that do not fit. PyTorch's
    `nn.utils.rnn.pack_padded_sequence`.

    >>> packed = pack_padded_sequence(mini_torch.tensor([[1, 4], [2, 5], [3, 0]]), [3, 2])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """
    if input.dim() < 2:
        raise IndexError(f"the input of pack_padded_sequence is (L, N, *), got {list(input.shape)}")
    x = input.transpose(0, 1) if batch_first else input
    lengths, order = _checked_lengths(lengths, x.shape[1], x.shape[0], enforce_sorted), None
    if not enforce_sorted:
        lengths, order = sort(lengths, descending=True)
    array = lengths.numpy()
    sizes = np.add.reduce(array > np.arange(array[0])[:, None], axis=1, dtype=np.int64)
    step, sequence = _places(sizes)
    column = sequence if order is None else order.numpy()[sequence]
    return PackedSequence(x[wrap(step), wrap(column)], wrap(sizes), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch, (L, N, *) or with `batch_first` (N, L, *), and the lengths. Undoes `pack_padded_sequence`.

    L is the longest length, or `total_length`. Errors: ValueError where that is too short. PyTorch's
    `nn.utils.rnn.pad_packed_sequence`.
    """
    data, batch_sizes, _, back = sequence
    sizes = batch_sizes.numpy()
    length = len(sizes) if total_length is None else total_length
    if length < len(sizes):
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {len(sizes)}"
        )
    batch = int(sizes[0])
    step, row = _places(sizes)
    lengths = np.bincount(row, minlength=batch)
    if back is not None:
        order = np.argsort(back.numpy())
        row, lengths = order[row], lengths[back.numpy()]
    blank = full((length, batch, *data.shape[1:]), padding_value, dtype=data.dtype)
    out = blank.index_put((wrap(step), wrap(row)), data)
    if batch_first:
        out = out.transpose(0, 1) if back is None else out.transpose(0, 1).contiguous()
    return out, wrap(lengths.astype(np.int64, copy=False))


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (Lᵢ, *) as one tensor (L, N, *), with `batch_first` (N, L, *); L is the longest length.

    Shorter ones are padded on the right or, by `padding_side`, on the left. Errors: RuntimeError for no sequences and
    for sizes that do not fit. PyTorch's `nn.utils.rnn.pad_sequence`.

    >>> pad_sequence([mini_torch.ones(3), mini_torch.ones(1)], batch_first=True, padding_value=9)
    tensor([[1., 1., 1.],
            [1., 9., 9.]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    given = list(sequences)
    if not given:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    first = given[0]
    for x in given:
        if x.shape[1:] != first.shape[1:]:
            raise RuntimeError(
                f"pad_sequence: sequences must agree in all sizes but the first, got {list(first.shape)} and "
                f"{list(x.shape)}"
            )
    longest = max(len(x) for x in given)
    step = np.concatenate([np.arange(len(x)) + (longest - len(x)) * (padding_side == "left") for x in given])
    row = np.repeat(np.arange(len(given)), [len(x) for x in given])
    shape = (len(given), longest) if batch_first else (longest, len(given))
    place = (row, step) if batch_first else (step, row)
    blank = full((*shape, *first.shape[1:]), padding_value, dtype=first.dtype)
    return blank.index_put((wrap(place[0]), wrap(place[1])), cat(given).to(first.dtype))


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each of its own length. PyTorch's `nn.utils.rnn.unpad_sequence`."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = lengths.tolist()
    if len(counts) != len(x):
        raise ValueError(f"expected as many lengths as sequences, got {len(counts)} and {len(x)}")
    return [sequence[:n] for sequence, n in zip(x, counts)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (Lᵢ, *), packed; longest first unless `enforce_sorted` is False. PyTorch's
    `nn.utils.rnn.pack_sequence`.

    >>> pack_sequence([mini_torch.tensor([1, 2, 3]), mini_torch.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """
    return pack_padded_sequence(pad_sequence(sequences), [len(x) for x in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed. PyTorch's `nn.utils.rnn.unpack_sequence`."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
