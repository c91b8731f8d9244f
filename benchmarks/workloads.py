"""The small networks that people train on a CPU: a step of each in PyTorch, in mini_torch, and compiled by it.

    python -m benchmarks.workloads [--only REGEX ...] [--rounds 15] [--bare] [--memory] [--recording]

Float32, one thread, interleaved rounds; a ratio is the median of the rounds' ratios to PyTorch's eager time. Times are
processor time, so that other programs count for nobody. Before anything is timed, all must agree on the losses of the
first steps. A dash: `mini_torch.compile` cannot hold this step, and why is said below the table.

`--bare` adds the time of an MLP step's matrix products alone, in NumPy, and of the step under `jax.jit` where jax is
installed; `--memory` and `--recording` print tables of their own: the peak memory of twenty steps above the imports, and
what the first compiled call costs. The main job as a whole is `benchmarks.fit`.
"""

from __future__ import annotations

import argparse
import gc
import re
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np

import mini_torch

from . import networks, timing
from .networks import Work

Call = Callable[[], Any]


class Row(NamedTuple):
    """A workload, and the most of PyTorch's eager time that it may take."""

    make: Callable[[Any], Work]
    eager: float
    compiled: float


ROWS = {
    "MLP, Adam": Row(partial(networks.mlp, optimizer="Adam"), 0.42, 0.31),
    "MLP, SGD": Row(partial(networks.mlp, optimizer="SGD"), 0.60, 0.45),
    "MLP, inference, batch 1": Row(partial(networks.mlp_inference, batch=1), 0.65, 0.36),
    "MLP, inference, batch 1024": Row(partial(networks.mlp_inference, batch=1024), 1.1, 0.95),
    "GPT, AdamW": Row(networks.gpt, 1.1, 0.85),
    "LSTM, Adam": Row(networks.lstm, 1.5, 1.1),
    "LeNet, Adam": Row(networks.lenet, 1.2, 0.8),
    "residual blocks, SGD": Row(networks.residual, 1.8, 1.3),
    "1,000 times y * a + b": Row(networks.small_chain, 0.7, 0.15),
    "chain on 1,000,000 elements": Row(networks.large_chain, 0.7, 0.34),
}
MEMORY = ("GPT, AdamW", "LeNet, Adam")
BARE_ASKED, JAX_ASKED, RECORDING_ASKED = 1.6, 1.0, 10


# ---- contestants -----------------------------------------------------------------------------------------------------
def library(name: str) -> Any:
    """PyTorch, on one thread, or mini_torch."""
    if name != "PyTorch":
        return mini_torch
    import torch

    torch.set_num_threads(1)
    return torch


