"""Records the examples' losses in PyTorch: `python tests/record_examples.py [name …]`, with PyTorch installed.

Writes tests/data/examples.json: of each example the options and the losses of that run, and the results at its end.
Names record these examples alone.
"""

from __future__ import annotations

import json
import sys

import example_runs

sys.path.insert(0, str(example_runs.ROOT))
from examples import frame


def rounded(value: float) -> float:
    """With no more digits than are compared."""
    return float(f"{value:.8g}")


def main() -> None:
    old = json.loads(example_runs.DATA.read_text()) if example_runs.DATA.exists() else {}
    chosen = sys.argv[1:] or frame.names()
    records = {}
    for name in frame.names():
        if name not in chosen:
            records |= {name: old[name]} if name in old else {}
            continue
        record = example_runs.run(name, "torch")
        results = {words: rounded(value) for words, value in record["results"].items()}
        losses = [rounded(loss) for loss in record["losses"]]
        records[name] = {"options": example_runs.options(name), "results": results, "losses": losses}
        print(f"{name}: {len(losses)} losses, from {losses[0]:.4g} to {losses[-1]:.4g}, {record['seconds']:.1f} s")
    lines = (f"{json.dumps(name)}: {json.dumps(record)}" for name, record in records.items())
    example_runs.DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
