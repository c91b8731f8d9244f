"""Where a program spends its time: Python's own profiler (`cProfile`) behind the names of PyTorch's.

The table lists functions, NumPy's and mini_torch's among them, where PyTorch's lists operators.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
from collections.abc import Callable, Iterable
from enum import Enum
from functools import wraps
from pathlib import Path
from time import perf_counter_ns
from typing import Any

__all__ = ["Averages", "Event", "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
           "tensorboard_trace_handler"]  # fmt: skip

_running: list[profile] = []


class ProfilerActivity(Enum):
    """What is to be watched; only the CPU is there."""

    CPU, XPU, MTIA, CUDA, HPU, PrivateUse1 = range(6)


class ProfilerAction(Enum):
    """What a profiler does in a step of its schedule."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = range(4)


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:  # fmt: skip
    """What to do in which step: after `skip_first`, again and again `wait`, `warmup` and `active` steps.

    Source: PyTorch's `torch.profiler.schedule`.
    """
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if step < 0 or (repeat and step >= repeat * length):
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD_AND_SAVE if place == length - 1 else ProfilerAction.RECORD

    return action


class Event:
    """What was spent in one function or range: `count`, `cpu_time_total` and `self_cpu_time_total` in microseconds."""

    def __init__(self, key: str, count: int, total: float, own: float) -> None:
        self.key, self.count, self.cpu_time_total, self.self_cpu_time_total = key, count, total, own

    @property
    def cpu_time(self) -> float:
        """Microseconds for each call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def __repr__(self) -> str:
        return f"<Event {self.key}: {self.count} calls, {self.cpu_time_total:.0f} µs>"


class Averages(list[Event]):
    """The events of a profile, of which `table` makes a text."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **_: Any) -> str:
        """A line for each, the largest first. `sort_by` is the name of one of an event's numbers.

        What PyTorch measures on a GPU sorts by the time on the CPU.
        """
        name = (sort_by or "self_cpu_time_total").replace("cuda", "cpu").replace("device", "cpu")
        name = name if name in ("count", "cpu_time", "cpu_time_total", "self_cpu_time_total") else "cpu_time_total"
        rows = sorted(self, key=lambda event: -getattr(event, name))[:row_limit]
        wide = max([4, *(len(event.key) for event in rows)])
        line = "-" * (wide + 44)
        lines = [line, f"{'Name':{wide}}{'Self CPU':>14}{'CPU total':>14}{'# of Calls':>16}", line]
        for event in rows:
            own, total = _time(event.self_cpu_time_total), _time(event.cpu_time_total)
            lines.append(f"{event.key:{wide}}{own:>14}{total:>14}{event.count:>16}")
        return "\n".join([*lines, line, f"Self CPU time total: {_time(self.total_average().cpu_time_total)}", ""])

    def total_average(self) -> Event:
        """All of them in one."""
        own = sum(event.self_cpu_time_total for event in self)
        return Event("Total", sum(event.count for event in self), own, own)


def _time(microseconds: float) -> str:
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


class profile:
    """Watches what runs inside `with profile() as prof:`; `prof.key_averages().table()` tells.

    With a `schedule`, `prof.step()` goes to its next step, and `on_trace_ready(prof)` is called after the last of each
    round. What concerns shapes, stacks, memory and devices is taken and changes nothing.
    Source: PyTorch's `torch.profiler.profile`.

    >>> with profile() as prof, record_function("sums"):
    ...     _ = sum(range(1000))
    >>> next(event.count for event in prof.key_averages() if event.key == "sums")
    1
    """

    def __init__(
        self, enabled: Any = True, *, activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None, on_trace_ready: Callable[[profile], Any] | None = None,
        **_: Any,
    ) -> None:  # fmt: skip
        self._schedule = schedule or (lambda step: ProfilerAction.RECORD if enabled else ProfilerAction.NONE)
        self._on_trace_ready, self.step_num = on_trace_ready, 0
        self.ranges: list[tuple[str, int, int]] = []  # name, start and length in nanoseconds
        self._watch: cProfile.Profile | None = None
        self._action = ProfilerAction.NONE

    def start(self) -> None:
        """Begins to watch."""
        self._go_on(self._schedule(self.step_num))

    def stop(self) -> None:
        """Ends it."""
        if self._action is not ProfilerAction.NONE and self._watch is not None:
            self._pause()
            if self._on_trace_ready is not None:
                self._on_trace_ready(self)
        self._action = ProfilerAction.NONE

    def step(self) -> None:
        """A step of the schedule is over."""
        if self._action is ProfilerAction.RECORD_AND_SAVE:
            self.stop()
            self._watch = None
        self.step_num += 1
        self._go_on(self._schedule(self.step_num))

    def _go_on(self, action: ProfilerAction) -> None:
        watching = self in _running
        record = action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        self._action = action if record else ProfilerAction.NONE
        if record and not watching:
            self._watch, self.ranges = cProfile.Profile(), []
            _running.append(self)
            self._watch.enable()
        elif watching and not record:
            self._pause()

    def _pause(self) -> None:
        if self in _running and self._watch is not None:
            self._watch.disable()
            _running.remove(self)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def key_averages(self, *_: Any, **__: Any) -> Averages:
        """For each function and each `record_function` the calls and the time."""
        events = Averages()
        if self._watch is not None:
            for (file, line, name), (_, calls, own, total, _) in pstats.Stats(self._watch).stats.items():  # type: ignore[attr-defined]
                place = name if file == "~" else f"{_short(file)}:{line}({name})"
                events.append(Event(place, calls, total * 1e6, own * 1e6))
        for name in dict.fromkeys(name for name, _, _ in self.ranges):
            times = [length / 1e3 for known, _, length in self.ranges if known == name]
            events.append(Event(name, len(times), sum(times), 0.0))
        return events

    def events(self) -> Averages:
        """The same."""
        return self.key_averages()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """`key_averages().table()`."""
        return self.key_averages().table(*args, **kwargs)

    def total_average(self) -> Event:
        """All in one."""
        return self.key_averages().total_average()

    def export_chrome_trace(self, path: str) -> None:
        """Writes the `record_function` ranges for chrome://tracing."""
        events = [
            {"name": name, "ph": "X", "ts": start / 1e3, "dur": length / 1e3, "pid": os.getpid(), "tid": 0}
            for name, start, length in self.ranges
        ]
        Path(path).write_text(json.dumps({"traceEvents": events}), encoding="utf-8")


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


class record_function:
    """`with record_function("name"):` gives a range a name in the profile; a decorator, too."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        self._start = perf_counter_ns()
        return self

    def __exit__(self, *_: Any) -> None:
        for profiler in _running:
            profiler.ranges.append((self.name, self._start, perf_counter_ns() - self._start))

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return recorded


def tensorboard_trace_handler(dir_name: str, *_: Any, **__: Any) -> Callable[[profile], None]:
    """An `on_trace_ready` that writes `export_chrome_trace`'s file into the folder."""

    def write(profiler: profile) -> None:
        Path(dir_name).mkdir(parents=True, exist_ok=True)
        profiler.export_chrome_trace(str(Path(dir_name) / f"{os.getpid()}.{profiler.step_num}.pt.trace.json"))

    return write
