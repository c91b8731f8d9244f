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
TABLE = re.compile(r"^ROOMS: .*?(?=^TOP = )", re.DOTALL | re.MULTILINE)
# Files of which nn.functional has only a part.
ONLY = {
    "ops.elementwise.trigonometry": {"tanh"}, "ops.linalg.contraction": {"bilinear"},
    "ops.linalg.products": {"linear"}, "ops.linear_cross_entropy": {"linear_cross_entropy"},
}  # fmt: skip


def literal(names: list[str], indent: str) -> str:
    """The names as one string over several lines."""
    lines = textwrap.wrap(" ".join(names), 100)
    spaced = [f"{line} " for line in lines[:-1]] + lines[-1:]
    return "\n".join(f'{indent}"{line}"' for line in spaced) or f'{indent}""'


def public(room: str) -> list[str]:
    """The names in the room's `__all__`."""
    return list(getattr(import_module(f"mini_torch.{room}"), "__all__", ()))


def rooms_of_torch() -> str:
    """Per room the names of `torch.*` and the methods that it brings."""
    from mini_torch import Tensor, late

    recorded = json.loads((Path(__file__).parent / "data" / "promotion.json").read_text())
    torch_names = {*recorded["methods"], *recorded["functions only"]}
    seen, text = set(vars(sys.modules["mini_torch"])), ""
    for room in late.ROOMS:
        before = dict(vars(Tensor))
        top = sorted(name for name in public(room) if name in torch_names - seen)
        seen.update(top)
        methods = sorted(
            f"@{name}" if isinstance(value, property) else name
            for name, value in vars(Tensor).items() if before.get(name) is not value
        )  # fmt: skip
        text += f'    "{room}": (\n{literal(top, " " * 8)},\n{literal(methods, " " * 8)},\n    ),\n'
    return text


def rooms_of_nn(rooms: dict[str, str], classes: bool) -> str:
    """Per room the names that the door `nn` has of it, or, without `classes`, the door `nn.functional`."""
    text = ""
    for room in rooms:
        given = public(room) if classes else ONLY.get(room, public(room))
        names = [name for name in given if name[0].isupper() == classes]
        text += f'    "{room}": (\n{literal(sorted(names), " " * 8)}\n    ),\n'
    return text


def table() -> str:
    """The tables as the rooms are now. Opens them, so it needs an interpreter of its own."""
    from mini_torch import late

    return (
        f"ROOMS: dict[str, tuple[str, str]] = {{\n{rooms_of_torch()}}}\n\n"
        "# What `nn` has, and what `nn.functional` has: the same file may serve both doors.\n"
        f"NN: dict[str, str] = {{\n{rooms_of_nn(late.NN, True)}}}\n\n"
        f"FUNCTIONAL: dict[str, str] = {{\n{rooms_of_nn(late.FUNCTIONAL, False)}}}\n\n"
    )


def current() -> str:
    """What `table` gives in a fresh interpreter."""
    return subprocess.run([sys.executable, __file__, "--print"], capture_output=True, text=True, check=True, cwd=ROOT,
                          env={"PYTHONPATH": str(ROOT)}).stdout  # fmt: skip


if __name__ == "__main__":
    if "--print" in sys.argv:
        print(table(), end="")
    else:
        FILE.write_text(TABLE.sub(lambda _: current(), FILE.read_text()))
