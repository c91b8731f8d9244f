"""One pass over a loader's data by worker processes. What is here runs in the loader's process, `worker.py` in theirs.

Each worker has a connection of its own, over which it gets tasks (the numbers of a batch's items) and answers with
batches. Tasks go round in turn, `prefetch_factor` for each worker at first, then one for each batch that is taken; so
the workers are always ahead, and with `in_order` the next batch can only come from one of them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.util import register_after_fork
from typing import TYPE_CHECKING, Any, NoReturn

from .channel import packed, receive, send_packed
from .failure import Failure
from .iteration import Iteration
from .place import Place
from .progress import Progress, generators_of
from .worker import Answer, Job, Task, work

if TYPE_CHECKING:
    from .loader import DataLoader

__all__ = ["WorkersIteration"]

_GRACE = 5.0  # seconds that a worker has to finish its batch when it is not needed any more
_LOOK = 1.0  # seconds of waiting after which we look whether the workers are alive
_UNREAD = 1 << 16 if sys.platform == "linux" else 1 << 12  # bytes that surely fit in the way to a worker
_EACH = 1 << 10  # bytes that a message takes there beyond its own


class Handle:
    """A worker, as the loader's process sees it."""

    def __init__(self, context: Any, job: Job) -> None:
        self.connection, theirs = context.Pipe()
        # A worker started later must not hold this end too: then this one would not see that it was closed.
        register_after_fork(self.connection, type(self.connection).close)
        self.process = context.Process(target=work, args=(theirs, job), daemon=True)
        self.waiting: deque[Any] = deque()  # messages not sent yet
        self.unread: deque[int] = deque()  # sizes of those sent and not answered
        try:
            with _threads_of_blas_are_fine():
                self.process.start()
        finally:
            theirs.close()

    def give(self, task: Task) -> None:
        """Sends a task, now or later."""
        self.waiting.append(packed(task))
        self._send()

    def answer(self) -> Answer:
        """The next answer."""
        answer: Answer = receive(self.connection)
        if answer.at_end or answer.number is None:
            self.unread.clear()
        else:
            self.unread.popleft()
        self._send()
        return answer

    def _send(self) -> None:
        # A worker whose answer nobody takes reads no more tasks. So only what fits in the way there is sent; the rest
        # waits for the next answer, lest each wait for the other.
        while self.waiting:
            body, large = self.waiting[0]
            if self.unread and sum(self.unread) + len(body) + _EACH > _UNREAD:
                return
            self.waiting.popleft()
            self.unread.append(len(body) + _EACH)
            send_packed(self.connection, body, large)


