"""PyTorch's switches for how it computes. NumPy computes in one way, so they keep what they are told, and no more.

Everything here is deterministic and in full precision whatever they say. The number of threads is for compiled
functions alone; how many NumPy's BLAS takes is settled when it is loaded (OPENBLAS_NUM_THREADS, MKL_NUM_THREADS).
"""

from __future__ import annotations

import os
from typing import Any

from .dtype import check_device, cpu, device
from .graph import changes

__all__ = [
    "are_deterministic_algorithms_enabled", "get_default_device", "get_deterministic_debug_mode",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled", "set_default_device",
    "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads",
    "set_num_threads", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

_DEBUG_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")
_kept: dict[str, Any] = {"deterministic": 0, "precision": "highest", "warn_always": False}


# ---- threads -----------------------------------------------------------------------------------------------
def get_num_threads() -> int:
    """How many threads were asked for; at first, how many processors there are."""
    threads: int = _kept.get("threads") or os.cpu_count() or 1
    return threads


def set_num_threads(num: int) -> None:
    """How many threads work on large arrays in functions that `compile` made; results do not depend on it.

    Before it is called they keep to one. Eager operations do in any case, and NumPy's BLAS has a number of its own.
    Errors: RuntimeError unless a positive int.
    """
    _kept["threads"] = _positive("set_num_threads", num)
    changes[0] += 1


def threads_asked() -> int:
    """How many threads compiled functions may take: as many as were asked for, or one."""
    threads: int = _kept.get("threads", 1)
    return threads


def get_num_interop_threads() -> int:
    """How many threads between operations were asked for."""
    threads: int = _kept.get("interop") or os.cpu_count() or 1
    return threads


def set_num_interop_threads(num: int) -> None:
    """Kept for `get_num_interop_threads`. Errors: RuntimeError unless a positive int."""
    _kept["interop"] = _positive("set_num_interop_threads", num)


def _positive(name: str, num: Any) -> int:
    if not isinstance(num, int):
        raise RuntimeError(f"{name} expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError(f"{name} expects a positive integer, but got {num}")
    return num


# ---- determinism and precision -----------------------------------------------------------------------------
def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Kept for `are_deterministic_algorithms_enabled`; results are the same from run to run in any case."""
    if not isinstance(mode, bool):
        raise TypeError(f"use_deterministic_algorithms(): argument 'mode' must be bool, not {type(mode).__name__}")
    _kept["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Whether they were asked for."""
    return _kept["deterministic"] > 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether they were asked for with `warn_only`."""
    return _kept["deterministic"] == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """ "default" or 0, "warn" or 1, "error" or 2. Errors: RuntimeError for another."""
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _kept["deterministic"] = debug_mode


def get_deterministic_debug_mode() -> int:
    """The number of the mode that is set."""
    mode: int = _kept["deterministic"]
    return mode


def set_float32_matmul_precision(precision: str) -> None:
    """ "highest", "high" or "medium"; products are always computed in float32. Errors: ValueError for another."""
    if precision not in _PRECISIONS:
        raise ValueError(f"precision is one of {', '.join(_PRECISIONS)}, got {precision!r}")
    _kept["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What was asked for, at first "highest"."""
    precision: str = _kept["precision"]
    return precision


def set_flush_denormal(mode: bool) -> bool:
    """False: denormal numbers are not flushed to zero, and cannot be."""
    return False


# ---- warnings and devices ----------------------------------------------------------------------------------
def set_warn_always(b: bool) -> None:
    """Kept for `is_warn_always_enabled`; Python's `warnings` filters decide what is shown."""
    if not isinstance(b, bool):
        raise RuntimeError(f"set_warn_always expects a bool, but got {type(b).__name__}")
    _kept["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """Whether it was asked for."""
    enabled: bool = _kept["warn_always"]
    return enabled


def set_default_device(device: Any) -> None:
    """Takes the CPU (or None), the only device. Errors: RuntimeError for another."""
    if device is not None:
        check_device(device)


def get_default_device() -> device:
    """device(type='cpu')."""
    return cpu
