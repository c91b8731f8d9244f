"""Freed memory is kept for the next array."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
{}
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    start = faults()
    arrays = [np.ones(1 << 18) for _ in range(4)]
    del arrays
print(faults() - start)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have habits of their own")
def test_memory_comes_without_page_faults() -> None:
    def faults(first: str) -> int:
        return int(subprocess.check_output([sys.executable, "-c", PROGRAM.format(first)], text=True))

    pages = 4 * (1 << 21) // 4096
    assert faults("import mini_torch") < pages / 10
