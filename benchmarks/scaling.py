"""How a training step's time grows with the width, the batch and the depth of a network, beside PyTorch.

    python -m benchmarks.scaling [--rounds 15] [--only width batch depth]

The step is that of `benchmarks.workloads`: linear layers with ReLU, mean squared error, Adam, float32, one thread; and
so are the rules. Prints a table for each of: three hidden layers of a growing width, batch 64; the main job's network
on a growing batch; a growing number of hidden layers of 64, batch 64. Below 1 mini_torch is the faster one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import warnings
from functools import partial

from . import networks, timing
from .contest import Contest, Make, ratios

WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
DEPTHS = (1, 2, 4, 8, 16, 32, 64)

TABLES: dict[str, dict[int, Make]] = {
    "width": {width: partial(networks.mlp, sizes=(2, width, width, width, 1)) for width in WIDTHS},
    "batch": {batch: partial(networks.mlp, batch=batch) for batch in BATCHES},
    "depth": {depth: partial(networks.mlp, sizes=(2, *[64] * depth, 1)) for depth in DEPTHS},
}


def line(size: int, make: Make, rounds: int) -> list[str]:
    """A row of the table: PyTorch's time, and the ratios to it; what keeps it from a plan goes to the error stream."""
    contest = Contest(make)
    times = contest.times(rounds)
    base = times.get("PyTorch", times["eager"])
    found = ratios(times)
    cells = [f"{found[name]:.2f}" if name in found else "–" for name in ("eager", "compiled")]
    print(size, *cells, f"not compiled: {contest.why}" if contest.why else "", file=sys.stderr)
    return [f"{size:,}", f"{statistics.median(base) * 1e6:,.0f} µs", *cells]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=tuple(TABLES), default=tuple(TABLES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    base = "PyTorch" if timing.has_torch() else "mini_torch"
    for name in options.only:
        lines = [line(size, make, options.rounds) for size, make in TABLES[name].items()]
        print(timing.table((name, base, "eager / PyTorch", "compiled / PyTorch"), lines), end="\n\n")


if __name__ == "__main__":
    main()
