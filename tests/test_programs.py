"""Whole training programs give the numbers that PyTorch was recorded to give, from the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mini_torch
import programs

RECORDED = json.loads((Path(__file__).parent / "data" / "programs.json").read_text())


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=lambda program: program.__name__)
def test_same_numbers_as_pytorch(program: Callable[[Any], list[Any]]) -> None:
    seen, expected = program(mini_torch), RECORDED[program.__name__]
    assert len(seen) == len(expected)
    for ours, theirs in zip(seen, expected, strict=True):
        assert ours == (pytest.approx(theirs, rel=1e-4) if isinstance(theirs, float) else theirs)
