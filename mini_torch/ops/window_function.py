"""Windows for pieces of a signal: `torch.signal.windows`, and the older `torch.hann_window` …

A symmetric window of M points is one of M - 1 steps; a periodic one (`sym=False`, `periodic=True`) is one of M steps
less its last point, so that copies of it join without a seam.
Source: Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform", Proceedings of the
IEEE 66 (1978); PyTorch's page "torch.signal".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..creation import finish
from ..dtype import default_numpy_dtype, from_numpy_dtype, strided, to_numpy_dtype
from ..op import functions, type_name
from ..tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]

Array = np.ndarray[Any, Any]


# ---- torch.signal.windows --------------------------------------------------------------------------------------------
def _window(
    name: str, points: int, formula: Callable[[Callable[[float, float], Array]], Array], dtype: Any, layout: Any,
    device: Any, requires_grad: bool, alone: float | None = None,
) -> Tensor:  # fmt: skip
    """`formula(ramp)` as a tensor, where ramp(a, b) goes evenly from a to b; a single point is `alone`, if that is
    given. Errors: ValueError for a negative number of points, or another type than float32 and float64."""
    if points < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={points}")
    if layout is not None and layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {from_numpy_dtype(kind)}")
    points = operator.index(points)
    if not points or (points == 1 and alone is not None):
        return finish(np.full(points, alone or 0.0, kind), device, requires_grad)
    values = formula(lambda start, end: np.linspace(start, end, points))
    return finish(values.astype(kind), device, requires_grad)


def _steps(M: int, sym: bool) -> int:
    return M - 1 if sym else M


def bartlett(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle from 0 to 1 and back. Source: PyTorch's `torch.signal.windows.bartlett`.

    >>> bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window(
        "bartlett", M, lambda ramp: 1 - np.abs(ramp(-1, -1 + (M - 1) * 2 / _steps(M, sym))), dtype, layout, device,
        requires_grad, alone=1.0,
    )  # fmt: skip


def cosine(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Half a wave: sin(π (k + ½) / M). Source: PyTorch's `torch.signal.windows.cosine`."""
    steps = M if sym or M <= 1 else M + 1
    return _window(
        "cosine", M, lambda ramp: np.sin(ramp(0.5, M - 0.5) * (math.pi / steps)), dtype, layout, device, requires_grad
    )


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None,
    layout: Any = strided, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """exp(-|k - center| / tau), around the middle if no center is given.

    Errors: ValueError for tau ≤ 0, and for a center of a symmetric window.
    Source: PyTorch's `torch.signal.windows.exponential`.
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError(f"Center must be None for symmetric windows, got: {center}")
    middle = (M if not sym and M > 1 else M - 1) / 2.0 if center is None else center
    return _window(
        "exponential", M, lambda ramp: np.exp(-np.abs(ramp(-middle, M - 1 - middle) / tau)), dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """exp(-½ (k / std)²), k counted from the middle.

    Errors: ValueError for std ≤ 0. Source: PyTorch's `torch.signal.windows.gaussian`.
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = (M if not sym and M > 1 else M - 1) / 2.0
    return _window(
        "gaussian", M, lambda ramp: np.exp(-0.5 * np.square(ramp(-middle, M - 1 - middle) / std)), dtype, layout,
        device, requires_grad,
    )  # fmt: skip


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """I₀(β √(1 - k²)) / I₀(β), k from -1 to 1.

    Errors: ValueError for β < 0. Source: Kaiser and Schafer, "On the use of the I₀-sinh window for spectrum analysis",
    IEEE Transactions on Acoustics, Speech, and Signal Processing 28 (1980); PyTorch's `torch.signal.windows.kaiser`.
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def formula(ramp: Callable[[float, float], Array]) -> Array:
        k = ramp(-1.0, -1.0 + (M - 1) * 2.0 / _steps(M, sym))
        return np.i0(beta * np.sqrt(np.maximum(1 - k * k, 0))) / np.i0(beta)

    return _window("kaiser", M, formula, dtype, layout, device, requires_grad, alone=1.0)


def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Σ_i (-1)^i a_i cos(2π i k / (M - 1)).

    Errors: TypeError unless `a` can be gone through, ValueError for an empty one.
    Source: PyTorch's `torch.signal.windows.general_cosine`.
    """

    def formula(ramp: Callable[[float, float], Array]) -> Array:
        if not isinstance(a, Iterable):
            raise TypeError(f"Coefficients must be a list/tuple, got {type(a).__name__}")
        weights = list(a)
        if not weights:
            raise ValueError("Coefficients cannot be empty")
        angle = ramp(0, 2 * math.pi * (M - 1) / _steps(M, sym))
        return sum((-1) ** i * weight * np.cos(i * angle) for i, weight in enumerate(weights)) + 0 * angle

    return _window("general_cosine", M, formula, dtype, layout, device, requires_grad, alone=1.0)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """α - (1 - α) cos(2π k / (M - 1)). Source: PyTorch's `torch.signal.windows.general_hamming`."""
    return general_cosine(
        M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def _sum_of_cosines(name: str, coefficients: list[float], described: str) -> Callable[..., Tensor]:
    def window(
        M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        return general_cosine(
            M, a=coefficients, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
        )

    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"{described}, see `general_cosine`. Source: PyTorch's `torch.signal.windows.{name}`."
    return window


hamming = _sum_of_cosines("hamming", [0.54, 0.46], "0.54 - 0.46 cos(2π k / (M - 1))")
hann = _sum_of_cosines("hann", [0.5, 0.5], "½ - ½ cos(2π k / (M - 1)) = sin²(π k / (M - 1))")
blackman = _sum_of_cosines("blackman", [0.42, 0.5, 0.08], "Three cosines of weights 0.42, 0.5, 0.08")
nuttall = _sum_of_cosines(
    "nuttall", [0.3635819, 0.4891775, 0.1365995, 0.0106411],
    "Four cosines whose side lobes are lowest (Nuttall 1981, minimum 4-term Blackman-Harris)",
)  # fmt: skip


# ---- torch.hann_window … ---------------------------------------------------------------------------------------------
def _older(
    name: str, points: Any, periodic: bool, formula: Callable[[Array], Array], dtype: Any, layout: Any, device: Any,
    requires_grad: bool,
) -> Tensor:  # fmt: skip
    """`formula(k)` for k from 0 to 1 in even steps, as a tensor; a single point is 1."""
    if not hasattr(points, "__index__"):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(points).__name__}")
    if points < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={points}")
    if layout is not None and layout is not strided:
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    kind = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if kind.kind == "c":
        raise NotImplementedError(f"\"{name}\" not implemented for '{type_name(kind)}'")
    if kind.kind not in "fV":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {from_numpy_dtype(kind)}")
    points = operator.index(points)
    if points < 2:
        return finish(np.ones(points, kind), device, requires_grad)
    # computed in float32 if that is asked for: the ends of some windows are rounding errors, and PyTorch's
    k = np.arange(points, dtype=np.result_type(kind, np.float32)) / (points if periodic else points - 1)
    return finish(formula(k).astype(kind), device, requires_grad)


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = strided, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """½ - ½ cos(2π k / N), N = window_length, or one less unless periodic. Source: PyTorch's `torch.hann_window`.

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _older(
        "hann_window", window_length, periodic, lambda k: 0.5 - 0.5 * np.cos(2 * math.pi * k), dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None,
    layout: Any = strided, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """α - β cos(2π k / N). Source: PyTorch's `torch.hamming_window`."""
    return _older(
        "hamming_window", window_length, periodic, lambda k: alpha - beta * np.cos(2 * math.pi * k), dtype, layout,
        device, requires_grad,
    )  # fmt: skip


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = strided, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """0.42 - ½ cos(2π k / N) + 0.08 cos(4π k / N). Source: PyTorch's `torch.blackman_window`."""
    return _older(
        "blackman_window", window_length, periodic,
        lambda k: 0.08 * np.cos(4 * math.pi * k) - 0.5 * np.cos(2 * math.pi * k) + 0.42, dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, layout: Any = strided, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle: 1 - |2k / N - 1|. Source: PyTorch's `torch.bartlett_window`."""
    return _older(
        "bartlett_window", window_length, periodic, lambda k: 1 - np.abs(2 * k - 1), dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, layout: Any = strided,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """I₀(β √(1 - (2k / N - 1)²)) / I₀(β). Source: PyTorch's `torch.kaiser_window`."""
    return _older(
        "kaiser_window", window_length, periodic,
        lambda k: np.i0(beta * np.sqrt(np.maximum(1 - np.square(2 * k - 1), 0))) / np.i0(beta), dtype, layout, device,
        requires_grad,
    )  # fmt: skip


functions.update({name: globals()[name] for name in __all__})
