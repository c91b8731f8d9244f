"""Loading a state into a module, optimizer or scheduler does what it does in PyTorch, to the word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mini_torch
import state_cases

CASES = state_cases.cases()
RECORDED = json.loads((Path(__file__).parent / "data" / "state.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(name: str) -> None:
    assert state_cases.result(mini_torch, CASES[name]) == RECORDED[name]


def test_every_case_is_recorded() -> None:
    assert list(CASES) == list(RECORDED)
