"""What a small operation costs: chains, batches, imports, memory. Beside PyTorch, where that is installed.

    python -m benchmarks.overhead

Asked for: the chain y = y * a + b on 10 elements in at most PyTorch's time; an epoch of DataLoader over 4,000
rows in at most 0.1 of it; `import mini_torch` in at most 1.3 of `import numpy`; linear time for a chain of
100,000 operations; memory that stays flat over 20,000 training steps without the garbage collector.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import mini_torch

from . import timing
from .networks import small_chain

Rows = list[tuple[str, str, str, str, str]]


def libraries() -> dict[str, Any]:
    """mini_torch, and PyTorch on one thread where it is installed."""
    found: dict[str, Any] = {"mini_torch": mini_torch}
    if timing.has_torch():
        import torch

        torch.set_num_threads(1)
        found["PyTorch"] = torch
    return found


def chain(torch: Any, length: int = 1000) -> Callable[[], object]:
    """`length` times y = y * a + b on 10 elements, forward and backward."""
    work = small_chain(torch, length)
    return partial(work.call, *work.inputs)


def epoch(torch: Any) -> Callable[[], object]:
    """One pass of DataLoader, batch 64, shuffled, over a TensorDataset of 4,000 rows."""
    data = torch.utils.data
    dataset = data.TensorDataset(torch.ones(4000, 2), torch.ones(4000, 1))
    loader = data.DataLoader(dataset, batch_size=64, shuffle=True)
    return lambda: sum(len(x) for x, _ in loader)


def beside(what: str, asked: float, make: Callable[[Any], Callable[[], object]], rounds: int) -> tuple[str, ...]:
    """A row of the table: both libraries' times for what `make` makes of them."""
    times = timing.rounds({name: make(torch) for name, torch in libraries().items()}, 5, rounds)
    cells = [f"{statistics.median(values) * 1e3:.2f} ms" for values in times.values()]
    if len(cells) == 1:
        return what, cells[0], "", "", f"≤ {asked}"
    return what, *cells, f"{timing.ratio(times['mini_torch'], times['PyTorch']):.2f}", f"≤ {asked}"


def imports(rounds: int) -> tuple[str, ...]:
    """How long a new Python takes to import mini_torch, beside NumPy."""
    times: dict[str, list[float]] = {"": [], "numpy": [], "mini_torch": []}
    for _ in range(rounds + 1):  # the first round warms the disk
        for name, values in times.items():
            start = perf_counter()
            code = f"import {name}" if name else ""
            subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
            values.append(perf_counter() - start)
    empty, numpy, own = (values[1:] for values in times.values())
    own, numpy = [t - e for t, e in zip(own, empty)], [t - e for t, e in zip(numpy, empty)]
    cells = (f"{statistics.median(values) * 1e3:.0f} ms" for values in (own, numpy))
    return "import, beside NumPy", *cells, f"{timing.ratio(own, numpy):.2f}", "≤ 1.3"


def growth() -> tuple[str, ...]:
    """The time of a chain of 200,000 operations to that of one of 100,000: 2 where it is linear."""

    def shortest(length: int) -> float:
        run = chain(mini_torch, length // 2)
        return min(timing.seconds(run, 1) for _ in range(7))

    times = {length: shortest(length) for length in (100_000, 200_000)}
    growth = f"{times[200_000] / times[100_000]:.1f} times as long for 200,000"
    return "chain of 100,000 operations", f"{times[100_000] * 1e3:.0f} ms", "", growth, "linear"


def diamond() -> tuple[str, ...]:
    """y = y + y, 200 deep: 2²⁰⁰ paths through 200 nodes."""

    def run() -> None:
        x = mini_torch.tensor(1.0, dtype=mini_torch.float64, requires_grad=True)
        y = x
        for _ in range(200):
            y = y + y
        y.sum().backward()

    return "diamond, 200 deep", f"{timing.seconds(run, 5) * 1e3:.2f} ms", "", "", "instant"


def memory(steps: int) -> tuple[str, ...]:
    """How much the process grows over training steps with the garbage collector off."""
    from mini_torch import nn

    network = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 1))
    optimizer = mini_torch.optim.Adam(network.parameters())
    x, y = mini_torch.ones(16, 2), mini_torch.ones(16, 1)
    gc.collect()
    gc.disable()
    try:
        sizes = []
        for k in range(steps):
            optimizer.zero_grad()
            nn.functional.mse_loss(network(x), y).backward()
            optimizer.step()
            if k in (steps // 20, steps - 1):
                sizes.append(resident())
    finally:
        gc.enable()
    grown = (sizes[1] - sizes[0]) / 2**20
    return f"memory over {steps:,} steps, no collector", f"{grown:+.2f} MiB", "", "", "flat"


def resident() -> int:
    """The bytes of memory that this process holds; where the system does not say, the most it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=20_000, help="training steps for the memory row")
    options = parser.parse_args()
    rows = [
        beside("1,000 times y = y * a + b, and backward", 1.0, chain, options.rounds),
        beside("an epoch of DataLoader, 4,000 rows", 0.1, epoch, options.rounds),
        growth(),
        diamond(),
        memory(options.steps),
        imports(options.rounds),
    ]
    print(timing.table(("what", "mini_torch", "PyTorch or NumPy", "ratio", "asked"), rows))


if __name__ == "__main__":
    main()
