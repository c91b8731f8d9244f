"""The small networks that people train on a CPU: a step of each in PyTorch, in mini_torch, and compiled by it.

    python -m benchmarks.workloads [--only REGEX ...] [--rounds 25] [--bare] [--memory] [--recording]

Float32, one thread, interleaved rounds; a ratio is the median of the rounds' ratios to PyTorch's eager time. Times are
processor time, so that other programs count for nobody. Before anything is timed, all must agree on the losses of the
first steps. A dash: `mini_torch.compile` cannot hold this step; why is said below the table.

`--bare` adds the time of an MLP step's matrix products alone, in NumPy, and of the step under `jax.jit` where jax is
installed. `--memory` and `--recording` print tables of their own: the peak memory of twenty steps above the imports,
and what the first compiled call costs. The main job as a whole is `benchmarks.fit`.
"""

from __future__ import annotations

import argparse
import gc
import re
import statistics
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from . import in_jax, networks, timing
from .contest import CONTESTANTS, Call, Contest, Make, contestants, library, mode, prepared, ratios


class Row(NamedTuple):
    """A workload, and the most of PyTorch's eager time that it may take."""

    make: Make
    eager: float
    compiled: float
    grad: bool = True


ROWS = {
    "MLP, Adam": Row(partial(networks.mlp, optimizer="Adam"), 0.42, 0.31),
    "MLP, SGD": Row(partial(networks.mlp, optimizer="SGD"), 0.60, 0.45),
    "MLP, inference, batch 1": Row(partial(networks.mlp_inference, batch=1), 0.65, 0.36, grad=False),
    "MLP, inference, batch 1024": Row(partial(networks.mlp_inference, batch=1024), 1.1, 0.95, grad=False),
    "GPT, AdamW": Row(networks.gpt, 1.1, 0.85),
    "LSTM, Adam": Row(networks.lstm, 1.5, 1.1),
    "LeNet, Adam": Row(networks.lenet, 1.2, 0.8),
    "residual blocks, SGD": Row(networks.residual, 1.8, 1.3),
    "1,000 times y * a + b": Row(networks.small_chain, 0.7, 0.15),
    "chain on 1,000,000 elements": Row(networks.large_chain, 0.7, 0.34),
}
MEMORY = "GPT|LeNet"  # whose peak memory is asked for
BARE_ASKED, JAX_ASKED, RECORDING_ASKED = 1.6, 1.0, 10
DASH = "–"


def verdict(found: float | None, asked: float) -> str:
    """Whether the number, as printed, is the one asked for."""
    return DASH if found is None else "met" if round(found, 2) <= asked else "missed"


def number(found: float | None) -> str:
    return DASH if found is None else f"{found:.2f}"


def microseconds(times: Sequence[float] | None) -> str:
    return f"{statistics.median(times) * 1e6:,.0f} µs" if times else DASH


# ---- the steps -------------------------------------------------------------------------------------------------------
STEP = ("a step of", "PyTorch", "mini_torch", "eager ratio", "compiled ratio", "asked", "verdict")
BESIDE = ("MLP, Adam, beside", "time", "ratio to PyTorch", "compiled to it", "asked", "verdict")


def step_line(name: str, row: Row, times: dict[str, list[float]]) -> list[str]:
    """The row of the table."""
    found = ratios(times)
    eager, compiled = found.get("eager"), found.get("compiled")
    cells = [name, microseconds(times.get("PyTorch")), microseconds(times["eager"]), number(eager), number(compiled)]
    asked = f"≤ {row.eager:.2f}, ≤ {row.compiled:.2f}"
    return [*cells, asked, f"{verdict(eager, row.eager)}, {verdict(compiled, row.compiled)}"]


def bare_products(batch: int = 64) -> Call:
    """The matrix products of an MLP step, forward and backward, into arrays that are there already."""
    rng, jobs = np.random.default_rng(0), []

    def random(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype=np.float32)

    for index, (a, b) in enumerate(pairwise(networks.SIZES)):
        x, w, g = random(batch, a), random(b, a), random(batch, b)
        jobs += [(x, w.T, random(batch, b)), (g.T, x, random(b, a))]
        jobs += [(g, w, random(batch, a))] if index else []  # nobody asks for the gradient of the network's input

    def run() -> None:
        for left, right, out in jobs:
            np.matmul(left, right, out=out)

    return run


def beside_lines(times: dict[str, list[float]]) -> list[list[str]]:
    """What the step takes beside those that are no contestants."""
    lines, to_pytorch = [], ratios(times)
    for name, asked in (("bare BLAS", BARE_ASKED), ("jax.jit", JAX_ASKED)):
        if name in times:
            found = timing.ratio(times["compiled"], times[name]) if "compiled" in times else None
            cells = [name, microseconds(times[name]), number(to_pytorch.get(name)), number(found)]
            lines.append([*cells, f"≤ {asked:.2f}", verdict(found, asked)])
    return lines


