"""Loading and saving a large state dict, beside PyTorch where that is installed: time, and the peak of memory.

    python -m benchmarks.checkpoints [--size 500] [--rounds 5]

Asked for: a float32 state dict of 500 MB from a .pt file and from a safetensors file each in at most 1.2 of
torch.load's time, with a peak of at most 1.1 of the file; mapped, at most 0.1 until the numbers are touched. Each time
is that of a process of its own, which has imported what it needs and loaded a small file before; the readers take
turns, so that each round sees the same state of the machine. The file is in the system's cache.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from . import timing

ROOT = Path(__file__).parents[1]

# name -> (the library, the file, what is done with it)
LOADERS = {
    "torch.load": ("torch", "pt", "torch.load(path)"),
    "mini_torch.load": ("mini_torch", "pt", "mini_torch.load(path)"),
    "mini_torch.load, mmap=True": ("mini_torch", "pt", "mini_torch.load(path, mmap=True)"),
    "safetensors.load_file, read": (
        "mini_torch.safetensors", "safetensors", "mini_torch.safetensors.load_file(path, backend='pread')"),
    "safetensors.load_file, mapped": (
        "mini_torch.safetensors", "safetensors", "mini_torch.safetensors.load_file(path)"),
}  # fmt: skip
SAVERS = {
    "torch.save": ("torch", "pt", "torch.save(torch.load(path), out)"),
    "mini_torch.save": ("mini_torch", "pt", "mini_torch.save(mini_torch.load(path), out)"),
}
MAKE = """
import sys, mini_torch
count, folder = int(sys.argv[1]), sys.argv[2]
for name, elements in (("small", 1000), ("large", count)):
    rows = max(elements // 100 // 1000, 1)
    state = {f"layers.{i}.weight": mini_torch.full((1000, rows), i / 7) for i in range(100 if elements > 1000 else 1)}
    mini_torch.save(state, f"{folder}/{name}.pt")
    if int(sys.argv[3]):
        from mini_torch.safetensors import save_file
        save_file(state, f"{folder}/{name}.safetensors")
"""
MEASURE = """
import json, resource, sys, time
library, action, small, large = sys.argv[1:]
exec(f"import {library}")
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
def run(path, out): return eval(action, globals(), {"path": path, "out": out})
run(small, small + ".out")
before, start = peak(), time.perf_counter()
kept = run(large, large + ".out")
print(json.dumps({"seconds": time.perf_counter() - start, "peak": peak() - before}))
"""


def program(code: str, *arguments: object) -> str:
    """What a Python program of its own prints. It runs on one thread."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def measured(chosen: dict[str, tuple[str, str, str]], folder: Path, rounds: int) -> dict[str, list[dict[str, float]]]:
    """The time and the peak of memory of each, `rounds` times, in turn."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, (library, kind, action) in chosen.items():
            files = folder / f"small.{kind}", folder / f"large.{kind}"
            found[name].append(json.loads(program(MEASURE, library, action, *files)))
    return found


def installed(of: dict[str, tuple[str, str, str]]) -> dict[str, tuple[str, str, str]]:
    """Those whose packages are there."""
    missing = {name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None}
    return {name: each for name, each in of.items() if not missing & {each[0].split(".")[-1]}}


def rows(found: dict[str, list[dict[str, float]]], size: int) -> list[tuple[str, str, str, str]]:
    """A table's rows: the median time, its ratio to PyTorch's, and the peak as a part of the file."""
    table = []
    first = next(iter(found))
    for name, results in found.items():
        times = [each["seconds"] for each in results]
        beside = f"{timing.ratio(times, [each['seconds'] for each in found[first]]):.2f}"
        peak = statistics.median(each["peak"] for each in results) / size
        table.append((name, f"{statistics.median(times):.3f} s", beside, f"{peak:.2f}"))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=500, help="megabytes of the state dict (default: 500)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program(MAKE, int(options.size * 1e6 / 4), folder, int(importlib.util.find_spec("safetensors") is not None))
        size = (folder / "large.pt").stat().st_size
        for chosen in (LOADERS, SAVERS):
            found = measured(installed(chosen), folder, options.rounds)
            beside = f"beside {next(iter(found))}"
            print(timing.table(("what", "median", beside, "peak of memory / file"), rows(found, size)))
            print()


if __name__ == "__main__":
    main()
