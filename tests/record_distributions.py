"""Records PyTorch's distributions: `python tests/record_distributions.py`, with PyTorch installed.

Writes tests/data/distributions.json: of each case in distribution_cases.py what its functions give, and the losses
of distribution_programs.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

import distribution_cases as cases
import distribution_programs as programs


def main() -> None:
    record = {
        "facts": {code: cases.facts(torch, code) for code in [*cases.FAMILIES.values(), *cases.OTHERS]},
        "divergences": {f"{p} {q}": cases.divergence(torch, p, q) for p in cases.FAMILIES for q in cases.FAMILIES},
        "programs": {program.__name__: program(torch) for program in programs.PROGRAMS},
        "transforms": {code: cases.turned(torch, code) for code in cases.TRANSFORMS},
    }
    # a pair without a rule is one that is not there
    record["divergences"] = {k: v for k, v in record["divergences"].items() if v != "NotImplementedError"}
    rounded = json.loads(json.dumps(record), parse_float=lambda text: float(f"{float(text):.12g}"))
    path = Path(__file__).parent / "data" / "distributions.json"
    lines = [
        f'"{name}": {{\n' + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in group.items()) + "\n}"
        for name, group in rounded.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
