"""How long a piece of code takes: `torch.utils.benchmark`."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from statistics import mean, median, quantiles
from typing import Any

from .settings import get_num_threads

__all__ = ["Measurement", "Timer"]


class Measurement:
    """Times of several runs, each of `number_per_run` calls. All numbers are seconds for one call."""

    def __init__(self, number_per_run: int, raw_times: list[float], task_spec: str = "") -> None:
        self.number_per_run, self.raw_times, self.task_spec = number_per_run, raw_times, task_spec

    @property
    def times(self) -> list[float]:
        """Of each run the time of a call."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.times)

    @property
    def mean(self) -> float:
        """Their mean."""
        return mean(self.times)

    @property
    def iqr(self) -> float:
        """Between which the middle half of them lies."""
        if len(self.raw_times) < 2:
            return 0.0
        first, _, third = quantiles(self.times, n=4, method="inclusive")
        return third - first

    def __repr__(self) -> str:
        runs, calls = len(self.raw_times), self.number_per_run
        lines = [f"<{__name__}.Measurement>", *([self.task_spec] if self.task_spec else [])]
        if runs > 1:
            lines += [f"  Median: {_text(self.median)}", f"  IQR:    {_text(self.iqr)}"]
        else:
            lines.append(f"  {_text(self.median)}")
        lines.append(f"  {runs} measurement{'s' * (runs > 1)}, {calls} run{'s' * (calls > 1)} per measurement")
        return "\n".join(lines)


def _text(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e9:.2f} ns"


class Timer:
    """Runs `stmt`, a text, after `setup`, with the names in `globals`.

    `num_threads` and what describes the task are kept for the print. Source: PyTorch's `torch.utils.benchmark.Timer`.

    >>> Timer("x + 1", globals={"x": 1}).timeit(10).number_per_run
    10
    """

    def __init__(
        self, stmt: str = "pass", setup: str = "pass", global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer, globals: dict[str, Any] | None = None,
        label: str | None = None, sub_label: str | None = None, description: str | None = None, env: str | None = None,
        num_threads: int = 1, language: Any = None,
    ) -> None:  # fmt: skip
        self._timer = timeit.Timer(stmt, setup, timer, dict(globals or {}))
        named = " ".join(filter(None, [label or stmt.strip(), sub_label and f"({sub_label})", description]))
        self._task, self.num_threads = named, num_threads or get_num_threads()

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run of that many calls, after a short one to warm up."""
        self._timer.timeit(max(number // 100, 2))
        return Measurement(number, [self._timer.timeit(number)], self._task)

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Runs until `min_run_time` is over; of as many calls each that the clock does not matter."""
        number = self._calls_in(min_run_time / 1000)
        times = [self._timer.timeit(number)]
        while sum(times) < min_run_time:
            times.append(self._timer.timeit(number))
        return Measurement(number, times, self._task)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0, callback: Any = None
    ) -> Measurement:  # fmt: skip
        """Runs until the middle half of the times lies within `threshold` of their median, at most `max_run_time`."""
        number = self._calls_in(min_run_time / 10)
        times: list[float] = []
        while sum(times) < max_run_time:
            times.append(self._timer.timeit(number))
            measured = Measurement(number, times, self._task)
            if sum(times) >= min_run_time and len(times) > 3 and measured.iqr / measured.median < threshold:
                break
        return Measurement(number, times, self._task)

    def _calls_in(self, seconds: float) -> int:
        """A power of ten of calls that take as long."""
        number = 1
        while self._timer.timeit(number) < seconds:
            number *= 10
        return number
