"""Workers of a DataLoader: real processes, their order, their random numbers, their errors and their end."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch import data_loader
from mini_torch.data_loader import DataLoader, Dataset, channel, fetch, get_worker_info, place, worker

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # other threads of those who run the tests
]

ROOT = Path(__file__).parents[1]
Point = namedtuple("Point", ["x", "y"])


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A test that hangs fails; and none leaves a process behind."""

    def too_late(*_: Any) -> None:
        raise TimeoutError("the test hangs")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(60)
    usual = multiprocessing.get_start_method()
    multiprocessing.set_start_method("fork", force=True)  # the usual one until Python 3.14: lambdas need no pickling
    yield
    multiprocessing.set_start_method(usual, force=True)
    gc.collect()
    assert multiprocessing.active_children() == []
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["mini_torch", "torch"])
def torch(request: pytest.FixtureRequest) -> ModuleType:
    return pytest.importorskip(request.param)


@pytest.fixture
def data(torch: ModuleType) -> Any:
    return data_loader if torch is mini_torch else torch.utils.data


class Items(Dataset[Any]):
    """Item i is function(i)."""

    def __init__(self, function: Callable[[int], Any], length: int = 8) -> None:
        self.function, self.length = function, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.function(index)


def same(x: Any) -> Any:
    return x


def plain(x: Any) -> Any:
    if hasattr(x, "tolist"):
        return x.tolist()
    return [plain(value) for value in x] if isinstance(x, list | tuple) else x


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def comes(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


# ---- order and random numbers ------------------------------------------------------------------------------
RECORDED = [  # of PyTorch 2.13: manual_seed(3), two workers, shuffled
    [2, 0.2876076102256775, 0.21793848432592644, 0.8794862824005928, 0, 2, 937055941807507096],
    [0, 0.7470175623893738, 0.09049729754573688, 0.13554665930590137, 1, 2, 937055941807507097],
    [1, 0.686290979385376, 0.5235545516688277, 0.35186014682096967, 0, 2, 937055941807507096],
    [3, 0.8290408253669739, 0.2920232533511594, 0.5719063383148877, 1, 2, 937055941807507097],
]


def test_random_numbers_are_pytorchs(torch: ModuleType, data: Any) -> None:
    def item(index: int) -> Any:
        info = data.get_worker_info()
        drawn = torch.rand(()).item(), random.random(), np.random.rand()  # noqa: NPY002
        return index, *drawn, info.id, info.num_workers, info.seed

    torch.manual_seed(3)
    assert [list(x) for x in data.DataLoader(Items(item, 4), None, shuffle=True, num_workers=2)] == RECORDED
    assert torch.rand(()).item() == 0.47161436080932617
    assert data.get_worker_info() is None


def stream_of(data: Any, lengths: list[int]) -> Any:
    class Stream(data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[int]:
            worker = data.get_worker_info().id
            return iter(range(100 * worker, 100 * worker + lengths[worker]))

    return Stream()


@pytest.mark.parametrize("persistent", [False, True])
def test_streams_go_round_and_drop_out(torch: ModuleType, data: Any, persistent: bool) -> None:
    loader = data.DataLoader(stream_of(data, [3, 8, 1]), 2, num_workers=3, persistent_workers=persistent)
    expected = [[0, 1], [100, 101], [200], [2], [102, 103], [104, 105], [106, 107]]
    assert [plain(list(loader)) for _ in range(2)] == [expected, expected]
    loader = data.DataLoader(stream_of(data, [3, 4]), 2, drop_last=True, num_workers=2)
    assert plain(list(loader)) == [[0, 1], [100, 101], [102, 103]]


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 3}, {"batch_size": None}, {"batch_sampler": [[3, 1], [2]]}, {"batch_size": 3, "drop_last": True},
        {"sampler": [5, 4, 3, 2, 1, 0, 6], "batch_size": 2}, {"prefetch_factor": 1}, {"prefetch_factor": 20},
        {"collate_fn": lambda items: -sum(items)}, {"persistent_workers": True}, {"timeout": 30},
    ],
    ids=" ".join,
)  # fmt: skip
def test_workers_give_what_the_main_process_gives(options: dict[str, Any]) -> None:
    of_workers = ("persistent_workers", "prefetch_factor", "timeout")
    alone = DataLoader(Items(same), **{k: v for k, v in options.items() if k not in of_workers})
    shared = DataLoader(Items(same), num_workers=2, **options)
    assert len(iter(shared)) == len(shared) == len(alone)
    for _ in range(2):
        assert plain(list(shared)) == plain(list(alone))


