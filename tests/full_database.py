"""The whole of PyTorch's database of operations, live: `tests/run.sh --torch`.

Every sample (of up to 50,000 numbers) of every operation in scope is recorded in memory (record_database.py) and
checked as the small ones of test_database.py are. Prints, per group and check, how many operations pass with all their
samples, and fails where that is below floor.json, which has numbers for all samples and for CI's 40.

    tests/run.sh --torch                    all of it
    tests/run.sh --torch --samples 40       40 samples of an operation and type, evenly spread
    tests/run.sh --torch --only 'fft|stft'  some operations, with what is wrong
    tests/run.sh --torch --write-floor      keep today's numbers as the floor
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import database
import mini_torch
import record_database
import test_database

FLOOR = Path(__file__).parent / "floor.json"
ORDERS = {"float64": 2, "float32": 1, "complex128": 2, "int64": 0, "bool": 0}


class Result(NamedTuple):
    name: str
    group: str
    samples: int
    wrong: dict[str, str]  # by check


def examine(name: str, most: int | None) -> Result:
    """Records an operation's samples and runs every check on them."""
    entry = database.entries()[name]
    store = record_database.Store()
    record_database.left_out.clear()
    plan = {dtype: (most, order) for dtype, order in ORDERS.items()}
    made = record_database.record_entry(entry, store, plan, record_database.spread)
    record = json.loads(json.dumps(made))  # tuples and keys as in a file
    wrong = {}
    for what, check in test_database.CHECKS.items():
        mini_torch.manual_seed(0)
        try:
            check(test_database.Entry(name, record, store.arrays))
        except (Exception, pytest.fail.Exception) as error:
            if f"{what} {name}" in test_database.DIFFERS:
                continue
            wrong[what] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return Result(name, database.group_of(entry), sum(map(len, record["samples"].values())), wrong)


def examine_quietly(task: tuple[str, int | None]) -> Result:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    try:
        return examine(*task)
    except Exception as error:  # the database or PyTorch itself: not to be overlooked
        failed = dict.fromkeys(test_database.CHECKS, f"not recorded: {type(error).__name__}: {error}")
        return Result(task[0], database.group_of(database.entries()[task[0]]), 0, failed)


def passed(results: Iterable[Result]) -> dict[str, dict[str, int]]:
    """Per group, how many operations there are and pass each check."""
    counts: dict[str, dict[str, int]] = {}
    for result in results:
        group = counts.setdefault(result.group, dict.fromkeys(["operations", "samples", *test_database.CHECKS], 0))
        group["operations"] += 1
        group["samples"] += result.samples
        for what in test_database.CHECKS.keys() - result.wrong.keys():
            group[what] += 1
    return dict(sorted(counts.items()))


def show(counts: dict[str, dict[str, int]]) -> None:
    total = {key: sum(group[key] for group in counts.values()) for key in next(iter(counts.values()))}
    columns = [what.removeprefix("test_") for what in test_database.CHECKS]
    print(f"{'group':16}{'samples':>8}", *(f"{column:>12}" for column in columns))
    for name, group in [*counts.items(), ("total", total)]:
        cells = [f"{group[what]}/{group['operations']}" for what in test_database.CHECKS]
        print(f"{name:16}{group['samples']:8}", *(f"{cell:>12}" for cell in cells))


def below(counts: dict[str, dict[str, int]], floor: dict[str, dict[str, int]]) -> list[str]:
    """What is lost against the floor. One operation per group and check is let go: processors round differently."""
    return [
        f"{group}, {what}: {counts.get(group, {}).get(what, 0)}, the floor is {least}"
        for group, row in floor.items()
        for what, least in row.items()
        if counts.get(group, {}).get(what, 0) < least - 1
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a regular expression for names of operations")
    parser.add_argument("--samples", type=int, help="at most so many of an operation and type")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write-floor", action="store_true")
    options = parser.parse_args()
    start = time.monotonic()
    tasks = [(name, options.samples) for name in database.entries() if re.search(options.only, name)]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        results = []
        for result in pool.imap_unordered(examine_quietly, tasks, chunksize=4):
            results.append(result)
            for what, error in result.wrong.items():
                shown = error if options.only else error[:150]
                print(f"  {result.name}, {what.removeprefix('test_')}: {shown}", flush=True)
    counts = passed(results)
    show(counts)
    print(f"PyTorch {torch.__version__}, {time.monotonic() - start:.0f} s")
    if options.only:
        return 0
    floors = json.loads(FLOOR.read_text()) if FLOOR.exists() else {}
    which = "all" if options.samples is None else str(options.samples)
    if options.write_floor:
        floors[which] = counts
        FLOOR.write_text(json.dumps(floors, indent=1) + "\n")
    if which not in floors:
        print(f"{FLOOR.name} has no numbers for this many samples: --write-floor keeps today's")
        return 0
    lost = below(counts, floors[which])
    print("no group is below the floor" if not lost else "\n".join(lost))
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
