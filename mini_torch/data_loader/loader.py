"""`DataLoader`: batches from a dataset."""

from __future__ import annotations

import copy
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import Any, Generic

from ..random import Generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset, T_co
from .fetch import Source
from .iteration import Iteration
from .progress import Progress, generators_of, rewound
from .sampler import BatchSampler, RandomSampler, SequentialSampler, cut

__all__ = ["DataLoader"]

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T_co]):
    """Goes over a dataset in batches, with `shuffle` in a new random order each time.

    A batch is what `collate_fn` makes of a list of items. Batches of a `TensorDataset` (or a `Subset` of one) are cut
    out of its tensors at once; they are copies. The order comes from `generator` (or the default generator) as
    PyTorch's does: with the generator's state from before an epoch, that epoch can be repeated. `state_dict` saves the
    middle of an epoch, `load_state_dict` goes on from there.

    With `num_workers` as many processes make the batches ahead, `prefetch_factor` each, and seeded as PyTorch seeds
    them; `collate_fn` runs there. The batches come in order unless `in_order=False`. Each worker goes over its own copy
    of an `IterableDataset`, which can take its part by `get_worker_info`. The workers end with the pass, whether it
    ends by its end, a `break` or an exception, or with the loader where they are `persistent_workers`. `pin_memory`
    changes nothing.

    Errors: ValueError for options that exclude each other, or a batch_size < 1. An exception in a worker comes out
    here, as the same type, with the worker's traceback and the item's number in its text; a worker that is killed is a
    RuntimeError, and so is a batch that takes longer than `timeout` seconds. Source: PyTorch's `utils.data.DataLoader`.

    >>> dataset = mini_torch.utils.data.TensorDataset(mini_torch.arange(4), mini_torch.arange(4.0))
    >>> for x, y in DataLoader(dataset, batch_size=3):
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
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
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
        self.prefetch_factor: Any = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self._iterator: Any = None  # of persistent workers
        self._progress: Progress | None = None  # of the last pass
        self._saved: Any = None  # the state to go on from
        self._promised: int | None = None  # how many items an iterable dataset was said to have
        if num_workers:
            _warn_of_many_workers(num_workers)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and name in vars(self):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_iterator": None, "_progress": None}  # a copy begins anew, with workers of its own

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started: None for Python's default way."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        self._context = _context(context, self.num_workers)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        n = self._promised = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else math.ceil(n / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        _warn_of_pinned_memory(self)
        if self._saved is not None:
            return self._go_on()
        if self._iterator is not None and self._iterator.is_alive:
            self._iterator.restart(self)
            return self._iterator
        return self._begin()

    def _begin(self, saved: Progress | None = None) -> Iterator[Any]:
        if not self.num_workers:
            if self.timeout:
                raise AssertionError(f"timeout={self.timeout} is for workers; with num_workers=0 it must be 0")
            return Iteration(self, saved)
        if not self.prefetch_factor:
            raise AssertionError("prefetch_factor must be greater than 0 where there are workers, but got 0")
        from .workers import WorkersIteration  # processes are loaded by programs that have them

        _warn_of_many_workers(self.num_workers)
        iteration = WorkersIteration(self, saved)
        self._iterator = iteration if self.persistent_workers else None
        return iteration

    def _source(self) -> Source:
        return Source(self.dataset, self.collate_fn, self.batch_sampler is not None, self.batch_size, self.drop_last)

    def _numbers(self) -> Iterator[Any]:
        """The numbers of each batch's items, as an array or a list; without batches those of the items."""
        batches = self.batch_sampler
        if type(batches) is BatchSampler and type(batches.sampler) in (SequentialSampler, RandomSampler):
            return cut(batches.sampler.arrays(), batches.batch_size, batches.drop_last)  # type: ignore[union-attr]
        return iter(self.sampler if batches is None else batches)

    # ---- save and resume ---------------------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """How far the last pass over this loader has come, as plain data: for a checkpoint, in the middle of an epoch.

        It holds no items; with workers it holds where their random numbers are. The default generator, and what else
        the main process draws from, are the program's to save (`get_rng_state`).
        Source: that of torchdata's `StatefulDataLoader`, with a layout of its own.

        >>> loader = DataLoader(range(6), batch_size=2, shuffle=True)
        >>> first = next(iter(loader))
        >>> state = loader.state_dict()
        >>> again = DataLoader(range(6), batch_size=2, shuffle=True)
        >>> again.load_state_dict(state)
        >>> rest = list(again)
        >>> sorted(first.tolist() + rest[0].tolist() + rest[1].tolist())
        [0, 1, 2, 3, 4, 5]
        """
        if self._saved is not None:
            return copy.deepcopy(self._saved)
        generators = generators_of(self)
        return (self._progress or Progress([], finished=True)).state(generators)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The next pass over this loader goes on after the last batch that was given when the state was saved.

        It and all later ones give what they would have given then, bit for bit: the order comes from the generators'
        saved states; the random numbers of workers go on where they were; an `IterableDataset` (or its iterator) that
        has `state_dict` and `load_state_dict` is asked for its state after each batch, of another one the first items
        are skipped. After a whole epoch the next pass is a new one. Samplers that draw from the default generator in
        the middle of an epoch cannot be followed.

        Errors: ValueError for another state, and for one of another number of workers with an `IterableDataset`.
        """
        saved = Progress.from_state(state_dict)
        workers = max(1, self.num_workers)
        if isinstance(self.dataset, IterableDataset) and saved.places and len(saved.places) != workers:
            raise ValueError(
                f"load_state_dict: the state is that of {len(saved.places)} workers over an IterableDataset, and only "
                f"as many can go on from there; this loader has num_workers={self.num_workers}"
            )
        self._saved = copy.deepcopy(state_dict)
        if self._iterator is not None:
            self._iterator.close()
            self._iterator = None

    def _go_on(self) -> Iterator[Any]:
        state, self._saved = self._saved, None
        saved, generators = Progress.from_state(state), generators_of(self)
        if not saved.finished:
            with rewound(generators, state):
                return self._begin(saved)
        for generator, there in zip(generators[1:], state["generators"][1:]):
            generator.set_state(there)
        return self._begin(saved.after_the_end(self.dataset, self.num_workers, self.persistent_workers))


def _default_sampler(dataset: Any, shuffle: bool | None, generator: Generator | None) -> Iterable[Any]:
    if isinstance(dataset, IterableDataset):
        return repeat(None)  # items have no numbers
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
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


def _context(context: Any, num_workers: int) -> Any:
    """The multiprocessing context of that name, or the one given."""
    if context is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
            "num_workers=0"
        )
    import multiprocessing
    from multiprocessing.context import BaseContext

    if isinstance(context, str):
        names = multiprocessing.get_all_start_methods()
        if context not in names:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {names!r}, but got "
                f"multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={context}"
        )
    return context


def _warn_of_many_workers(num_workers: int) -> None:
    ours = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if ours else os.cpu_count() or 1
    if num_workers > processors:
        warnings.warn(
            f"This DataLoader will create {num_workers} worker processes in total. Our suggested max number of worker "
            f"in current system is {processors}{'' if ours else ' (`cpuset` is not taken into account)'}, which is "
            "smaller than what this DataLoader is going to create. Please be aware that excessive worker creation "
            "might get DataLoader running slow or even freeze, lower the worker number to avoid potential "
            "slowness/freeze if necessary.",
            stacklevel=3,
        )


def _warn_of_pinned_memory(loader: DataLoader[Any]) -> None:
    if loader.pin_memory:
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
            "used.",
            stacklevel=3,
        )


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