def test_without_order_the_faster_worker_goes_ahead() -> None:
    def slow_first(index: int) -> int:
        time.sleep(0.4 if index == 0 else 0.0)
        return index

    seen = plain(list(DataLoader(Items(slow_first), None, num_workers=2, in_order=False)))
    assert sorted(seen) == list(range(8))
    assert seen[0] != 0
    assert plain(list(DataLoader(Items(slow_first), None, num_workers=2))) == list(range(8))


def test_persistent_workers_stay() -> None:
    loader = DataLoader(Items(lambda _: os.getpid()), None, num_workers=2, persistent_workers=True)
    first, again = set(loader), set(loader)
    assert first == again
    assert len(first) == 2
    next(iter(loader))  # an epoch that is broken off
    assert set(loader) == first
    brief = DataLoader(Items(lambda _: os.getpid()), None, num_workers=2)
    assert not set(brief) & set(brief)


def test_tasks_larger_than_the_way_to_a_worker() -> None:
    lengths = list(DataLoader(Items(same, 50), batch_sampler=[["x" * 20] * 3000] * 9, num_workers=1, prefetch_factor=9,
                              collate_fn=len, worker_init_fn=lambda _: setattr(get_worker_info().dataset, "function",
                                                                               lambda key: key * 2)))  # fmt: skip
    assert lengths == [3000] * 9
    strings = DataLoader(Items(lambda i: "y" * 300_000), None, num_workers=2, prefetch_factor=8)
    assert [len(x) for x in strings] == [300_000] * 8


def test_init_function_and_own_copy_of_the_dataset() -> None:
    dataset = Items(same, 4)

    def begin(worker: int) -> None:
        info = get_worker_info()
        assert info is not None
        info.dataset.function = lambda index: (index, worker, info.num_workers)

    assert list(map(plain, DataLoader(dataset, None, num_workers=2, worker_init_fn=begin))) == [
        [0, 0, 2], [1, 1, 2], [2, 0, 2], [3, 1, 2],
    ]  # fmt: skip
    assert dataset.function is same


def test_spawned_workers() -> None:
    dataset = data_loader.TensorDataset(mini_torch.arange(5))
    for context in ("spawn", multiprocessing.get_context("spawn")):
        loader = DataLoader(dataset, 2, num_workers=1, multiprocessing_context=context)
        assert plain(list(loader)) == [[[0, 1]], [[2, 3]], [[4]]]
    loader = DataLoader(Items(lambda i: i), num_workers=1, multiprocessing_context="spawn")
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match=r"pickle|local object"):
        list(loader)


# ---- what travels ------------------------------------------------------------------------------------------
def test_batches_of_all_kinds_arrive() -> None:
    big = np.arange(100_000.0)
    ones = mini_torch.ones(70_000)
    batch = {
        "list": [mini_torch.arange(3), 5, "text", None], "point": Point(big, mini_torch.tensor(big)[::2]),
        "empty": mini_torch.zeros(0, 3), "scalar": np.float32(2), "leaf": mini_torch.ones(2, requires_grad=True),
        "half": ones.half(), "complex": ones + 0j, "order": np.asfortranarray([big] * 2),
    }  # fmt: skip
    (got,) = DataLoader(Items(lambda _: batch, 1), None, num_workers=1, collate_fn=same)
    assert type(got["point"]) is Point
    assert (got["point"].x == big).all()
    assert (got["point"].y == big[::2]).all()
    assert (got["order"] == batch["order"]).all()
    assert got["leaf"].requires_grad
    assert (got["half"].dtype, got["complex"].dtype) == (mini_torch.float16, mini_torch.complex64)
    assert (got["list"][1:], got["scalar"], got["empty"].shape) == ([5, "text", None], 2, (0, 3))


