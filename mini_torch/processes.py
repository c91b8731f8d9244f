"""Several processes that run one function: `torch.multiprocessing.spawn`.

Each is a Python of its own with tensors of its own; what they are given and what they send is copied.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

__all__ = [
    "ProcessContext", "ProcessException", "ProcessExitedException", "ProcessRaisedException",
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip

_STRATEGIES = {"file_descriptor", "file_system"}
_strategy = ["file_descriptor"]


class ProcessException(Exception):
    """A process failed. `error_index` is its number, `error_pid` its id."""

    def __init__(self, msg: str, error_index: int, pid: int | None) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    @property
    def error_pid(self) -> int | None:
        """The process's id."""
        return self.pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process ended with an exception, whose traceback is in the message."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal or an exit code other than 0."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int | None, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


class ProcessContext:
    """The processes that were started, `processes`. See `join`."""

    def __init__(self, processes: Sequence[Any], errors: Sequence[Connection]) -> None:
        self.processes, self._errors = list(processes), list(errors)

    def pids(self) -> list[int]:
        """Their ids."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits until one has ended; True when all have. When one fails, the others are ended.

        Errors: ProcessRaisedException, with its traceback, and ProcessExitedException.
        """
        running = {process.sentinel: process for process in self.processes if process.exitcode is None}
        for ended in wait(list(running), timeout) if running else ():
            running[ended].join()
        for number, process in enumerate(self.processes):
            if process.exitcode not in (None, 0):
                self._end_the_others(grace_period)
                raise self._failure(number)
        return all(process.exitcode == 0 for process in self.processes)

    def _end_the_others(self, grace_period: float | None) -> None:
        until = monotonic() + (grace_period or 0)
        for process in self.processes:
            process.join(max(0.0, until - monotonic()))
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()

    def _failure(self, number: int) -> ProcessException:
        process, code = self.processes[number], self.processes[number].exitcode
        with suppress(EOFError):  # it ended without a word
            said = self._errors[number].recv()
            text = f"\n\n-- Process {number} terminated with the following error:\n{said}"
            return ProcessRaisedException(text, number, process.pid)
        name = signal.Signals(-code).name if code < 0 else None
        how = f"signal {name}" if name else f"exit code {code}"
        return ProcessExitedException(f"process {number} terminated with {how}", number, process.pid, code, name)


def _run(fn: Callable[..., Any], number: int, args: tuple[Any, ...], errors: Connection) -> None:
    """In the new process."""
    try:
        fn(number, *args)
    except KeyboardInterrupt:
        pass  # the process that started this one was stopped, too
    except Exception:
        errors.send(traceback.format_exc())
        raise SystemExit(1) from None


def start_processes(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """`spawn` with the choice of how processes are started."""
    context = multiprocessing.get_context(start_method)
    processes, errors = [], []
    for number in range(nprocs):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, number, args, theirs), daemon=daemon)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        processes.append(process)
        errors.append(ours)
    started = ProcessContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Calls `fn(i, *args)` in `nprocs` new processes, i from 0, and waits for them, or with join=False does not.

    `fn` must be importable: a function at the top of its file. When one process fails, the others are ended.
    Errors: ProcessRaisedException, ProcessExitedException. Source: PyTorch's `torch.multiprocessing.spawn`.
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


def get_sharing_strategy() -> str:
    """What was set."""
    return _strategy[0]


def set_sharing_strategy(new_strategy: str) -> None:
    """Kept for `get_sharing_strategy`: tensors are copied from process to process. Errors: AssertionError."""
    if new_strategy not in _STRATEGIES:
        raise AssertionError(f"sharing strategy {new_strategy!r}: choose one of {', '.join(sorted(_STRATEGIES))}")
    _strategy[0] = new_strategy
