"""What the benchmarks of speed share: interleaved rounds, their ratios, a table."""

from __future__ import annotations

import gc
import importlib.util
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter


def has_torch() -> bool:
    """Whether PyTorch is installed to compare with."""
    return importlib.util.find_spec("torch") is not None


def seconds(function: Callable[[], object], times: int, clock: Callable[[], float] = perf_counter) -> float:
    """The mean time of `times` calls; with `time.process_time` as the clock what other programs take is left out."""
    gc.collect()
    function()  # the collector, and who ran before, have left the caches full of their own
    start = clock()
    for _ in range(times):
        function()
    return (clock() - start) / times


def rounds(
    functions: dict[str, Callable[[], object]], times: int, count: int, clock: Callable[[], float] = perf_counter
) -> dict[str, list[float]]:
    """Times all functions in turn, `count` times over, so that each round sees the same state of the machine.

    Every round begins with another one: nobody always follows the same one.
    """
    for function in functions.values():
        function()
    results: dict[str, list[float]] = {name: [] for name in functions}
    names = list(functions)
    for index in range(count):
        first = index % len(names)
        for name in names[first:] + names[:first]:
            results[name].append(seconds(functions[name], times, clock))
    return results


def ratio(a: Sequence[float], b: Sequence[float]) -> float:
    """The median over the rounds of a's time to b's."""
    return statistics.median(x / y for x, y in zip(a, b))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in (head, *rows)]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