def test_bfloat16_arrives() -> None:
    pytest.importorskip("ml_dtypes")
    brain = mini_torch.ones(70_000).bfloat16()
    (got,) = DataLoader(Items(lambda _: brain, 1), None, num_workers=1)
    assert (got.dtype, got.float().sum()) == (mini_torch.bfloat16, 70_000)


def maps() -> int:
    return Path("/proc/self/maps").read_text().count("memfd:batch")


def test_memory_is_shared_writable_and_free_with_the_last_tensor() -> None:
    loader = DataLoader(Items(lambda i: (mini_torch.full((50_000,), i), np.full(50_000, i))), 2, num_workers=2)
    before, files = maps(), len(os.listdir("/proc/self/fd"))
    batches = list(loader)
    assert maps() > before
    for i, (x, y) in enumerate(batches):
        x += 1
        assert x.tolist()[::50_000] == [[2 * i + 1] * 50_000]
        assert y.numpy().flags.aligned
    kept = batches[1][0][0, 5:9]
    del batches, x, y
    assert maps() == before + 1
    assert kept.tolist() == [3] * 4
    del kept
    assert maps() == before
    assert len(os.listdir("/proc/self/fd")) <= files


def test_many_batches_keep_few_files_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_MOST_MAPPED", 3)
    loader = DataLoader(Items(lambda i: np.full(9000, i), 40), None, num_workers=2)
    files = len(os.listdir("/proc/self/fd"))
    batches = list(loader)
    assert len(os.listdir("/proc/self/fd")) <= files + 3
    assert [(x.min(), x.max()) for x in batches] == [(i, i) for i in range(40)]


def test_without_shared_memory_all_is_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_CAN_SHARE", False)
    before = maps()
    batches = list(DataLoader(Items(lambda i: np.full(90_000, i)), 2, num_workers=2))
    assert maps() == before
    assert [x[:, 0].tolist() for x in batches] == [[0, 1], [2, 3], [4, 5], [6, 7]]


# ---- errors ------------------------------------------------------------------------------------------------
class TwoArguments(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


class WithMessage(Exception):
    message = "none"

    def __init__(self, message: str) -> None:
        super().__init__(message)


def failing(error: BaseException) -> Callable[[int], int]:
    def item(index: int) -> int:
        if index == 5:
            raise error
        return index

    return item


class Local:
    """A place for an exception that only this process knows."""

    class Unknown(Exception):
        __qualname__ = "nowhere"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("bad"), ValueError), (KeyError("bad"), KeyError), (TwoArguments(1, 2), RuntimeError),
        (WithMessage("bad"), WithMessage),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Exception) else "",
)  # fmt: skip
def test_an_exception_arrives(error: Exception, kind: type[Exception]) -> None:
    seen: list[Any] = []
    with pytest.raises(kind) as caught:
        seen.extend(map(plain, DataLoader(Items(failing(error)), 2, num_workers=2)))
    text = str(caught.value)
    name = type(error).__name__
    assert seen == [[0, 1], [2, 3]]
    assert text.startswith(f"Caught {name} in DataLoader worker process 0.\nOriginal Traceback (most recent call ")
    assert "raise error\n" in text
    assert name + ": " in text
    assert text.endswith("\nThis was item 5 of the dataset.\n")