def print_steps(names: Sequence[str], rounds: int, bare: bool) -> None:
    """The main table, and what keeps which rows from a plan; each row on the error stream as soon as it is known."""
    lines, beside = [], []
    reasons: dict[str, list[str]] = {}
    for name in names:
        contest = Contest(ROWS[name].make, ROWS[name].grad)
        if bare and name == "MLP, Adam":
            contest.calls["bare BLAS"] = bare_products()
            contest.calls |= {"jax.jit": step} if (step := in_jax.mlp_step()) else {}
        times = contest.times(rounds)
        lines.append(step_line(name, ROWS[name], times))
        beside += beside_lines(times)
        if contest.why:
            reasons.setdefault(contest.why, []).append(name)
        print(*lines[-1], sep="  ", file=sys.stderr)
    print(timing.table(STEP, lines))
    for why, of in reasons.items():
        print(f"\nnot compiled ({'; '.join(of)}): {why}")
    if beside:
        print("\n" + timing.table(BESIDE, beside))


# ---- memory ----------------------------------------------------------------------------------------------------------
def peak(name: str, contestant: str, steps: int) -> int:
    """The most bytes that a new process holds at once while it does the steps; 0 steps: while it only imports."""
    command = [sys.executable, "-m", "benchmarks.workloads", "--alone", name, contestant, str(steps)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.strip().rpartition("\n")[2])
    return int(run.stdout.split()[-1])


def alone(name: str, contestant: str, steps: int) -> None:
    """In the new process: the steps, then the peak as Linux has kept it."""
    library(contestant)
    if steps:
        _, call = prepared(ROWS[name].make, contestant)
        with mode(ROWS[name].grad, [contestant]):
            for _ in range(steps):
                call()
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    print(int(found[1]) * 1024 if found else 0)


def memory_line(name: str) -> list[str]:
    """Peak memory of twenty steps above the imports, of each contestant."""
    above: dict[str, float] = {}
    for contestant in contestants():
        try:
            above[contestant] = (peak(name, contestant, 20) - peak(name, contestant, 0)) / 2**20
        except RuntimeError as error:
            print(f"{name}, {contestant}: {error}", file=sys.stderr)
    verdicts = [
        verdict(above[own] / above[to] if own in above and to in above else None, 1.0)
        for own, to in (("eager", "PyTorch"), ("compiled", "eager"))
    ]
    cells = [f"{above[contestant]:.1f} MiB" if contestant in above else DASH for contestant in CONTESTANTS]
    return [name, *cells, "eager ≤ PyTorch, compiled ≤ eager", ", ".join(verdicts)]


# ---- recording -------------------------------------------------------------------------------------------------------
def recording(row: Row) -> float:
    """What the calls cost that record, in eager steps: of the first three, all that is more than a replay takes.

    Most steps record once. Where an optimizer makes its state in the first step, the second records again.
    """
    _, eager = prepared(row.make, "eager")
    eager()
    _, compiled = prepared(row.make, "compiled")
    gc.collect()
    start = process_time()
    for _ in range(3):
        compiled()
    taken = process_time() - start
    return (taken - 2 * timing.seconds(compiled, 5, process_time)) / timing.seconds(eager, 5, process_time)


def recording_line(name: str, rounds: int = 5) -> list[str]:
    """The median of `rounds` recordings."""
    found = None
    with mode(ROWS[name].grad):
        try:
            found = statistics.median(recording(ROWS[name]) for _ in range(rounds))
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}".partition("\n")[0], file=sys.stderr)
    return [name, number(found), f"≤ {RECORDING_ASKED}", verdict(found, RECORDING_ASKED)]


# ---- script ----------------------------------------------------------------------------------------------------------
def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="REGEX", help="rows whose name has one of these")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--bare", action="store_true", help="the MLP beside its bare products and jax")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--recording", action="store_true", help="the first compiled call instead")
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    wanted = "|".join(options.only or [MEMORY if options.memory else ""])
    names = [name for name in ROWS if re.search(wanted, name)]
    warnings.simplefilter("ignore")
    if options.alone:
        alone(options.alone[0], options.alone[1], int(options.alone[2]))
    elif options.memory:
        head = ("peak memory", *CONTESTANTS, "asked", "verdict")
        print(timing.table(head, [memory_line(name) for name in names]))
    elif options.recording:
        head = ("recording", "in eager steps", "asked", "verdict")
        print(timing.table(head, [recording_line(name) for name in names]))
    else:
        print_steps(names, options.rounds, options.bare)


if __name__ == "__main__":
    main()
