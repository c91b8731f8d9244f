"""Windows: symmetry, the seam of periodic ones, known values, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mini_torch
from mini_torch.signal import windows

ALL = windows.__all__
OPTIONS: dict[str, dict[str, Any]] = {"general_cosine": {"a": [0.4, 0.5, 0.1]}}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("points", [2, 3, 8, 9])
def test_symmetric_and_periodic(name: str, points: int) -> None:
    window, options = getattr(windows, name), OPTIONS.get(name, {})
    w = window(points, dtype=mini_torch.float64, **options).numpy()
    np.testing.assert_allclose(w, w[::-1], atol=1e-15)
    periodic = window(points, sym=False, dtype=mini_torch.float64, **options).numpy()
    longer = window(points + 1, dtype=mini_torch.float64, **options).numpy()
    np.testing.assert_allclose(periodic, longer[:-1], atol=1e-15)


@pytest.mark.parametrize("name", ALL)
def test_few_points_and_types(name: str) -> None:
    window, options = getattr(windows, name), OPTIONS.get(name, {})
    assert window(0, **options).shape == (0,)
    for sym in (True, False):
        assert window(1, sym=sym, **options).tolist() == [1.0]
    assert window(3, **options).dtype == mini_torch.float32
    assert window(3, requires_grad=True, **options).requires_grad
    with pytest.raises(ValueError, match="non-negative window length, got M=-1"):
        window(-1, **options)
    with pytest.raises(ValueError, match=r"expects float32 or float64 dtypes, got: torch\.int64"):
        window(3, dtype=mini_torch.int64, **options)
    with pytest.raises(ValueError, match="strided tensors only"):
        window(3, layout="sparse", **options)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (windows.hann(5), [0, 0.5, 1, 0.5, 0]),
        (windows.hamming(3), [0.08, 1, 0.08]),
        (windows.bartlett(4, sym=False), [0, 0.5, 1, 0.5]),
        (windows.cosine(2), [0.5**0.5, 0.5**0.5]),
        (windows.gaussian(3, std=2.0), [np.exp(-1 / 8), 1, np.exp(-1 / 8)]),
        (windows.exponential(3, center=0.0, tau=2.0, sym=False), [1, np.exp(-0.5), np.exp(-1)]),
        (windows.kaiser(3, beta=2.0), [1 / 2.2795853023360673, 1, 1 / 2.2795853023360673]),
        (windows.blackman(3), [0, 1, 0]),
        (windows.nuttall(3), [0.0003628, 1, 0.0003628]),
        (windows.general_hamming(3, alpha=0.7), [0.4, 1, 0.4]),
        (mini_torch.hann_window(4), [0, 0.5, 1, 0.5]),
        (mini_torch.hann_window(3, periodic=False), [0, 1, 0]),
        (mini_torch.hamming_window(2, True, 0.6, 0.3), [0.3, 0.9]),
        (mini_torch.blackman_window(2), [0, 1]),
        (mini_torch.bartlett_window(4), [0, 0.5, 1, 0.5]),
        (mini_torch.kaiser_window(3, False, 2.0), [1 / 2.2795853023360673, 1, 1 / 2.2795853023360673]),
    ],
)
def test_known_values(made: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(made.numpy(), expected, atol=1e-7)


def test_errors() -> None:
    with pytest.raises(ValueError, match="Tau must be positive"):
        windows.exponential(3, tau=0)
    with pytest.raises(ValueError, match="Center must be None"):
        windows.exponential(3, center=1.0)
    with pytest.raises(ValueError, match="Standard deviation must be positive"):
        windows.gaussian(3, std=0)
    with pytest.raises(ValueError, match="beta must be non-negative"):
        windows.kaiser(3, beta=-1)
    with pytest.raises(ValueError, match="cannot be empty"):
        windows.general_cosine(3, a=[])
    with pytest.raises(TypeError, match="list/tuple"):
        windows.general_cosine(3, a=3)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="window_length=-1"):
        mini_torch.hann_window(-1)
    with pytest.raises(RuntimeError, match="floating point dtypes"):
        mini_torch.hann_window(3, dtype=mini_torch.int64)
    with pytest.raises(TypeError, match="must be int, not float"):
        mini_torch.hann_window(3.0)
    assert mini_torch.kaiser_window(0).shape == (0,)
