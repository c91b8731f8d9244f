#!/usr/bin/env python3
"""Draw points of the surface y = sin(x1) - cos(x2) on [-2π, 2π]² and write them as rows `x1,x2,y`.

    python data_generator.py --num 5000 --ratio 0.8     # train.csv and dev.csv, 4 : 1
    python data_generator.py --num 5000 --test          # test.csv

This file also reads such rows back (`read_rows`) and holds what the scripts share: one-line errors
with exit code 2 (`InputError`, `run`), options that take `-` and `_` alike (`Parser`), and files that
are either there in full or not at all (`replacing`).
"""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np

DOMAIN = 2 * np.pi  # x1 and x2 lie in [-DOMAIN, DOMAIN]
INNER = 2.0  # --extra_ratio draws from [-INNER, INNER]²
HEADER = "x1,x2,y"
STREAMS = {"train": 0, "dev": 1, "test": 2, "extra": 3}  # each file has random numbers of its own
ROWS_AT_ONCE = 100_000
DEFAULT = " (default: %(default)s)"  # at the end of an option's help


class InputError(Exception):
    """Something that the user gave is wrong; the message says what, in one line."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose options take `-` and `_` alike, and whose errors are one line."""

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_abbrev=False)

    def parse_known_args(self, args=None, namespace=None):  # parse_args() calls it
        args = sys.argv[1:] if args is None else args
        return super().parse_known_args([_underscored(argument) for argument in args], namespace)

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def _underscored(argument: str) -> str:
    """`--data-dir=a-b` → `--data_dir=a-b`; what is no option stays as it is."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument[2:].partition("=")
    return "--" + name.replace("-", "_") + equals + value


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's `main`; wrong input ends it with one line on stderr and exit code 2, Ctrl-C with 130."""
    try:
        sys.exit(main() or 0)
    except (InputError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{Path(sys.argv[0]).name}: interrupted", file=sys.stderr)
        sys.exit(130)


# ------------------------------------------------------------------------------------------ points

def surface(x: np.ndarray) -> np.ndarray:
    """y = sin(x1) - cos(x2), in float32. Shape: x (n, 2) → y (n, 1)."""
    wide = x.astype(np.float64)
    return (np.sin(wide[:, :1]) - np.cos(wide[:, 1:])).astype(np.float32)


def points(count: int, stream: str, seed: int = 0, bound: float = DOMAIN) -> np.ndarray:
    """`count` rows (x1, x2, y), uniform in [-bound, bound]², in float32.

    Shape: (count, 3). The rows depend on the seed and on the stream's name alone, so that the test
    points stay the same however many training points there are.

    >>> points(2, "train").shape
    (2, 3)
    """
    rng = np.random.default_rng([seed, STREAMS[stream]])
    x = rng.uniform(-bound, bound, (count, 2)).astype(np.float32)
    return np.hstack([x, surface(x)])


def training_points(num: int, ratio: float, extra_ratio: float, seed: int) -> dict[str, np.ndarray]:
    """Rows of train.csv and dev.csv: `num` split by `ratio`, plus extra training rows of the inner square."""
    count = round(num * ratio)
    if not 0 < count < num:
        empty = "dev" if count else "train"
        raise InputError(f"--num {num} with --ratio {ratio:g} leaves {empty}.csv without rows")
    train = points(count, "train", seed)
    extra = points(round(count * extra_ratio), "extra", seed, INNER)
    return {"train": np.vstack([train, extra]), "dev": points(num - count, "dev", seed)}


# ------------------------------------------------------------------------------------------- files

@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path` to write to, renamed to it at the end; after a failure `path` is as it was.

    >>> with replacing("notes.txt") as beside:
    ...     _ = beside.write_text("whole or not at all")
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_rows(path: Path, rows: np.ndarray, header: str | None = None) -> None:
    """Write rows with nine significant digits, which is what float32 needs to come back the same."""
    line = ",".join(["%.9g"] * rows.shape[1]) + "\n"
    with open(path, "w", encoding="ascii", newline="\n") as file:
        if header:
            file.write(header + "\n")
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start:start + ROWS_AT_ONCE]
            file.write(line * len(part) % tuple(part.ravel().tolist()))


def read_rows(path: str | os.PathLike[str]) -> np.ndarray:
    """Read rows `x1,x2,y` as float32, with or without a first line that names the columns.

    Shape: (n, 3). Raises InputError, naming file and line, for what is no row of three finite numbers.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; `python data_generator.py` makes it (see --help)")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; expected rows {HEADER}") from None
    lines = text.splitlines()
    first = 1 if lines and "".join(lines[0].split()).lower() == HEADER else 0
    if not any(line.strip() for line in lines[first:]):
        raise InputError(f"{path}: no data in it; expected rows {HEADER}")
    try:
        rows = np.loadtxt(lines[first:], np.float64, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        rows = np.full((1, 3), np.nan)  # a line is wrong: say which
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32)
    if rows.shape[1] != 3 or not np.isfinite(rows).all():
        raise InputError(_first_problem(path, lines, first))
    return rows


def _first_problem(path: Path, lines: Sequence[str], first: int) -> str:
    """What is wrong in the first wrong line, with the line's number."""
    for number, line in enumerate(lines[first:], first + 1):
        fields = [field.strip() for field in line.split(",")]
        if fields == [""]:
            continue
        if len(fields) != 3:
            return f"{path}:{number}: {len(fields)} column{'s' * (len(fields) > 1)}, expected 3 ({HEADER})"
        for field in fields:
            problem = _problem(field)
            if problem:
                return f"{path}:{number}: {field[:40]!r} is {problem}"
    return f"{path}: not rows of three numbers {HEADER}"


def _problem(field: str) -> str | None:
    try:
        with np.errstate(over="ignore"):
            value = np.float32(float(field.replace("_", "?")))  # Python alone reads 1_000 as a number
    except ValueError:
        return "not a number"
    return None if np.isfinite(value) else "not a finite number in float32"


# ------------------------------------------------------------------------------------------ script

def parse(args: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, checked."""
    parser = Parser("Draw points of y = sin(x1) - cos(x2) on [-2pi, 2pi]^2 and write them as rows x1,x2,y.")
    parser.add_argument("--num", type=int, default=5000, help="number of points" + DEFAULT)
    parser.add_argument("--ratio", type=float, default=0.8,
                        help="share of them that goes to train.csv; the rest is dev.csv" + DEFAULT)
    parser.add_argument("--extra_ratio", type=float, default=0.0,
                        help="add 0 to 0.5 times the training rows, drawn from [-2, 2]^2" + DEFAULT)
    parser.add_argument("--test", action="store_true", help="write all points to test.csv instead")
    parser.add_argument("--output_dir", type=Path, default=Path("data"), help="where the files go" + DEFAULT)
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files" + DEFAULT)
    options = parser.parse_args(args)
    if options.num < 1:
        raise InputError(f"--num must be at least 1, got {options.num}")
    if not 0 < options.ratio < 1:
        raise InputError(f"--ratio must lie between 0 and 1, got {options.ratio:g}")
    if not 0 <= options.extra_ratio <= 0.5:
        raise InputError(f"--extra_ratio must lie in 0 to 0.5, got {options.extra_ratio:g}")
    if options.test and options.extra_ratio:
        raise InputError("--extra_ratio adds training rows, so it does not go with --test")
    if options.seed < 0:
        raise InputError(f"--seed must not be negative, got {options.seed}")
    return options


def main(args: Sequence[str] | None = None) -> None:
    options = parse(args)
    if options.test:
        files = {"test": points(options.num, "test", options.seed)}
    else:
        files = training_points(options.num, options.ratio, options.extra_ratio, options.seed)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    paths = {options.output_dir / f"{name}.csv": rows for name, rows in files.items()}
    with ExitStack() as stack:
        for path, rows in paths.items():
            write_rows(stack.enter_context(replacing(path)), rows)
    for path, rows in paths.items():
        print(f"{path}: {len(rows)} rows")


if __name__ == "__main__":
    run(main)
