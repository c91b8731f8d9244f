"""In which order a loader takes the items: samplers give numbers of items, `BatchSampler` lists of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from ..creation import as_tensor
from ..dtype import float64
from ..process_group import get_rank, get_world_size
from ..random import Generator, default_generator, multinomial, randperm

__all__ = [
    "BatchSampler", "DistributedSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler",
    "WeightedRandomSampler",
]  # fmt: skip

Array = np.ndarray[Any, Any]
T_co = TypeVar("T_co", covariant=True)

_TOGETHER = 32  # numbers drawn at once with replacement


class Sampler(Generic[T_co]):
    """An order of items: a subclass defines `__iter__()`, and `__len__()` if it is to have one.

    Source: PyTorch's `utils.data.Sampler`.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, 2 … Source: PyTorch's `utils.data.SequentialSampler`."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)

    def arrays(self) -> Iterator[Array]:
        """The numbers as arrays, for `cut`."""
        yield np.arange(len(self.data_source))


class RandomSampler(Sampler[int]):
    """The items in random order, or `num_samples` of them; with `replacement` each drawn from all.

    Without a generator each pass draws a seed from the default one for a stream of its own. Errors: ValueError unless
    num_samples ≥ 1. Source: PyTorch's `utils.data.RandomSampler`.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        self._own = Generator()
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many numbers one pass gives; by default as many as there are items now."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        for numbers in self.arrays():
            yield from numbers.tolist()

    def __len__(self) -> int:
        return self.num_samples

    def arrays(self) -> Iterator[Array]:
        """The numbers as arrays, each drawn when it is asked for, as PyTorch draws them."""
        if self.generator is not None:
            yield from self._drawn(self.generator)
        else:  # at once, since another pass over this sampler starts its own stream anew
            self._own.manual_seed(default_generator.random_int64())
            yield from list(self._drawn(self._own))

    def _drawn(self, generator: Generator) -> Iterator[Array]:
        n, count = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, count, _TOGETHER):
                yield generator.integers(min(_TOGETHER, count - start), 0, n)
            return
        for _ in range(count // n):
            yield generator.permutation(n)
        # A part of one more pass, even where that part is empty: a generator shared with others has then moved on
        # exactly as PyTorch's.
        yield generator.permutation(n)[: count % n]


class SubsetRandomSampler(Sampler[int]):
    """The given numbers in random order. Source: PyTorch's `utils.data.SubsetRandomSampler`."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` numbers, each with a probability proportional to its weight.

    Errors: ValueError unless num_samples ≥ 1 and the weights are one-dimensional. Source: PyTorch's
    `utils.data.WeightedRandomSampler`.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` numbers from another sampler; a shorter last one is left out with `drop_last`.

    Errors: ValueError unless batch_size ≥ 1. Source: PyTorch's `utils.data.BatchSampler`.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class DistributedSampler(Sampler[int]):
    """The part of the items that process `rank` of `num_replicas` takes: every `num_replicas`-th of a common order.

    So that all take as many, the first items come twice at the end, or with `drop_last` the last ones are left out. The
    order is drawn from `seed` and the epoch: call `set_epoch` before each one, or all are alike. Errors: ValueError
    unless 0 ≤ rank < num_replicas, and where both are to come from a process group that has not begun. Source:
    PyTorch's `utils.data.DistributedSampler`.

    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.num_replicas = get_world_size() if num_replicas is None else num_replicas
        self.rank = get_rank() if rank is None else rank
        if not 0 <= self.rank < self.num_replicas:
            raise ValueError(
                f"Invalid rank {self.rank}, rank should be in the interval [0, {self.num_replicas - 1}]"
            )
        self.dataset, self.shuffle, self.seed, self.drop_last, self.epoch = dataset, shuffle, seed, drop_last, 0
        left = len(dataset) - (len(dataset) % self.num_replicas if drop_last else 0)
        self.num_samples = math.ceil(left / self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        order = np.arange(count)
        if self.shuffle:
            order = Generator().manual_seed(self.seed + self.epoch).permutation(count)
        return iter(np.resize(order, self.total_size)[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next: each has its own order."""
        self.epoch = epoch


def cut(arrays: Iterator[Array], size: int, drop_last: bool) -> Iterator[Array]:
    """Cuts a row of arrays into arrays of `size`; asks for the next one only when it is needed."""
    rest = next(arrays)
    while True:
        while len(rest) < size and (more := next(arrays, None)) is not None:
            rest = np.concatenate([rest, more])
        if not len(rest) or (drop_last and len(rest) < size):
            return
        yield rest[:size]
        rest = rest[size:]