def test_which_item_it_was() -> None:
    def text(*args: Any, **options: Any) -> str:
        try:
            return str(list(DataLoader(*args, **options)))
        except Exception as error:
            return str(error) + "".join(getattr(error, "__notes__", []))

    lengths = Items(lambda i: [0] * (1 + i // 5))
    for workers in (1, 0) if sys.version_info >= (3, 11) else (1,):
        assert "This was the batch of items 4, 5 of the dataset." in text(lengths, 2, num_workers=workers)
        assert "This was item 5 of the dataset." in text(Items(failing(OSError("bad"))), None, num_workers=workers)
        rows = data_loader.TensorDataset(mini_torch.arange(3))
        assert "batch of items 1, 7 of" in text(rows, batch_sampler=[[1, 7]], num_workers=workers)
        assert "items 0, 1, 2" in text(Items(same, 200), 150, num_workers=workers, collate_fn=lambda items: 1 / 0)


def test_the_epoch_can_go_on_after_an_exception(torch: ModuleType, data: Any) -> None:
    batches = iter(data.DataLoader(Items(failing(ValueError("bad"))), 2, num_workers=2))
    assert [plain(next(batches)) for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="bad"):
        next(batches)
    assert plain(list(batches)) == [[6, 7]]


def test_errors_of_start_and_of_sending() -> None:
    def list_of(**options: Any) -> Any:
        return list(DataLoader(Items(same), 2, num_workers=2, **options))

    with pytest.raises(ZeroDivisionError, match="Caught ZeroDivisionError in DataLoader worker process 0"):
        list_of(worker_init_fn=lambda worker: 1 / 0)
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match=r"pickle|local object"):
        list_of(collate_fn=lambda items: lambda: 1)
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        list_of(collate_fn=lambda items: mini_torch.ones(2, requires_grad=True) * 2)
    with pytest.raises(RuntimeError, match="Caught Unknown in DataLoader worker process 0"):
        list(DataLoader(Items(failing(Local.Unknown("x"))), 2, num_workers=2))


@pytest.mark.parametrize(
    ("end", "reason"),
    [(lambda: os._exit(3), "exit code 3"), (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal SIGKILL")],
    ids=["exit", "kill"],
)
def test_a_worker_that_dies_is_an_error(end: Callable[[], None], reason: str) -> None:
    def item(index: int) -> int:
        return end() or index if index == 5 else index

    seen: list[int] = []
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly: {reason}"):
        seen.extend(DataLoader(Items(item), None, num_workers=2))
    assert seen == [0, 1, 2, 3, 4]
    assert time.monotonic() - start < 10


def test_a_persistent_worker_that_dies_between_epochs_is_replaced() -> None:
    loader = DataLoader(Items(lambda _: os.getpid(), 2), None, num_workers=2, persistent_workers=True)
    first = list(loader)
    os.kill(first[0], signal.SIGKILL)
    assert comes(lambda: is_gone(first[0]))
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(loader)
    assert not set(first) & set(loader)


def test_timeout() -> None:
    loader = DataLoader(Items(lambda i: time.sleep(1.0 * i) or i, 2), None, num_workers=1, timeout=0.2)
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.2 seconds"):
        list(loader)


def test_no_prefetching() -> None:
    with pytest.raises(AssertionError, match="prefetch_factor must be greater than 0"):
        iter(DataLoader(Items(same), num_workers=1, prefetch_factor=0))


def test_options(torch: ModuleType, data: Any) -> None:
    with pytest.raises(ValueError, match="should specify a valid start method in"):
        data.DataLoader(Items(same), num_workers=1, multiprocessing_context="tap")
    with pytest.raises(TypeError, match="should be a valid context object or a string"):
        data.DataLoader(Items(same), num_workers=1, multiprocessing_context=3)
    with pytest.warns(UserWarning, match="will create 1000 worker processes in total. Our suggested max number"):
        loader = data.DataLoader(Items(same), num_workers=1000)
    assert loader.prefetch_factor == 2
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        assert plain(list(data.DataLoader(Items(same), 4, pin_memory=True))) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        multiprocessing.reduction.ForkingPickler.dumps(iter(data.DataLoader(Items(same))))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_stream_longer_than_it_said(torch: ModuleType, data: Any, workers: int) -> None:
    class Longer(data.IterableDataset):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[int]:
            return iter(range(4))

        def __len__(self) -> int:
            return 2

    loader = data.DataLoader(Longer(), None, num_workers=workers)
    assert (list(loader), len(loader)) == ([0, 1, 2, 3], 2)
    with pytest.warns(UserWarning, match="Length of IterableDataset .* was reported to be 2") as caught:
        assert list(loader) == [0, 1, 2, 3]
    assert len(caught) == 2


# ---- what a worker does, seen from within ------------------------------------------------------------------
@pytest.fixture
def as_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process may play a worker: afterwards it is what it was."""
    from mini_torch.data_loader import worker_info

    monkeypatch.setattr(worker_info, "_worker_info", None)
    before, threads = place.random_state(), mini_torch.get_num_threads()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    place.set_random_state(before)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    mini_torch.set_num_threads(threads)


def answers_to(tasks: list[worker.Task], dataset: Any, init: Any = None, at: Any = None, **how: Any) -> list[Any]:
    """What a worker answers to these tasks."""
    options = {"collate_fn": same, "in_batches": True, "batch_size": 2, "drop_last": False, **how}
    ours, theirs = multiprocessing.Pipe()
    for task in tasks:
        channel.send(ours, task)
    with socket.socket(fileno=os.dup(ours.fileno())) as way:
        way.shutdown(socket.SHUT_WR)  # the end of the tasks, while answers still come
    worker.work(theirs, worker.Job(fetch.Source(dataset, **options), 5, init, 1, 2, at or place.Place()))
    theirs.close()
    answers = []
    with suppress(EOFError):
        while True:
            answers.append(channel.receive(ours))
    ours.close()
    return answers


def test_a_worker_answers_its_tasks(as_worker: None) -> None:
    Task = worker.Task
    big = np.zeros(60_000)
    told: list[int] = []
    answers = answers_to(
        [Task(0, [0, 1]), Task(1, [5, 2]), Task(2, [3]), Task(None), Task(3, [1])],
        Items(lambda i: 1 / 0 if i == 5 else (big, mini_torch.rand(()).item()) if i == 3 else i), told.append,
    )  # fmt: skip
    assert told == [1]
    assert [answer.number for answer in answers] == [0, 1, 2, None, 3]
    assert [answers[i].batch for i in (0, 4)] == [[0, 1], [1]]
    assert "Caught ZeroDivisionError in DataLoader worker process 1." in answers[1].batch.text
    assert [answer.random is not None for answer in answers] == [False, False, True, False, False]
    assert answers[2].batch[0][0].tolist() == big.tolist()
    info = get_worker_info()
    assert (info.id, info.num_workers, info.seed) == (1, 2, 6) if info else False


def test_a_worker_tells_of_errors_and_of_the_end(as_worker: None) -> None:
    Task = worker.Task
    first, second = answers_to([Task(0, [0]), Task(1, [1])], Items(same), lambda _: 1 / 0)
    assert first.batch.kind is second.batch.kind is ZeroDivisionError
    (lost,) = answers_to([Task(0, [0])], Items(lambda i: lambda: i))
    assert "packed(answer)" in lost.batch.text
    (strange,) = answers_to([Task(0, [5])], Items(failing(Local.Unknown("x"))))
    assert strange.batch.kind is RuntimeError

    class Stream(data_loader.IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            return iter(range(5))

    tasks = [Task(i, [None, None]) for i in range(5)] + [Task(None), Task(5, [None, None])]
    answers = answers_to(tasks, Stream(), at=place.Place(1))
    assert [answer.batch for answer in answers] == [[2, 3], [4], None, None, [0, 1]]
    assert [answer.at_end for answer in answers] == [False, False, True, False, False]


def test_random_numbers_can_be_taken_back(as_worker: None) -> None:
    def drawn() -> list[float]:
        return [random.random(), random.gauss(0, 1), np.random.randn(), mini_torch.randn(()).item()]  # noqa: NPY002

    drawn()
    here = place.random_state()
    first = drawn()
    there = place.random_state(here)
    assert there != here
    place.set_random_state(here)
    assert place.random_state() == here
    assert drawn() == first
    place.set_random_state(here)
    random.random(), np.random.rand(), np.random.randn()  # noqa: NPY002
    before = place.random_state()
    np.random.randn()  # the second of a pair: nothing is drawn for it  # noqa: NPY002
    assert place.random_state(before)["numpy"] != before["numpy"]


# ---- nothing is left behind --------------------------------------------------------------------------------
def workers_of(iterator: Any) -> list[int]:
    return [worker.process.pid for worker in iterator._workers]


def test_workers_end_with_the_loop() -> None:
    loader = DataLoader(Items(same, 1000), 2, num_workers=2)
    iterator = iter(loader)
    pids = workers_of(iterator)
    list(iterator)
    assert all(map(is_gone, pids))  # at the end
    for _ in loader:
        pids = [child.pid for child in multiprocessing.active_children()]
        break
    assert len(pids) == 2
    assert all(map(is_gone, pids))  # after a break
    with suppress(ZeroDivisionError):
        for _ in loader:
            pids = [child.pid for child in multiprocessing.active_children()]
            raise ZeroDivisionError
    gc.collect()
    assert all(map(is_gone, pids))  # after an exception
    iterator = iter(loader)
    pids = workers_of(iterator)
    del iterator
    assert all(map(is_gone, pids))  # with the iterator
    loader = DataLoader(Items(same), 2, num_workers=2, persistent_workers=True)
    list(loader)
    pids = workers_of(loader._iterator)
    assert not any(map(is_gone, pids))
    del loader
    assert all(map(is_gone, pids))  # with the loader


def test_a_worker_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    from mini_torch.data_loader import workers

    def deaf(index: int) -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if index == 1:
            time.sleep(1000)
        return index

    monkeypatch.setattr(workers, "_GRACE", 0.2)
    iterator = iter(DataLoader(Items(deaf), None, num_workers=1))
    pids = workers_of(iterator)
    next(iterator)
    del iterator
    assert all(map(is_gone, pids))


def program(body: str) -> subprocess.Popen[str]:
    """A program with a loader of two workers over slow items, in which `body` runs."""
    text = f"""
        import os, sys, time
        from mini_torch.utils.data import DataLoader, Dataset

        class Slow(Dataset):
            def __len__(self): return 100_000
            def __getitem__(self, index): time.sleep(0.01); return index

        class Pids(Slow):
            def __getitem__(self, index): time.sleep(0.01); return os.getpid()

        def main(**options):
            loader = DataLoader(Pids(), None, num_workers=2, multiprocessing_context="fork", **options)
            batches = iter(loader)
            print(next(batches), next(batches), flush=True)
            return loader, batches

        {body}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT, start_new_session=True,
        # The loader warns where there are fewer than two processors.
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error,ignore:This DataLoader will create"},
    )  # fmt: skip


def pids_told_by(running: subprocess.Popen[str]) -> list[int]:
    assert running.stdout is not None
    pids = [int(word) for word in running.stdout.readline().split()]
    assert len(set(pids)) == 2
    return pids


@pytest.mark.parametrize("persistent", [False, True])
def test_ctrl_c(persistent: bool) -> None:
    running = program(f"loader, batches = main(persistent_workers={persistent})\n        for _ in batches: pass")
    pids = pids_told_by(running)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, errors = running.communicate(timeout=30)
    assert comes(lambda: all(map(is_gone, pids)))
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("persistent", [False, True])
def test_the_end_of_the_program(persistent: bool) -> None:
    running = program(f"loader, batches = main(persistent_workers={persistent})")
    pids = pids_told_by(running)
    _, errors = running.communicate(timeout=30)
    assert (errors, running.returncode) == ("", 0)
    assert comes(lambda: all(map(is_gone, pids)))


def test_the_program_is_killed() -> None:
    running = program("loader, batches = main()\n        time.sleep(1000)")
    pids = pids_told_by(running)
    running.kill()
    running.communicate(timeout=30)
    assert comes(lambda: all(map(is_gone, pids)))


def test_a_fork_of_the_program_leaves_the_workers_alone() -> None:
    running = program("""loader, batches = main()
        if os.fork() == 0:
            del batches, loader
            os._exit(0)
        os.wait()
        sys.exit(7 if next(batches) > 0 else 1)""")
    pids_told_by(running)
    _, errors = running.communicate(timeout=30)
    assert (errors, running.returncode) == ("", 7)
