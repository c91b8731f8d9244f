"""`DataLoader.state_dict`: an epoch that is gone on with gives what the unbroken one gives, bit for bit."""

from __future__ import annotations

import copy
import io
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.data_loader import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:This process:DeprecationWarning")

LENGTHS = (9, 4, 6)  # of the workers' streams


def drawn() -> list[Any]:
    """In a worker, random numbers; those of the main process are the program's to save."""
    info = get_worker_info()
    if info is None:
        return []
    return [mini_torch.rand(()).item(), random.random(), np.random.randn(), info.id, info.seed % 1000]  # noqa: NPY002


def stream_number() -> int:
    info = get_worker_info()
    return info.id if info else 0


class Items(Dataset[Any]):
    def __len__(self) -> int:
        return 11

    def __getitem__(self, index: int) -> Any:
        return [index, *drawn()]


class Stream(IterableDataset[Any]):
    """Has no state of its own: what came before is skipped."""

    length = 99

    def __iter__(self) -> Iterator[Any]:
        for i in range(min(self.length, LENGTHS[stream_number()])):
            yield [100 * stream_number() + i, *drawn()]


class Stateful(IterableDataset[Any]):
    """Knows where it is, and in which epoch."""

    def __init__(self) -> None:
        self.at, self.epoch = 0, 0

    def state_dict(self) -> dict[str, int]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, int]) -> None:
        vars(self).update(state)

    def __iter__(self) -> Iterator[Any]:
        while self.at < LENGTHS[stream_number()]:
            self.at += 1
            yield [1000 * self.epoch + 100 * stream_number() + self.at, *drawn()]
        self.at, self.epoch = 0, self.epoch + 1


class Walk:
    """An iterator with a state."""

    def __init__(self, length: int) -> None:
        self.at, self.length = 0, length

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> int:
        if self.at == self.length:
            raise StopIteration
        self.at += 1
        return self.at

    def state_dict(self) -> dict[str, int]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.at = state["at"]


class Walks(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return Walk(LENGTHS[stream_number()])


def generator(own: bool, seed: int) -> mini_torch.Generator | None:
    return mini_torch.Generator().manual_seed(seed) if own else None


LOADERS: dict[str, Callable[..., DataLoader[Any]]] = {
    "in order": lambda own, **options: DataLoader(Items(), **options),
    "shuffled": lambda own, **options: DataLoader(Items(), shuffle=True, generator=generator(own, 3), **options),
    "rows": lambda own, **options: DataLoader(
        TensorDataset(mini_torch.arange(11)), shuffle=True, generator=generator(own, 3), **options
    ),
    "replaced": lambda own, **options: DataLoader(
        Items(), sampler=RandomSampler(range(11), True, 70, generator(own, 9)), generator=generator(own, 3), **options
    ),
    "weighted": lambda own, **options: DataLoader(
        Items(), sampler=WeightedRandomSampler(range(1, 12), 20, generator=generator(own, 5)), **options
    ),
    "some": lambda own, **options: DataLoader(Items(), sampler=SubsetRandomSampler([1, 3, 5, 7]), **options),
    "stream": lambda own, **options: DataLoader(Stream(), **options),
    "stateful": lambda own, **options: DataLoader(Stateful(), **options),
    "walk": lambda own, **options: DataLoader(Walks(), **options),
}


def plain(x: Any) -> Any:
    if hasattr(x, "tolist"):
        return x.tolist()
    return [plain(value) for value in x] if isinstance(x, list) else x


def run(loader: DataLoader[Any], epochs: int, stop: tuple[int, int]) -> Any:
    """All batches of some epochs, and what was saved when `stop` = (epoch, batches) was reached: the states, and where
    in the row of batches that was."""
    seen: list[Any] = []
    saved = (loader.state_dict(), mini_torch.get_rng_state(), 0)
    for epoch in range(epochs):
        count = 0
        for count, batch in enumerate(loader, 1):
            seen.append(plain(batch))
            mini_torch.rand(2)  # the training draws, too
            if (epoch, count) == stop:
                saved = (copy.deepcopy(loader.state_dict()), mini_torch.get_rng_state(), len(seen))
        if stop == (epoch, count + 1):  # after the end
            saved = (loader.state_dict(), mini_torch.get_rng_state(), len(seen))
    return seen, saved


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, True), (3, False)])
def test_the_rest_is_that_of_the_unbroken_run(kind: str, workers: int, persistent: bool) -> None:
    chance = random.Random(f"{kind} {workers}")
    for own, size in [(False, 3), (True, None)] if workers % 2 else [(True, 3), (False, None)]:
        options = {"batch_size": size, "num_workers": workers, "persistent_workers": persistent}
        options["drop_last"] = bool(size) and chance.random() < 0.5
        mini_torch.manual_seed(1)
        epoch, length = chance.choice([0, 1]), len(list(LOADERS[kind](own, **options)))
        stop = epoch, chance.randrange(1, length + 2)
        mini_torch.manual_seed(1)
        seen, (state, rng, at) = run(LOADERS[kind](own, **options), 3, stop)
        file = io.BytesIO()
        mini_torch.save(state, file)
        mini_torch.manual_seed(77)
        loader = LOADERS[kind](own, **options)
        loader.load_state_dict(mini_torch.load(io.BytesIO(file.getvalue())))
        mini_torch.set_rng_state(rng)
        rest, _ = run(loader, 2 if state["finished"] else 3 - epoch, (-1, 0))
        assert rest[: len(seen) - at] == seen[at:], (own, options, stop)


