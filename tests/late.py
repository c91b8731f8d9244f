"""Writes the table of mini_torch/late.py: `python tests/late.py`. To make a room late, enter it with empty strings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "mini_torch" / "late.py"
TABLE = re.compile(r"(?<=^ROOMS: dict\[str, tuple\[str, str, str\]\] = \{\n).*?(?=^\})", re.DOTALL | re.MULTILINE)
NO_DOOR = ("ops.linalg.", "ops.special.")  # what is not torch's own there has a door of its own


def entry(room: str, *columns: list[str]) -> str:
    """One room's lines in the table."""
    parts = []
    for names in columns:
        lines = textwrap.wrap(" ".join(names), 100)
        spaced = [f"{line} " for line in lines[:-1]] + lines[-1:]
        parts.append("\n".join(f'        "{line}"' for line in spaced) or '        ""')
    return f'    "{room}": (\n' + ",\n".join(parts) + ",\n    ),\n"


def table() -> str:
    """The table as the rooms are now. Opens them, so it needs an interpreter of its own."""
    from mini_torch import Tensor, late

    recorded = json.loads((Path(__file__).parent / "data" / "promotion.json").read_text())
    torch_names = {*recorded["methods"], *recorded["functions only"]}
    core, seen, text = set(vars(sys.modules["mini_torch"])), set(), ""
    for room in late.ROOMS:
        before = dict(vars(Tensor))
        module = import_module(f"mini_torch.{room}")
        public = [name for name in getattr(module, "__all__", ()) if name not in core | seen]
        top = [name for name in public if name in torch_names]
        others = [] if room.startswith(NO_DOOR) else [name for name in public if name not in top]
        seen.update(top, others)
        methods = sorted(
            f"@{name}" if isinstance(value, property) else name
            for name, value in vars(Tensor).items() if before.get(name) is not value
        )
        text += entry(room, sorted(top), sorted(others), methods)
    return text


def current() -> str:
    """What `table` gives in a fresh interpreter."""
    return subprocess.run([sys.executable, __file__, "--print"], capture_output=True, text=True, check=True, cwd=ROOT,
                          env={"PYTHONPATH": str(ROOT)}).stdout  # fmt: skip


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(table(), end="")
    else:
        FILE.write_text(TABLE.sub(lambda _: current(), FILE.read_text()))
