"""Records what PyTorch prints for each program in tests/torch_programs: `python tests/record_torch_programs.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "torch_programs").glob("*.py"))
RECORDED = HERE / "data" / "torch_programs.json"


def printed(program: Path) -> list[str]:
    """The lines that the program prints in a process of its own."""
    done = subprocess.run([sys.executable, "-W", "ignore", str(program)], stdout=subprocess.PIPE, text=True, check=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    return done.stdout.splitlines()


if __name__ == "__main__":
    text = json.dumps({program.stem: printed(program) for program in PROGRAMS}, indent=1, ensure_ascii=False)
    RECORDED.write_text(text + "\n", encoding="utf-8")