def test_skipped_items_are_not_loaded() -> None:
    loaded: list[int] = []

    class Noted(Items):
        def __getitem__(self, index: int) -> Any:
            loaded.append(index)
            return index

    loader = DataLoader(Noted(), 2, shuffle=True)
    batches = iter(loader)
    given = [next(batches).tolist() for _ in range(3)]
    state = loader.state_dict()
    del batches, loaded[:]
    again = DataLoader(Noted(), 2, shuffle=True)
    again.load_state_dict(state)
    rest = [x.tolist() for x in again]
    assert sorted(itertools.chain(*given, *rest)) == list(range(11))
    assert len(loaded) == 5


def test_a_break_can_be_taken_up_on_the_same_loader() -> None:
    for workers in (0, 2):
        loader = DataLoader(Items(), None, num_workers=workers, persistent_workers=bool(workers))
        for item in loader:
            if item[0] == 3:
                break
        loader.load_state_dict(loader.state_dict())
        assert [item[0] for item in loader] == [4, 5, 6, 7, 8, 9, 10]
        assert [item[0] for item in loader] == list(range(11))


@pytest.mark.parametrize("workers", [(0, 2), (2, 0), (2, 1)])
def test_the_number_of_workers_may_change_where_items_have_numbers(workers: tuple[int, int]) -> None:
    loader, again = (DataLoader(Items(), 2, num_workers=n, shuffle=True) for n in workers)
    batches = iter(loader)
    seen = [next(batches) for _ in range(3)]
    state = loader.state_dict()
    seen += list(batches)
    again.load_state_dict(state)
    assert again.state_dict().keys() == state.keys()  # not begun, it tells what it was told
    assert [plain(x[0]) for x in again] == [plain(x[0]) for x in seen[3:]]
    streams = [DataLoader(Stream(), 2, num_workers=n) for n in (2, 3)]
    next(iter(streams[0]))
    with pytest.raises(ValueError, match="the state is that of 2 workers over an IterableDataset"):
        streams[1].load_state_dict(streams[0].state_dict())


def test_without_order_each_item_comes_once() -> None:
    loader, again = (DataLoader(range(40), 2, shuffle=True, num_workers=2, in_order=False) for _ in range(2))
    batches = iter(loader)
    seen = [next(batches).tolist() for _ in range(7)]
    again.load_state_dict(loader.state_dict())
    seen += [x.tolist() for x in again]
    assert sorted(itertools.chain(*seen)) == list(range(40))


def test_before_the_first_epoch(tmp_path: Path) -> None:
    loader = DataLoader(range(20), 5, shuffle=True, generator=generator(True, 3))
    mini_torch.save(loader.state_dict(), tmp_path / "state")
    expected = plain(list(loader))
    again = DataLoader(range(20), 5, shuffle=True, generator=generator(True, 4))
    again.load_state_dict(mini_torch.load(tmp_path / "state"))
    assert plain(list(again)) == expected


@pytest.mark.parametrize("workers", [0, 1])
def test_less_data_than_before(workers: int) -> None:
    def state(dataset: Any) -> Any:
        loader = DataLoader(dataset, None, num_workers=workers)
        batches = iter(loader)
        for _ in range(7):
            next(batches)
        return loader.state_dict()

    loader = DataLoader(range(5), None, num_workers=workers)
    loader.load_state_dict(state(range(11)))
    with pytest.raises(ValueError, match=r"the sampler had given .* batches, and now it gives 5"):
        iter(loader)
    short = Stream()
    short.length = 5
    stream = DataLoader(short, None, num_workers=workers)
    stream.load_state_dict(state(Stream()))
    assert list(stream) == []


def test_no_state() -> None:
    for wrong in ({}, {"places": 3}, []):
        with pytest.raises(ValueError, match="this is no state of a DataLoader"):
            DataLoader(Items()).load_state_dict(wrong)  # type: ignore[arg-type]
