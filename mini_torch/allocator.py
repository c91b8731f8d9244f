"""Freed memory stays with the process, for the next array.

The C library gives large blocks, and what is free at the heap's end, back to the kernel at once; the next array of that
size gets fresh pages, each of which must be cleared first. A training step that makes and frees arrays of some
megabytes spends a fifth of its time on that. So the limits are set higher, where the library is glibc and nobody has
set them (by the environment's MALLOC_TRIM_THRESHOLD_ or MALLOC_MMAP_THRESHOLD_). Source: mallopt(3).
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["keep_freed_memory"]

_TRIM, _MMAP = -1, -3  # mallopt's numbers
KEPT = 256 << 20  # bytes that may lie free at the heap's end
LARGEST = 32 << 20  # bytes of an array from which on the kernel is asked directly: the most that glibc takes here


def keep_freed_memory() -> bool:
    """Sets the limits; False where that is not possible or somebody else has set them."""
    if not sys.platform.startswith("linux") or {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & set(os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    return bool(mallopt(_TRIM, KEPT) and mallopt(_MMAP, LARGEST))
