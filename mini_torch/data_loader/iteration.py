"""One pass over a loader's data, all done in the loader's own process; `workers.py` has the one that is shared out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from ..random.generator import chosen
from .place import Place, open_at, state_of_data
from .progress import Progress, generators_of

if TYPE_CHECKING:
    from .loader import DataLoader

__all__ = ["Iteration"]


class Iteration:
    """What `iter(loader)` gives: batch after batch, made when it is asked for; `saved` is where to go on."""

    # It holds nothing of the loader itself: persistent workers, which the loader holds, are to end with the loader.
    def __init__(self, loader: DataLoader[Any], saved: Progress | None = None) -> None:
        self._dataset, self._num_workers = loader.dataset, loader.num_workers
        self._index_sampler = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
        self._progress = Progress([g.get_state() for g in generators_of(loader)])
        self._numbers = loader._numbers()
        if saved is None or saved.drew_seed:
            # A seed for the workers; PyTorch draws it also where there are none.
            self._progress.seed = chosen(loader.generator).random_int64()
        else:
            self._progress.seed, self._progress.drew_seed = saved.seed, False
        self._given, self._promised = 0, loader._promised
        self._open(loader, saved)
        loader._progress = self._progress

    def __iter__(self) -> Iterator[Any]:
        return self

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __next__(self) -> Any:
        try:
            batch = self._next()
        except StopIteration:
            self._progress.finished = True
            raise
        if self._promised is not None:
            self._count(self._promised)
        return batch

    def _open(self, loader: DataLoader[Any], saved: Progress | None) -> None:
        place = saved.places[0] if saved and saved.places else Place()
        source = loader._source()
        self._fetch = fetch = open_at(source, Place(place.batches, data=place.data))
        if saved is not None:
            self._numbers = chain(list(self._again(saved).values()), self._numbers)
            self._progress.drawn -= len(saved.pending)
        self._progress.look = lambda batches: [Place(batches, data=state_of_data(source, fetch))]

    def _again(self, saved: Progress) -> dict[int, Any]:
        """Draws all items' numbers that were drawn before; gives those of the batches that had not come yet."""
        again, count = {}, 0
        for number, numbers in zip(range(saved.drawn), self._numbers):
            count += 1
            if number in saved.pending:
                again[number] = numbers
        if count < saved.drawn:
            raise ValueError(
                f"load_state_dict: when the state was saved, the sampler had given {saved.drawn} batches, and now it "
                f"gives {count}; go on with the dataset, batch size and sampler of then"
            )
        self._progress.drawn = count
        if saved.drew_all:  # a sampler may draw once more to find that it is at its end
            self._progress.drew_all = next(self._numbers, None) is None
        return again

    def _next(self) -> Any:
        numbers = next(self._numbers)
        self._progress.drawn += 1
        return self._fetch(numbers)

    def _count(self, promised: int) -> None:
        self._given += 1
        if self._given > promised:
            text = (
                f"Length of IterableDataset {self._dataset} was reported to be {promised}(when accessing "
                f"len(dataloader)), but {self._given} samples have been fetched. "
            )
            if self._num_workers > 0:
                text += (
                    "For multiprocessing data-loading, this could be caused by not properly configuring the "
                    "IterableDataset replica at each worker: let each worker give its own part, by get_worker_info()."
                )
            warnings.warn(text, stacklevel=3)

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")
