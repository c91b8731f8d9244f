"""Writes what PyTorch gives for programs.py and small_models.py to tests/data: `python tests/record_programs.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

import programs
import small_models

DATA = Path(__file__).parent / "data"


def write(name: str, seen: Any) -> None:
    (DATA / name).write_text(json.dumps(seen, indent=0) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("programs.json", {program.__name__: program(torch) for program in programs.PROGRAMS})
    losses = {}
    for model in small_models.MODELS:
        for kind in small_models.KINDS:
            losses[f"{model.__name__} {kind}"] = small_models.losses(torch, model, kind)
    write("small_models.json", losses)
