"""Writes tests/data/programs.json, what PyTorch gives for programs.py: `python tests/record_programs.py`."""

from __future__ import annotations

import json
from pathlib import Path

import torch

import programs

if __name__ == "__main__":
    torch.set_num_threads(1)
    seen = {program.__name__: program(torch) for program in programs.PROGRAMS}
    (Path(__file__).parent / "data" / "programs.json").write_text(json.dumps(seen, indent=0) + "\n")
