"""A worker: a process that makes batches for a loader. All in this file runs there; the loader's side is `workers.py`.

A worker reads tasks from its connection, one after another, and answers each with a batch. It ends when the connection
does: when the loader closes it, or the loader's process is gone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..settings import set_num_threads
from .channel import packed, receive, send_packed
from .failure import Failure
from .fetch import Source
from .place import Place, RandomState, open_at, random_state, seed_everything, state_of_data
from .worker_info import WorkerInfo, set_worker_info

__all__ = ["Answer", "Job", "Task", "work"]

_PATIENCE = 5.0  # seconds after which a waiting worker looks whether its parent is still there


# ---- what goes back and forth ------------------------------------------------------------------------------
@dataclass
class Job:
    """What a worker is told once, at its start."""

    source: Source
    seed: int
    init: Callable[[int], Any] | None
    id: int
    count: int
    place: Place


@dataclass
class Task:
    """Make the batch of these items; number None: begin a new epoch."""

    number: int | None
    items: Any = None


@dataclass
class Answer:
    """The batch with a task's number (or the `Failure` to make it), and what has changed in the worker."""

    number: int | None
    batch: Any = None
    at_end: bool = False  # no batch, for the worker's stream has none left
    random: RandomState | None = None  # where the worker's random numbers are now, None: where they were
    data: Any = None


# ---- the work ----------------------------------------------------------------------------------------------
def work(connection: Any, job: Job) -> None:
    """The life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the main process decides, and closes the connection
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler of the program's is for its main process
    set_num_threads(1)
    seed_everything(job.seed, job.id)
    set_worker_info(WorkerInfo(job.id, job.count, job.seed + job.id, job.source.dataset))
    with suppress(ConnectionError):  # nobody listens any more
        Worker(connection, job).serve()


class Worker:
    """Answers tasks, until there are no more."""

    def __init__(self, connection: Any, job: Job) -> None:
        self.connection, self.job = connection, job
        self.fetch: Any = None
        self.failure: Failure | None = None  # of the start: then every task fails so
        self.at_end = False
        self.known = random_state()  # as far as the loader knows

    def serve(self) -> None:
        """Answers all tasks."""
        self._attempt(self._start)
        for task in self._tasks():
            if task.number is None:
                self._attempt(self._begin_epoch)
                self._send(Answer(None))
            elif not self.at_end:  # what was asked for before the loader knew of the end needs no answer
                self._send(self._answer(task))

    def _tasks(self) -> Iterator[Task]:
        parent = os.getppid()
        while True:
            while not self.connection.poll(_PATIENCE):
                if os.getppid() != parent:
                    return
            try:
                task = receive(self.connection)
            except (EOFError, OSError):
                return
            yield task

    def _attempt(self, begin: Callable[[], None]) -> None:
        try:
            begin()
        except Exception as error:
            self.failure = self._failed(error)

    def _start(self) -> None:
        if self.job.init is not None:
            self.job.init(self.job.id)
        self.fetch = open_at(self.job.source, self.job.place)

    def _begin_epoch(self) -> None:
        self.at_end = False
        self.fetch = self.job.source.open()

    def _answer(self, task: Task) -> Answer:
        if self.failure is not None:
            return Answer(task.number, self.failure)
        try:
            return Answer(task.number, self.fetch(task.items))
        except Exception as error:
            self.at_end = isinstance(error, StopIteration) and self.job.source.is_stream
            return Answer(task.number, None if self.at_end else self._failed(error), self.at_end)

    def _send(self, answer: Answer) -> None:
        now = random_state(self.known)
        if now != self.known:
            self.known = answer.random = now
        try:
            answer.data = state_of_data(self.job.source, self.fetch)
            message = packed(answer)
        except Exception as error:  # what cannot be pickled is an error like any other
            message = packed(Answer(answer.number, self._failed(error), answer.at_end, answer.random))
        send_packed(self.connection, *message)

    def _failed(self, error: Exception) -> Failure:
        failure = Failure(error, f"in DataLoader worker process {self.job.id}")
        try:
            packed(failure)
        except Exception:  # its type is known in this process only
            failure.kind = RuntimeError
        return failure
