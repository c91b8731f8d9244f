"""Checking gradients against finite differences, and the anomaly mode that finds where a NaN was born."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import grad
from .graph import enable_grad, mode, no_grad
from .tensor import Tensor, wrap

__all__ = ["GradcheckError", "detect_anomaly", "gradcheck", "gradgradcheck", "is_anomaly_enabled", "set_detect_anomaly"]


class GradcheckError(RuntimeError):
    """A computed gradient and the finite difference do not agree."""


def _tensors(x: Any) -> list[Tensor]:
    return [x] if isinstance(x, Tensor) else [t for t in x if isinstance(t, Tensor)]


def _differentiable(x: Any) -> list[Tensor]:
    return [t for t in _tensors(x) if t._array.dtype.kind in "fc"]


def _numerical(
    function: Callable[..., Any], inputs: Sequence[Any], x: Tensor, k: int, eps: float, part: str
) -> np.ndarray[Any, Any]:
    """The gradients of the real or imaginary `part` of output k's elements, by central differences.

    One row per element of x. Of a complex x the gradient is ∂/∂a + i ∂/∂b, x = a + ib.
    """
    array = x._array
    units: tuple[complex, ...] = (1, 1j) if array.dtype.kind == "c" else (1,)
    rows = []
    for at in np.ndindex(array.shape):
        kept = array[at].copy()
        row: Any = 0
        for unit in units:
            sides = []
            for step in (eps, -eps):
                array[at] = kept + unit * step
                with no_grad():
                    out = _differentiable(function(*inputs))[k]._array
                    sides.append(getattr(out, part).astype(np.float64).ravel())
            row = row + unit * (sides[0] - sides[1]) / (2 * eps)
        array[at] = kept
        rows.append(row)
    return np.array(rows).reshape(array.size, -1)


def _analytical(out: Tensor, x: Tensor, part: str) -> np.ndarray[Any, Any]:
    """The same by backward, which gets 1 for an element's real part and i for its imaginary one."""
    columns = []
    for at in np.ndindex(out._array.shape):
        seed = np.zeros_like(out._array)
        seed[at] = 1 if part == "real" else 1j
        (g,) = grad(out, [x], [wrap(seed)], retain_graph=True, allow_unused=True)
        columns.append(np.zeros(x._array.size) if g is None else g._array.ravel())
    return np.array(columns).reshape(out._array.size, -1).T


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, check_undefined_grad: bool = True, nondet_tol: float = 0.0, **_: Any,
) -> bool:  # fmt: skip
    """Whether backward through `func` agrees with finite differences at `inputs` (float64 is wanted).

    Errors: GradcheckError (a RuntimeError) with both Jacobians, unless `raise_exception` is False; ValueError if no
    input requires grad. Source: PyTorch's `torch.autograd.gradcheck`.

    >>> from mini_torch import tensor, float64, sin
    >>> gradcheck(sin, tensor([1., 2.], dtype=float64, requires_grad=True))
    True
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    targets = [x for x in given if isinstance(x, Tensor) and x.requires_grad]
    if not targets:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i, x in enumerate(targets):
        if x._array.dtype not in (np.float64, np.complex128):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex.",
                stacklevel=2,
            )
    try:
        _compare(func, given, targets, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _compare(func: Any, given: Any, targets: list[Tensor], eps: float, atol: float, rtol: float) -> None:
    outputs = _differentiable(func(*given))
    for k, out in enumerate(outputs):
        for i, x in enumerate(targets):
            for part in ("real", "imag") if out.is_complex() else ("real",):
                numerical = _numerical(func, given, x, k, eps, part)
                found = _analytical(out, x, part) if out.requires_grad else np.zeros_like(numerical)
                if not np.allclose(found, numerical, rtol, atol, equal_nan=True):
                    raise GradcheckError(
                        f"Jacobian mismatch for output {k} with respect to input "
                        f"{i},\nnumerical:{numerical}\nanalytical:{found}"
                    )


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, **_: Any,
) -> bool:  # fmt: skip
    """Whether gradients of gradients through `func` agree with finite differences. See `gradcheck`.

    Source: PyTorch's `torch.autograd.gradgradcheck`.
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = [t for t in _differentiable(func(*given)) if t.requires_grad]
    if grad_outputs is None:
        draw = np.random.RandomState(0)
        seeds = [wrap(_drawn(draw, t._array)).requires_grad_() for t in outputs]
    else:
        seeds = _tensors(grad_outputs)
    count = len(given)

    def first_gradients(*both: Any) -> Any:
        args, weights = both[:count], both[count:]
        targets = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
        with enable_grad():
            outs = [t for t in _differentiable(func(*args)) if t.requires_grad]
            return tuple(
                g for g in grad(outs, targets, list(weights), create_graph=True, allow_unused=True) if g is not None
            )

    return gradcheck(
        first_gradients, (*given, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )


def _drawn(draw: np.random.RandomState, like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Normal numbers of the same shape and type."""
    values = draw.standard_normal(like.shape)
    if like.dtype.kind == "c":
        values = values + 1j * draw.standard_normal(like.shape)
    return np.asarray(values, like.dtype)


# ---- anomaly detection -----------------------------------------------------------------------------------------------
class set_detect_anomaly:
    """Switches anomaly detection on or off, at once and as a context manager. See `detect_anomaly`.

    Source: PyTorch's `torch.autograd.set_detect_anomaly`.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = _state()
        _set(mode, check_nan)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        _set(*self._before)


class detect_anomaly:
    """Inside, a failing backward names the operation and shows where it was called, and a NaN in backward is an error.

    Slow; for debugging. Source: PyTorch's `torch.autograd.detect_anomaly`.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self._before = _state()
        _set(True, self.check_nan)

    def __exit__(self, *_: object) -> None:
        _set(*self._before)


def is_anomaly_enabled() -> bool:
    """Whether anomalies are looked for."""
    return bool(mode.anomaly)


def _state() -> tuple[bool, bool]:
    return mode.anomaly, mode.check_nan


def _set(anomaly: bool, check_nan: bool) -> None:
    mode.watch(anomaly=anomaly, check_nan=check_nan)