class WorkersIteration(Iteration):
    """What `iter(loader)` gives where it has workers. They end with it, however it ends."""

    def _open(self, loader: DataLoader[Any], saved: Progress | None) -> None:
        progress = self._progress
        self._lacking = 0  # tasks that the workers could have
        self._in_order, self._timeout = loader.in_order, loader.timeout
        self._prefetch_factor, self._are_persistent = loader.prefetch_factor, loader.persistent_workers
        if progress.drew_seed:  # PyTorch asks its sampler a second time, which shows where `__iter__` itself draws
            self._numbers = loader._numbers()
        count = loader.num_workers
        same = saved is not None and len(saved.places) == count
        progress.places = saved.places if saved and same else [Place() for _ in range(count)]
        self._workers: list[Handle] = []
        self._stop = weakref.finalize(self, _stop, self._workers, os.getpid())
        context = loader.multiprocessing_context or get_context()
        assert progress.seed is not None
        try:
            for id, place in enumerate(progress.places):
                job = Job(loader._source(), progress.seed, loader.worker_init_fn, id, count, place)
                self._workers.append(Handle(context, job))
            self._hand_out_first(saved)
        except BaseException:
            self._stop()
            raise

    def restart(self, loader: DataLoader[Any]) -> None:
        """Begins the loader's next epoch with the same workers."""
        for worker in self._workers:
            self._give(worker, Task(None))
        for worker, place in zip(self._workers, self._progress.places):
            answer = Answer(0)
            while answer.number is not None:  # the rest of an epoch that was broken off
                answer = self._receive([worker])
                place.now, place.data = answer.random or place.now, answer.data
        began = [g.get_state() for g in generators_of(loader)]
        self._progress = loader._progress = self._progress.next_epoch(began)
        self._numbers = loader._numbers()
        self._given, self._promised = 0, loader._promised
        self._hand_out_first(None)

    @property
    def is_alive(self) -> bool:
        """Whether the workers are there."""
        return self._stop.alive

    def close(self) -> None:
        """Ends the workers."""
        self._progress.pending.clear()
        self._stop()

    # ---- tasks -------------------------------------------------------------------------------------------------------
    def _hand_out_first(self, saved: Progress | None) -> None:
        if saved is None or not saved.drawn:
            for _ in range(self._num_workers * self._prefetch_factor):
                self._hand_out()
            return
        progress, count = self._progress, len(self._workers)
        progress.turn, progress.at_end = saved.turn % count, saved.at_end
        for number, numbers in self._again(saved).items():
            self._assign(number, numbers, saved.pending[number] % count)
        if len(saved.places) != count:  # made up for when the generators are where they belong
            self._lacking = self._prefetch_factor * count - len(progress.pending)

    def _hand_out(self) -> None:
        """Gives the next batch to make, if there is one, to the next worker that can take it."""
        try:
            numbers = next(self._numbers)
        except StopIteration:
            self._progress.drew_all = True
            return
        progress = self._progress
        for _ in self._workers:
            id, progress.turn = progress.turn, (progress.turn + 1) % len(self._workers)
            if id not in progress.at_end and (self._in_order or self._has_time(id)):
                number, progress.drawn = progress.drawn, progress.drawn + 1
                self._assign(number, numbers, id)
                return

    def _has_time(self, id: int) -> bool:
        progress, workers = self._progress, len(self._workers)
        most = self._prefetch_factor * workers // (workers - len(progress.at_end))
        return list(progress.pending.values()).count(id) < most

    def _assign(self, number: int, numbers: Any, id: int) -> None:
        self._progress.pending[number] = id
        self._give(self._workers[id], Task(number, numbers))

    def _give(self, worker: Handle, task: Task) -> None:
        try:
            worker.give(task)
        except OSError as error:
            self._died(error)

    # ---- batches -----------------------------------------------------------------------------------------------------
    def _next(self) -> Any:
        progress = self._progress
        while self._lacking > 0:
            self._lacking -= 1
            self._hand_out()
        while progress.pending:
            ids = list(dict.fromkeys(progress.pending.values()))
            answer = self._receive([self._workers[id] for id in (ids[:1] if self._in_order else ids)])
            assert answer.number is not None
            id = progress.pending[answer.number]
            place = progress.places[id]
            place.now, place.data = answer.random or place.now, answer.data
            if answer.at_end:
                progress.at_end.append(id)
                progress.pending = {n: other for n, other in progress.pending.items() if other != id}
                self._hand_out()
                continue
            del progress.pending[answer.number]
            place.batches += 1
            self._hand_out()
            if isinstance(answer.batch, Failure):
                answer.batch.raise_again()
            return answer.batch
        if not self._are_persistent:
            self._stop()
        raise StopIteration

    def _receive(self, workers: list[Handle]) -> Answer:
        """The next answer of one of these workers. Errors: RuntimeError where none can come, or is too late."""
        timeout = self._timeout
        end = time.monotonic() + timeout if timeout > 0 else float("inf")
        while not (ready := wait([w.connection for w in workers], min(_LOOK, max(0.0, end - time.monotonic())))):
            if not all(w.process.is_alive() for w in workers):
                self._died(None)
            if time.monotonic() >= end:
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        worker = next(w for w in workers if w.connection is ready[0])
        try:
            return worker.answer()
        except (EOFError, OSError) as error:
            self._died(error)
        except BaseException:  # Ctrl-C in the middle of a message: the rest of it would be taken for the next one
            self.close()
            raise

    def _died(self, error: BaseException | None) -> NoReturn:
        """Says which workers are gone, and why."""
        gone = [w.process for w in self._workers if w.process.join(0.1) or not w.process.is_alive()]
        self.close()
        if not gone:
            raise RuntimeError("the connection to a DataLoader worker broke") from error
        pids, code = ", ".join(str(process.pid) for process in gone), gone[0].exitcode or 0
        names = {number.value: number.name for number in signal.Signals}
        reason = f"killed by signal {names.get(-code, -code)}" if code < 0 else f"exit code {code}"
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly: {reason}. Its error output may say more; with "
            "num_workers=0 the same happens in the main process."
        ) from error


@contextmanager
def _threads_of_blas_are_fine() -> Iterator[None]:
    """From Python 3.12 on a fork warns of all other threads. Those of NumPy's BLAS, which knows of forks, do no harm;
    where Python has threads of its own, the warning stays."""
    with warnings.catch_warnings():
        if threading.active_count() == 1:
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def _stop(workers: list[Handle], owner: int) -> None:
    """Ends workers: asks them to by closing their connections, and kills the ones that do not listen."""
    if os.getpid() != owner:  # in a fork of the loader's process they are not ours
        return
    for worker in workers:
        worker.connection.close()
    end = time.monotonic() + _GRACE
    try:
        for worker in workers:
            worker.process.join(max(0.0, end - time.monotonic()))
    finally:
        for kill in ("terminate", "kill"):
            for process in [w.process for w in workers if w.process.is_alive()]:
                getattr(process, kill)()
                process.join(1.0)
        workers.clear()
