"""Records how PyTorch prints: `python tests/record_reprs.py`, with PyTorch installed. Writes tests/data/reprs.json."""

from __future__ import annotations

import json
from pathlib import Path

import torch

import repr_cases as cases


def main() -> None:
    lines = [json.dumps([code, options, cases.text(torch, code, options)]) for code, options in cases.CASES]
    (Path(__file__).parent / "data" / "reprs.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
