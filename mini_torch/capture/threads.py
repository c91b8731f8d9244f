"""The blocks of a chain on several threads: NumPy lets go of Python's lock while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

__all__ = ["ENOUGH", "together"]

ENOUGH = 1 << 25  # bytes that a chain's calls write, from which on threads gain more than they cost
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}  # by process, because threads do not survive a fork, and size


def together(run: Callable[..., None], shares: list[Any], *arrays: Any) -> None:
    """run(share, *arrays) for each share at the same time; the first one here, the others on threads of their own."""
    key = os.getpid(), len(shares) - 1
    if key not in _pools:
        _pools[key] = ThreadPoolExecutor(key[1], "mini_torch", _as_quiet)
    waiting = [_pools[key].submit(run, share, *arrays) for share in shares[1:]]
    try:
        run(shares[0], *arrays)
    finally:
        for each in waiting:
            each.result()


def _as_quiet() -> None:
    """A thread's NumPy as `op.quiet` has it."""
    np.seterr(all="ignore")
    np.setbufsize(1024)