def compiled(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call as a plan, or an error that says what of it no plan can hold."""
    if not hasattr(mini_torch, "compile"):
        raise NotImplementedError("mini_torch.compile is not there")
    return mini_torch.compile(call, fullgraph=True)  # type: ignore[no-any-return]


def prepared(make: Callable[[Any], Work], name: str) -> tuple[Work, Call]:
    """A contestant's work, built anew from the seed, and what to call."""
    work = make(library(name))
    function = compiled(work.call) if name == "compiled" else work.call
    return work, partial(function, *work.inputs)


def first_results(work: Work, call: Call, steps: int = 5) -> list[np.ndarray]:
    """The losses of the first steps, and the gradients of the leaves after them."""
    results = [call() for _ in range(steps)]
    return [x.detach().numpy().copy() for x in (*results, *(leaf.grad for leaf in work.leaves))]


def agree(name: str, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> None:
    """Raises an AssertionError unless both did the same work."""
    for own, their in zip(ours, theirs, strict=True):
        scale = float(np.abs(their).max()) * 1e-3
        np.testing.assert_allclose(own, their, rtol=1e-3, atol=scale, err_msg=f"{name} did other work")


class Contest:
    """The contestants of one row, on the same work, each checked against the first of them."""

    def __init__(self, row: Row) -> None:
        self.calls: dict[str, Call] = {}
        self.why = ""  # there is no plan
        with self.mode(row):
            results: list[np.ndarray] = []
            for name in ("PyTorch", "eager", "compiled"):
                if name == "PyTorch" and not timing.has_torch():
                    continue
                try:
                    work, call = prepared(row.make, name)
                    mine = first_results(work, call)
                except Exception as error:
                    if name != "compiled":
                        raise
                    self.why = f"{type(error).__name__}: {error}".partition("\n")[0]
                    continue
                agree(name, mine, results or mine)
                results, self.calls[name] = results or mine, call

    @staticmethod
    def mode(row: Row) -> ExitStack:
        """no_grad of all libraries, where the row is inference."""
        stack = ExitStack()
        libraries = [mini_torch, *([library("PyTorch")] if timing.has_torch() else [])]
        if not row.make(mini_torch).grad:
            for torch in libraries:
                stack.enter_context(torch.no_grad())
        return stack

    def times(self, row: Row, count: int, seconds: float = 0.05) -> dict[str, list[float]]:
        """Seconds per call of each, in rounds of at least `seconds`."""
        with self.mode(row):
            first = next(iter(self.calls.values()))
            once = min(timing.seconds(first, 3, process_time) for _ in range(2))
            return timing.rounds(self.calls, max(1, round(seconds / once)), count, process_time)


# ---- the table -------------------------------------------------------------------------------------------------------
HEAD = ("a step of", "PyTorch", "mini_torch", "eager ratio", "compiled ratio", "asked", "verdict")


def microseconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1e6:,.0f} µs"


def line(name: str, row: Row, times: dict[str, list[float]]) -> list[str]:
    """The row of the table."""
    base = times.get("PyTorch")
    cells = [name, microseconds(base) if base else "–", microseconds(times["eager"])]
    verdicts = []
    for reading, asked in (("eager", row.eager), ("compiled", row.compiled)):
        found = timing.ratio(times[reading], base) if base and reading in times else None
        cells.append("–" if found is None else f"{found:.2f}")
        verdicts.append("–" if found is None else "met" if round(found, 2) <= asked else "missed")
    return [*cells, f"≤ {row.eager}, ≤ {row.compiled}", ", ".join(verdicts)]


def bare_products(batch: int = 64) -> Call:
    """The matrix products of an MLP step, forward and backward, into arrays that are there already."""
    rng, parts = np.random.default_rng(0), list(pairwise(networks.SIZES))

    def random(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype=np.float32)

    jobs = []
    for index, (a, b) in enumerate(parts):
        x, w, g = random(batch, a), random(b, a), random(batch, b)
        jobs += [(x, w.T, random(batch, b)), (g.T, x, random(b, a))]
        jobs += [(g, w, random(batch, a))] if index else []

    def run() -> None:
        for left, right, out in jobs:
            np.matmul(left, right, out=out)

    return run


def extras(name: str, contest: Contest) -> None:
    """Beside the MLP with Adam: the bare products, and jax where it is installed."""
    if name == "MLP, Adam":
        contest.calls["bare BLAS"] = bare_products()
        from .in_jax import mlp_step

        step = mlp_step()
        if step:
            contest.calls["jax.jit"] = step


def extra_lines(times: dict[str, list[float]]) -> list[list[str]]:
    """What the extras took, and how the compiled step stands to them."""
    lines = []
    for name, asked in (("bare BLAS", BARE_ASKED), ("jax.jit", JAX_ASKED)):
        if name in times:
            cell, verdict = "–", "–"
            if "compiled" in times:
                found = timing.ratio(times["compiled"], times[name])
                cell, verdict = f"{found:.2f}", "met" if round(found, 2) <= asked else "missed"
            own = f"{timing.ratio(times[name], times['PyTorch']):.2f}" if "PyTorch" in times else "–"
            lines.append([name, microseconds(times[name]), own, cell, f"≤ {asked}", verdict])
    return lines


def print_steps(names: Sequence[str], count: int, bare: bool) -> None:
    """The main table."""
    lines, beside = [], []
    reasons: dict[str, list[str]] = {}
    for name in names:
        contest = Contest(ROWS[name])
        if bare:
            extras(name, contest)
        times = contest.times(ROWS[name], count)
        lines.append(line(name, ROWS[name], times))
        beside += extra_lines(times)
        if contest.why:
            reasons.setdefault(contest.why, []).append(name)
        print(*lines[-1], sep="  ", file=sys.stderr)
    print(timing.table(HEAD, lines))
    for why, of in reasons.items():
        print(f"\nnot compiled ({'; '.join(of)}): {why}")
    if beside:
        head = ("MLP, Adam, beside", "time", "ratio to PyTorch", "compiled to it", "asked", "verdict")
        print("\n" + timing.table(head, beside))


# ---- memory ----------------------------------------------------------------------------------------------------------
def peak(name: str, contestant: str, steps: int) -> int:
    """The most bytes that a new process holds at once while it does the steps; 0 steps: while it only imports."""
    command = [sys.executable, "-m", "benchmarks.workloads", "--alone", name, contestant, str(steps)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.strip().rpartition("\n")[2])
    return int(run.stdout.split()[-1])


def alone(name: str, contestant: str, steps: int) -> None:
    """In the new process: the steps, then the peak as the kernel has kept it."""
    library(contestant)
    if steps:
        _, call = prepared(ROWS[name].make, contestant)
        for _ in range(steps):
            call()
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    print(int(found[1]) * 1024 if found else 0)


def print_memory(names: Sequence[str]) -> None:
    """Peak memory of twenty steps above the imports."""
    lines = []
    for name in names:
        above: dict[str, float] = {}
        for contestant in ("PyTorch", "eager", "compiled"):
            try:
                above[contestant] = (peak(name, contestant, 20) - peak(name, contestant, 0)) / 2**20
            except RuntimeError as error:
                print(f"{name}, {contestant}: {error}", file=sys.stderr)
        cells = [f"{above[c]:.1f} MiB" if c in above else "–" for c in ("PyTorch", "eager", "compiled")]
        verdicts = [
            "–" if own not in above or to not in above else "met" if above[own] <= above[to] else "missed"
            for own, to in (("eager", "PyTorch"), ("compiled", "eager"))
        ]
        lines.append([name, *cells, "eager ≤ PyTorch, compiled ≤ eager", ", ".join(verdicts)])
    print(timing.table(("peak memory", "PyTorch", "eager", "compiled", "asked", "verdict"), lines))


# ---- recording -------------------------------------------------------------------------------------------------------
def print_recording(names: Sequence[str], count: int) -> None:
    """What the first compiled call costs, in eager steps."""
    lines = []
    for name in names:
        row = ROWS[name]
        try:
            with Contest.mode(row):
                ratios = [recording(row) for _ in range(count)]
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        found = statistics.median(ratios)
        verdict = "met" if found <= RECORDING_ASKED else "missed"
        lines.append([name, f"{found:.1f}", f"≤ {RECORDING_ASKED}", verdict])
    print(timing.table(("first compiled call of", "in eager steps", "asked", "verdict"), lines))


def recording(row: Row) -> float:
    """The first compiled call's time to an eager step's."""
    _, eager = prepared(row.make, "eager")
    eager()
    _, first = prepared(row.make, "compiled")
    gc.collect()
    start = process_time()
    first()
    taken = process_time() - start
    return taken / timing.seconds(eager, 5, process_time)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], metavar="REGEX", help="rows whose name has one of these")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--bare", action="store_true", help="the MLP beside its bare products and jax")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--recording", action="store_true", help="the first compiled call instead")
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = [name for name in ROWS if any(re.search(only, name) for only in options.only)]
    warnings.simplefilter("ignore")
    if options.alone:
        alone(options.alone[0], options.alone[1], int(options.alone[2]))
    elif options.memory:
        print_memory([name for name in names if name in MEMORY or options.only != [""]])
    elif options.recording:
        print_recording(names, 5)
    else:
        print_steps(names, options.rounds, options.bare)


if __name__ == "__main__":
    main()
