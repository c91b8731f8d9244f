"""Rooms that open late: the table is as the rooms are, and nobody notices that they were closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import late

ROOT = Path(__file__).parents[1]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_table_is_current() -> None:
    """If not: python tests/late.py."""
    written = late.TABLE.search(late.FILE.read_text())
    assert written is not None
    assert written.group() == late.current()


def test_names_open_their_rooms() -> None:
    code = """
import sys, numpy as np, mini_torch as torch
assert 'mini_torch.ops.linalg.singular' not in sys.modules and 'mini_torch.nn' not in sys.modules
assert 'svd' in dir(torch) and 'svd' in dir(torch.Tensor)
x = torch.eye(2)
assert x.svd().S.tolist() == [1, 1]                        # a method
assert torch.Tensor.sort(x, 1).values.tolist() == [[0, 1], [0, 1]]  # of the class
assert torch.complex(x, x).imag.tolist() == x.tolist()     # a property
assert np.tril(torch.ones(2, 2)).tolist() == [[1, 0], [1, 1]]  # NumPy's function
assert torch.erf is torch.erf
try:
    torch.no_such_name
except AttributeError as error:
    print(error)
"""
    assert run(code) == "module 'mini_torch' has no attribute 'no_such_name'"


def test_no_name_is_lost() -> None:
    """What is offered before the rooms are open is there."""
    code = """
import mini_torch as torch
from mini_torch import late
names = dir(torch)
for name in names:
    getattr(torch, name)
offered = {name for _, methods in late.ROOMS.values() for name in methods.replace('@', '').split()}
late.open_all()
print([name for name in offered if getattr(getattr(torch.Tensor, name), '__name__', '') == 'opening'])
"""
    assert run(code) == "[]"
