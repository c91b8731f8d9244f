"""The runs of the examples that are recorded from PyTorch and repeated in mini_torch: which, with what, and how."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data" / "examples.json"
STEPS = 100  # as many losses are the same
TEXT = "tests/data/text.txt"  # Python's manual, which the language models read else, is another in every version
OPTIONS = {
    "char_gpt": ["--text", TEXT, "--length", "20"],
    "decoder": ["--steps", "10", "--text", TEXT, "--folder", "{folder}"],  # a hundred would take twelve seconds
}
WARNINGS = ["error", *(  # but those of the oldest matplotlib beside the newest pyparsing
    f"ignore::DeprecationWarning:matplotlib.{name}" for name in ("_fontconfig_pattern", "_mathtext"))]  # fmt: skip
ENVIRONMENT = {
    **os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": ",".join(WARNINGS),
}  # fmt: skip


def options(name: str) -> list[str]:
    return ["--steps", str(STEPS), *OPTIONS.get(name, [])]  # a second --steps wins


def start(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """An example as a user starts it."""
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)


def run(name: str, backend: str) -> dict[str, Any]:
    """What an example notes of its recorded run: losses, results, seconds."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "record.json")
        chosen = [option.format(folder=folder) for option in options(name)]
        done = start(name, *chosen, "--backend", backend, "--image", "", "--record", str(record))
        if done.returncode:
            raise RuntimeError(f"examples/{name}.py ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(record.read_text())  # type: ignore[no-any-return]
