"""What type checkers see of mini_torch is what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import stubs

USES = '''
import mini_torch
from mini_torch import Tensor

x = mini_torch.ones(2, 3)
reveal_type(x + 1)
reveal_type(2 * x)
reveal_type(x @ x.T)
reveal_type(x[0])
reveal_type(x > 0)
reveal_type(x.exp().sum(0))
reveal_type(x.add_(1))
reveal_type(x.reshape(3, 2))
'''


def test_the_stub_is_up_to_date() -> None:
    assert stubs.STUB.read_text(encoding="utf-8") == stubs.stub(), "run `python tests/stubs.py`"


def test_every_public_function_says_what_it_does() -> None:
    assert stubs.undescribed() == []


def test_a_users_program_is_understood(tmp_path: Path) -> None:
    """mypy knows the operators and methods that come from the table."""
    pytest.importorskip("mypy")
    (tmp_path / "uses.py").write_text(USES)
    command = [sys.executable, "-m", "mypy", str(tmp_path / "uses.py")]
    shown = subprocess.run(
        command, capture_output=True, text=True, cwd=stubs.STUB.parents[1], check=False
    ).stdout  # fmt: skip
    found = [line.split('"')[1] for line in shown.splitlines() if "Revealed type" in line]
    assert [name.rsplit(".", 1)[-1] for name in found] == ["Tensor"] * USES.count("reveal_type"), shown
