"""Whole training programs give the numbers that PyTorch was recorded to give, from the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mini_torch
import programs
import small_models

DATA = Path(__file__).parent / "data"
RECORDED = json.loads((DATA / "programs.json").read_text())
LOSSES = json.loads((DATA / "small_models.json").read_text())


def name_of(program: Any) -> str:
    return str(getattr(program, "__name__", program))


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=name_of)
def test_same_numbers_as_pytorch(program: Callable[[Any], list[Any]]) -> None:
    seen, expected = program(mini_torch), RECORDED[program.__name__]
    assert len(seen) == len(expected)
    for ours, theirs in zip(seen, expected, strict=True):
        assert ours == (pytest.approx(theirs, rel=1e-4) if isinstance(theirs, float) else theirs)


@pytest.mark.no_cover  # its lines are reached elsewhere too, and counting them would double its time
@pytest.mark.parametrize("model", small_models.MODELS, ids=name_of)
@pytest.mark.parametrize(("kind", "tolerance"), small_models.KINDS.items(), ids=name_of)
def test_same_losses_of_small_models(model: Callable[[Any], small_models.Step], kind: str, tolerance: float) -> None:
    steps = small_models.STEPS if kind == "float32" else 60  # where rounding is smaller, a mistake shows sooner
    seen = small_models.losses(mini_torch, model, kind, steps)
    assert seen == pytest.approx(LOSSES[f"{model.__name__} {kind}"][: len(seen)], rel=tolerance)
