"""How a training step's time grows with the width, the batch and the depth of a network, beside PyTorch.

    python -m benchmarks.scaling [--rounds 15] [--only width batch depth] [--draw]

The step is that of `benchmarks.workloads`: linear layers with ReLU, mean squared error, Adam, float32, one thread; and
so are the rules. Prints a table for each of: three hidden layers of a growing width, batch 64; the main job's network
on a growing batch; a growing number of hidden layers of 64, batch 64. Below 1 mini_torch is the faster one.
`--draw` draws the ratios into images/scaling.png, which needs matplotlib and PyTorch.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import warnings
from functools import partial
from typing import NamedTuple

from utils import BLUE, GREY, ORANGE, picture

from . import networks, timing
from .contest import Contest, Make, ratios

WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
DEPTHS = (1, 2, 4, 8, 16, 32, 64)

TITLES = {"width": "width of three layers", "batch": "rows in a batch", "depth": "hidden layers of 64"}
TABLES: dict[str, dict[int, Make]] = {
    "width": {width: partial(networks.mlp, sizes=(2, width, width, width, 1)) for width in WIDTHS},
    "batch": {batch: partial(networks.mlp, batch=batch) for batch in BATCHES},
    "depth": {depth: partial(networks.mlp, sizes=(2, *[64] * depth, 1)) for depth in DEPTHS},
}


class Measured(NamedTuple):
    """A size, PyTorch's seconds, and the ratios to them by contestant."""

    size: int
    seconds: float
    ratios: dict[str, float]

    def cells(self) -> list[str]:
        """A row of the table."""
        found = [f"{self.ratios[name]:.2f}" if name in self.ratios else "–" for name in ("eager", "compiled")]
        return [f"{self.size:,}", f"{self.seconds * 1e6:,.0f} µs", *found]


def measured(size: int, make: Make, rounds: int) -> Measured:
    """One size; what keeps it from a plan goes to the error stream."""
    contest = Contest(make)
    times = contest.times(rounds)
    found = Measured(size, statistics.median(times.get("PyTorch", times["eager"])), ratios(times))
    print(*found.cells(), f"not compiled: {contest.why}" if contest.why else "", file=sys.stderr)
    return found


def draw(tables: dict[str, list[Measured]]) -> None:
    """The ratios over the sizes, a panel per table."""
    with picture("images/scaling.png", 10, 3.2) as figure:
        panels = figure.subplots(1, len(tables), sharey=True, squeeze=False)[0]
        for axes, (name, found) in zip(panels, tables.items()):
            sizes = [each.size for each in found]
            for contestant, colour in (("eager", BLUE), ("compiled", ORANGE)):
                known = [each.ratios.get(contestant, float("nan")) for each in found]
                axes.plot(sizes, known, "o-", color=colour, markersize=4, label=contestant)
            axes.axhline(1, color=GREY, linestyle="--", linewidth=1)
            axes.set_xscale("log", base=2)
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=45)
            axes.set_xlabel(TITLES[name])
            axes.grid(axis="y")
        panels[0].set_ylim(0, 1.15)
        panels[0].set_ylabel("time of a step / PyTorch's")
        panels[0].text(panels[0].get_xlim()[0], 1.02, " PyTorch", color=GREY, va="bottom")
        panels[-1].legend(loc="upper left", bbox_to_anchor=(0.0, 0.85))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=tuple(TABLES), default=tuple(TABLES))
    parser.add_argument("--draw", action="store_true", help="draw images/scaling.png")
    options = parser.parse_args()
    tables: dict[str, list[Measured]] = {}
    warnings.simplefilter("ignore")
    base = "PyTorch" if timing.has_torch() else "mini_torch"
    for name in options.only:
        tables[name] = [measured(size, make, options.rounds) for size, make in TABLES[name].items()]
        lines = [each.cells() for each in tables[name]]
        print(timing.table((name, base, "eager / PyTorch", "compiled / PyTorch"), lines), end="\n\n", flush=True)
    if options.draw:
        draw(tables)


if __name__ == "__main__":
    main()
