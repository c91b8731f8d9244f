"""`DataLoader`: batches from a dataset."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any, Generic

import numpy as np

from ..random.generator import Generator, chosen
from ..tensor import Tensor, wrap
from .collate import default_collate, default_convert
from .dataset import IterableDataset, Subset, T_co, TensorDataset
from .sampler import Array, BatchSampler, RandomSampler, SequentialSampler, cut

__all__ = ["DataLoader", "get_worker_info"]

Rows = Callable[[Array], list[Tensor]]  # the batch of the items with these numbers

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T_co]):
    """Goes over a dataset in batches, with `shuffle` in a new random order each time.

    A batch is what `collate_fn` makes of a list of items. Batches of a `TensorDataset` (or a `Subset` of one) are cut
    out of its tensors at once; they are copies. The order comes from `generator` (or the default generator) as
    PyTorch's does: with the generator's state from before an epoch, that epoch can be repeated. All is done in this
    process, whatever `num_workers` says; `pin_memory`, `timeout` and the options of workers have no effect.

    Errors: ValueError for options that exclude each other, or a batch_size < 1. Source: PyTorch's
    `utils.data.DataLoader`.

    >>> from mini_torch import arange
    >>> for x, y in DataLoader(TensorDataset(arange(4), arange(4.)), batch_size=3):
    ...     print(x, y)
    tensor([0, 1, 2]) tensor([0., 1., 2.])
    tensor([3]) tensor([3.])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        _check_sampling(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = _default_sampler(dataset, shuffle, generator)
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler: Any = sampler
        self.batch_sampler: Any = batch_sampler
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator
        self.num_workers = num_workers
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.timeout = timeout
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.prefetch_factor, self.persistent_workers, self.in_order = prefetch_factor, persistent_workers, in_order

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and name in vars(self):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        n = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else math.ceil(n / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.dataset, IterableDataset):
            self._step_generator()
            return self._from_stream(iter(self.dataset))
        rows = _rows(self.dataset) if self.collate_fn is default_collate and self.batch_sampler is not None else None
        batches = self._from_rows(rows, self._numbers()) if rows else self._from_items(self._numbers())
        self._step_generator()
        return batches

    def _step_generator(self) -> None:
        # PyTorch draws a seed for its workers here, also where it has none.
        chosen(self.generator).random_int64()

    def _numbers(self) -> Iterator[Any]:
        """The numbers of each batch's items, as an array or a list; without batches those of the items."""
        batches = self.batch_sampler
        if type(batches) is BatchSampler and type(batches.sampler) in (SequentialSampler, RandomSampler):
            return cut(batches.sampler.arrays(), batches.batch_size, batches.drop_last)  # type: ignore[union-attr]
        return iter(self.sampler if batches is None else batches)

    def _from_rows(self, rows: Rows, numbers: Iterator[Any]) -> Iterator[Any]:
        for batch in numbers:
            index = np.asarray(batch)
            yield rows(index) if index.dtype.kind in "iu" else self._collated(batch)

    def _from_items(self, numbers: Iterator[Any]) -> Iterator[Any]:
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[i]) for i in numbers)
        return (self._collated(batch) for batch in numbers)

    def _collated(self, batch: Any) -> Any:
        batch = batch.tolist() if isinstance(batch, np.ndarray) else batch
        at_once = getattr(self.dataset, "__getitems__", None)
        return self.collate_fn(at_once(batch) if at_once else [self.dataset[i] for i in batch])

    def _from_stream(self, items: Iterator[Any]) -> Iterator[Any]:
        if self.batch_size is None:
            yield from map(self.collate_fn, items)
            return
        while batch := list(islice(items, self.batch_size)):
            full = len(batch) == self.batch_size
            if full or not self.drop_last:
                yield self.collate_fn(batch)
            if not full:
                return


def _rows(dataset: Any) -> Rows | None:
    """How to cut a batch out of the dataset's arrays at once, if they are all that there is to an item."""
    kind = type(dataset)
    if kind is Subset:
        inner, here = _rows(dataset.dataset), np.asarray(dataset.indices)
        return None if inner is None or here.dtype.kind not in "iu" else lambda index: inner(here[index])
    if not isinstance(dataset, TensorDataset) or any(x.requires_grad for x in dataset.tensors):
        return None
    if kind.__getitem__ is not TensorDataset.__getitem__ or hasattr(dataset, "__getitems__"):
        return None
    tensors = dataset.tensors
    return lambda index: [wrap(x._array.take(index, 0)) for x in tensors]


def _default_sampler(dataset: Any, shuffle: bool | None, generator: Generator | None) -> Iterable[Any]:
    if isinstance(dataset, IterableDataset):
        return repeat(None)  # items have no numbers
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor option could only be specified in multiprocessing (num_workers > 0)")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if context is not None and num_workers == 0:
        raise ValueError("multiprocessing_context can only be used with multi-process loading (num_workers > 0)")


def _check_sampling(
    dataset: Any, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if isinstance(dataset, IterableDataset):
        for name, value in {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}.items():
            if value is not None:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                )
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
        )
    if batch_size is None and drop_last:
        raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")


def get_worker_info() -> None:
    """None: there are no worker processes. Source: PyTorch's `utils.data.get_worker_info`."""
