"""20,000 damaged files of each format; what `fuzz.py` says of a reader that does wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
linux = pytest.mark.skipif(sys.platform != "linux", reason="the memory of the process is watched by Linux's means")


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)


@linux
@pytest.mark.parametrize("form", ["pt", "legacy", "safetensors", "npz"])
def test_damaged_files_are_refused_or_load_right(form: str) -> None:
    if form == "safetensors":
        pytest.importorskip("safetensors")
    done = ran(str(TESTS / "fuzz.py"), "--format", form, "--count", "20000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'loaded'" in done.stdout, "nothing loads: the damage is too much to show anything"


@linux
@pytest.mark.parametrize(
    ("does", "finding"),
    [
        ("raise ValueError('x')", "ValueError: x"),
        ("raise CheckpointError('damaged')", "unclear error: 'damaged'"),
        ("np.empty(1 << 40, np.uint8)", "MemoryError"),
        ("import os; os.system('true')", "os.system (b'true'"),
        ("open(path + '.canary', 'w')", "did [\"open"),
        ("while True: pass", "took more than 2.0 s"),
        ("return {'w': torch.ones(3)}", "loaded numbers that nobody saved"),
    ],
)
def test_the_fuzzer_finds(does: str, finding: str, tmp_path: Path) -> None:
    """A reader that does this, with a file of any kind."""
    program = f"""
import sys, fuzz
from fuzz import CheckpointError, np, torch
def load(path):
    {does}
form = fuzz.npz()
fuzz.guard()
print(fuzz.judge(form._replace(load=load), sys.argv[1], form.files[0], True, set()))
"""
    done = ran("-c", program, str(tmp_path / "damaged"))
    assert finding in done.stdout, done.stdout + done.stderr
