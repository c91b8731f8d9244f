"""From numbers of items to a batch: what a loader does itself, or each of its workers with a dataset of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from .collate import collate_tensor_fn, default_collate, default_collate_fn_map
from .dataset import IterableDataset, Subset, TensorDataset
from .failure import note

__all__ = ["Fetch", "ItemFetch", "Source", "StreamFetch"]

Array = np.ndarray[Any, Any]
Fetch = Callable[[Any], Any]  # the batch of the items with these numbers


@dataclass
class Source:
    """Where batches come from and how they are made: what a loader hands to its workers."""

    dataset: Any
    collate_fn: Callable[[Any], Any]
    in_batches: bool
    batch_size: int | None
    drop_last: bool

    @property
    def is_stream(self) -> bool:
        """Whether items come one after another, not by number."""
        return isinstance(self.dataset, IterableDataset)

    def open(self) -> Any:
        """What gives the batches; a stream begins anew."""
        return StreamFetch(self) if self.is_stream else ItemFetch(self)


class ItemFetch:
    """Batches of a dataset that has its items by number.

    An exception on the way gets a note that says which item it was. Batches of a `TensorDataset` (or a `Subset` of
    one) are cut out of its tensors at once, where collating its items would give just that.
    """

    def __init__(self, source: Source) -> None:
        self.dataset, self.collate_fn, self.in_batches = source.dataset, source.collate_fn, source.in_batches
        usual = source.collate_fn is default_collate and default_collate_fn_map[Tensor] is collate_tensor_fn
        self.rows = _rows(source.dataset) if source.in_batches and usual else None

    def __call__(self, numbers: Any) -> Any:
        if self.rows is not None:
            index = np.asarray(numbers)
            if index.dtype.kind in "iu":
                return self._noted(index, self.rows, index)
        if not self.in_batches:
            return self.collate_fn(self._items([numbers])[0])
        if isinstance(numbers, np.ndarray):
            numbers = numbers.tolist()
        at_once = getattr(self.dataset, "__getitems__", None)
        items = self._noted(numbers, at_once, numbers) if at_once else self._items(numbers)
        return self._noted(numbers, self.collate_fn, items)

    def _items(self, numbers: Sequence[Any]) -> list[Any]:
        items, number, dataset = [], None, self.dataset
        try:
            for number in numbers:
                items.append(dataset[number])
        except Exception as error:
            note(error, f"This was item {number!r} of the dataset.")
            raise
        return items

    @staticmethod
    def _noted(numbers: Any, function: Callable[[Any], Any], argument: Any) -> Any:
        try:
            return function(argument)
        except Exception as error:
            numbers = numbers.tolist() if isinstance(numbers, np.ndarray) else numbers
            shown = ", ".join(repr(number) for number in list(numbers)[:100])
            note(error, f"This was the batch of items {shown}{', …' if len(numbers) > 100 else ''} of the dataset.")
            raise


class StreamFetch:
    """Batches of a dataset that gives its items one after another; `numbers` says how many by its length only."""

    def __init__(self, source: Source) -> None:
        self.collate_fn, self.in_batches, self.drop_last = source.collate_fn, source.in_batches, source.drop_last
        self.items = iter(source.dataset)
        self.ended = False

    def __call__(self, numbers: Any) -> Any:
        return self.collate_fn(self.next_items(numbers))

    def next_items(self, numbers: Any) -> Any:
        """The items of the next batch, or without batches the next item. Errors: StopIteration at the end."""
        if not self.in_batches:
            return next(self.items)
        batch = [] if self.ended else list(islice(self.items, len(numbers)))
        self.ended = len(batch) < len(numbers)
        if not batch or (self.drop_last and self.ended):
            raise StopIteration
        return batch


def _rows(dataset: Any) -> Callable[[Array], list[Tensor]] | None:
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
