"""Samples per second of a DataLoader: mini_torch beside PyTorch.

    python -m benchmarks.data [--rounds 9] [--only WORDS]

Batches of 64, one epoch a measurement, rounds interleaved; a ratio is the median of the rounds' ratios of samples per
second, so more is better. The last rows use two worker processes: on a machine with fewer than three processors they
share them with the main process, in both libraries.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from . import timing

BATCH = 64


class Slow:
    """Items that take a millisecond of Python each."""

    def __init__(self, torch: Any, count: int) -> None:
        self.torch, self.count = torch, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        end = perf_counter() + 1e-3
        while perf_counter() < end:
            pass
        return self.torch.zeros(8), index


class Images:
    """Large items: arrays of 3 × 64 × 64 numbers."""

    def __init__(self, torch: Any, count: int) -> None:
        self.image, self.count = np.ones((3, 64, 64), np.float32), count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.image, index


def rows(torch: Any, count: int) -> Any:
    return torch.utils.data.TensorDataset(torch.zeros(count, 16), torch.arange(count))


def pairs(torch: Any, count: int) -> Any:
    return [(torch.zeros(16), torch.tensor(i % 10)) for i in range(count)]


def arrays(torch: Any, count: int) -> Any:
    return [(np.zeros(16, np.float32), i % 10) for i in range(count)]


def records(torch: Any, count: int) -> Any:
    return [{"x": torch.zeros(16), "y": 0.5, "name": "a"} for _ in range(count)]


# what: (dataset, items, options, asked ratio)
ROWS: dict[str, tuple[Callable[[Any, int], Any], int, dict[str, Any], float | None]] = {
    "TensorDataset": (rows, 32_768, {}, 10),
    "TensorDataset, shuffled": (rows, 32_768, {"shuffle": True}, 10),
    "list of tensor pairs": (pairs, 8_192, {}, 1),
    "list of (array, int)": (arrays, 8_192, {}, 1),
    "list of dicts": (records, 8_192, {}, 1),
    "1 ms an item, 2 workers": (Slow, 1_024, {"num_workers": 2}, 0.95),
    "images, 2 workers": (Images, 2_048, {"num_workers": 2}, None),
    "small items, 2 workers": (pairs, 16_384, {"num_workers": 2}, None),
    "images, 2 workers that persist": (Images, 2_048, {"num_workers": 2, "persistent_workers": True}, None),
    "start and end of 2 workers": (arrays, 64, {"num_workers": 2}, None),
}


def epoch(torch: Any, make: Callable[[Any, int], Any], count: int, options: dict[str, Any]) -> Callable[[], object]:
    """A function that goes once over a loader's data."""
    loader = torch.utils.data.DataLoader(make(torch, count), BATCH, **options)

    def once() -> None:
        for _ in loader:
            pass

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="rows whose name has these words")
    options = parser.parse_args()
    if not timing.has_torch():
        sys.exit("PyTorch is not installed: there is nothing to compare with")
    import torch

    import mini_torch

    torch.set_num_threads(1)
    table = []
    for name, (make, count, how, asked) in ROWS.items():
        if options.only in name:
            runs = {library.__name__: epoch(library, make, count, how) for library in (mini_torch, torch)}
            times = timing.rounds(runs, 1, options.rounds)
            speeds = [f"{count / statistics.median(times[library]):,.0f}" for library in runs]
            ratio = timing.ratio(times["torch"], times["mini_torch"])
            table.append([name, *speeds, f"{ratio:.2f}", "" if asked is None else f"≥ {asked}"])
    print(timing.table(["samples a second from", "mini_torch", "PyTorch", "ratio", "asked"], table))


if __name__ == "__main__":
    main()
