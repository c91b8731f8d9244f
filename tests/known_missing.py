"""Writes known_missing.txt, what test_database.py is known to find wanting: `python tests/known_missing.py`.

With names of operations, those are tried alone and what is wrong with them is printed.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

import mini_torch
import test_database


def main(wanted: list[str]) -> None:
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)
    missing = []
    for name, entry in test_database.all_entries():
        for what, check in test_database.CHECKS.items():
            if wanted and name not in wanted:
                continue
            mini_torch.manual_seed(0)
            try:
                check(entry)
                if f"{what} {name}" in test_database.DIFFERS:
                    print(f"{what} {name} passes: DIFFERS need not have it")
            except (Exception, pytest.fail.Exception) as error:
                if f"{what} {name}" not in test_database.DIFFERS:
                    missing.append(f"{what} {name}")
                if wanted:
                    print(f"{what} {name}", type(error).__name__, str(error)[:1000])
    if not wanted:
        (Path(__file__).parent / "known_missing.txt").write_text("".join(f"{line}\n" for line in missing))
        print(f"{len(missing)} of {len(test_database.all_entries()) * len(test_database.CHECKS)}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(sys.argv[1:])
