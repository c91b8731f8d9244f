"""Records what loading a state does in PyTorch: `python tests/record_state.py`, with PyTorch installed.

Writes tests/data/state.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

import state_cases


def main() -> None:
    found = {name: state_cases.result(torch, code) for name, code in state_cases.cases().items()}
    (Path(__file__).parent / "data" / "state.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
