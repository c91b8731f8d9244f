"""Evenly spaced numbers have PyTorch's bits: checksums of what it gives (compiled for vectors of 32 bytes)."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

import mini_torch
from mini_torch.ramp import counted, spread

CHECKSUMS = {
    "arange(0, 10, 0.001)": 2865356599,
    "arange(-3, 3, 0.01, dtype=torch.float64)": 19085602,
    "arange(1, 0, -0.003)": 1807718426,
    "arange(0, 1000, 0.7, dtype=torch.float64)": 3615900028,
    "arange(0, 5, 0.01, dtype=torch.float16)": 901316832,
    "arange(30000.0)": 1381079247,
    "linspace(-3, 3, 1000)": 2954576949,
    "linspace(-0.1, 0.7, 1001)": 1301276921,
    "linspace(-0.1, 0.7, 1001, dtype=torch.float64)": 657780964,
    "linspace(0, 6.5, 513, dtype=torch.int64)": 557056294,
    "linspace(5, -5, 100, dtype=torch.float16)": 66539005,
    "linspace(0, 1, 20000)": 1980346598,
}


@pytest.mark.parametrize("code", CHECKSUMS)
def test_bits_are_pytorchs(code: str) -> None:
    values = eval(f"torch.{code}", {"torch": mini_torch}).numpy()
    assert zlib.crc32(values.tobytes()) == CHECKSUMS[code], values


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_near_what_they_are(kind: str) -> None:
    for count in (0, 1, 2, 3, 17, 9000):
        even = spread(-1.25, 3.7, count, np.dtype(kind))
        np.testing.assert_allclose(even, np.linspace(-1.25, 3.7, count), rtol=1e-6, atol=1e-7)
        steps = counted(0.3, -0.1, count, np.dtype(kind))
        np.testing.assert_allclose(steps, 0.3 - 0.1 * np.arange(count), rtol=1e-6, atol=1e-6)
        assert even.dtype == steps.dtype == kind


def test_the_ends_are_exact() -> None:
    for count in (2, 3, 100, 10_001):
        x = mini_torch.linspace(0.1, 0.7, count)
        assert (x[0].item(), x[-1].item()) == (np.float32(0.1), np.float32(0.7))
    assert mini_torch.linspace(2, 5, 1).tolist() == [2.0]
    assert mini_torch.linspace(0, 1j, 3, dtype=mini_torch.complex64).tolist() == [0, 0.5j, 1j]
    with pytest.raises(RuntimeError, match="non-negative"):
        mini_torch.linspace(0, 1, -1)
