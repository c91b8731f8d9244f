"""Every example in mini_torch and in PyTorch, one after the other: `python -m benchmarks.examples [name …]`.

Prints one table. Times are those that the processor spent on the steps: what other programs take is left out.
"""

from __future__ import annotations

import sys
from typing import Any

from examples import frame

from . import timing

HEAD = ("example", "steps", "what came out", "mini_torch", "PyTorch", "difference of the losses",
        "s, mini_torch", "s, PyTorch", "ratio")  # fmt: skip

def rows(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[list[str]]:
    """A row for each number that an example prints; what is the same for all of them stands in the first."""
    spent = ours["processor"], theirs["processor"]
    first = [f"{frame.difference(ours, theirs):.0e}", *(f"{s:.0f}" for s in spent), f"{spent[0] / spent[1]:.2f}"]
    begin, lines = [name, f"{len(ours['losses']):,}"], []
    for words, value in ours["results"].items():
        lines.append([*begin, words, f"{value:.4g}", f"{theirs['results'][words]:.4g}", *first])
        begin, first = ["", ""], ["", "", "", ""]
    return lines


def main() -> None:
    if not timing.has_torch():
        raise SystemExit("PyTorch is not installed, and there is nothing to compare with: pip install torch")
    lines = []
    for name in sys.argv[1:] or frame.names():
        records = frame.compare([str(frame.ROOT / "examples" / f"{name}.py"), "--image", ""])
        lines += rows(name, *records.values())
    print("\n" + timing.table(HEAD, lines))


if __name__ == "__main__":
    main()
