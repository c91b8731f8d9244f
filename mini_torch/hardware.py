"""What PyTorch programs ask of accelerators: here there are none, and each question has the answer of a CPU build.

So `device = "cuda" if torch.cuda.is_available() else "cpu"` and the like take their CPU path.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["count", "is_available", "nothing", "nothing_used", "refused"]


def is_available() -> bool:
    """False: there is no such device."""
    return False


def count() -> int:
    """0: there is no such device."""
    return 0


def nothing(*_: Any, **__: Any) -> None:
    """None: there is nothing to do, or to tell."""


def nothing_used(device: Any = None) -> int:
    """0 bytes."""
    return 0


def refused(*_: Any, **__: Any) -> NoReturn:
    """AssertionError, as in a build of PyTorch for the CPU."""
    raise AssertionError("Torch not compiled with CUDA enabled (mini_torch computes on the CPU)")
