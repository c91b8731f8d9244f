"""Programs written for PyTorch print here what they print there, unchanged: numbers to 1e-4, all else to the letter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from record_torch_programs import PROGRAMS, RECORDED

NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
THEIRS = json.loads(RECORDED.read_text(encoding="utf-8"))

# All programs in one process that has mini_torch already, each in a fork of it.
DRIVER = """
import os, runpy, sys, warnings
import mini_torch
mini_torch.install_as_torch()
import torch.nn.functional, torch.optim, torch.utils.data, torch.distributions
warnings.simplefilter("ignore")
for place in range(2, len(sys.argv), 2):
    program, output = sys.argv[place : place + 2]
    child = os.fork()
    if not child:
        file = os.open(output, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.argv = [program]
        sys.path[0] = os.path.dirname(program)
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit:
            pass
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what each program printed."""
    folder = tmp_path_factory.mktemp("printed")
    places = [str(place) for program in PROGRAMS for place in (program, folder / program.stem)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", DRIVER, "programs", *places], check=True, env=environment)
    return folder


def differences(ours: list[str], theirs: list[str]) -> list[tuple[str, str]]:
    pairs = [(a, b) for a, b in zip(ours, theirs) if not same(a, b)]
    return pairs + [(a, "") for a in ours[len(theirs) :]] + [("", b) for b in theirs[len(ours) :]]


def same(a: str, b: str) -> bool:
    """The same words, and numbers that differ by 1e-4 at most, and one in the last place that is printed."""
    if [part.split() for part in NUMBER.split(a)] != [part.split() for part in NUMBER.split(b)]:
        return False
    pairs = list(zip(NUMBER.findall(a), NUMBER.findall(b), strict=True))
    return all(abs(float(x) - float(y)) <= 1e-4 * max(1, abs(float(y))) + last_place(y) for x, y in pairs)


def last_place(number: str) -> float:
    """0.01 of "3.14", 0 of "3"."""
    digits, _, exponent = number.lower().partition("e")
    return 1.001 * 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2])) if "." in digits else 0.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each program runs in a fork")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_prints_what_it_prints_with_pytorch(program: Path, outputs: Path) -> None:
    ours = (outputs / program.stem).read_text(encoding="utf-8").splitlines()
    assert differences(ours, THEIRS[program.stem]) == []


def test_every_program_is_recorded() -> None:
    assert sorted(THEIRS) == [program.stem for program in PROGRAMS]


def test_differences_are_seen() -> None:
    assert not differences(["loss 1.2345 at 3"], ["loss  1.2346 at 3"])
    for other in ("loss 1.2349 at 3", "loss 1.2345 at 4", "Loss 1.2345 at 3", "loss 1.2345 at 3 x"):
        assert differences(["loss 1.2345 at 3"], [other]) == [("loss 1.2345 at 3", other)]
    assert differences(["a"], ["a", "b"]) == [("", "b")]
