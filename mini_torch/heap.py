"""Memory for large arrays: what one array frees, the next one gets.

glibc takes the memory of an array of more than 128 KB from the system and gives it back when the array is gone. So at
every step of training the system hands out all pages anew, filled with zeros, which takes as long as the arithmetic: a
quarter of a step of an LSTM or a convolutional net. The limit moves, though: it is the size of the largest array that
was ever freed, up to 32 MB (and twice that may lie unused before something is given back). So one large array is freed
ahead of all. It costs nothing, as no page of it is ever touched; other C libraries do not notice.

Source: the manual page mallopt(3), M_MMAP_THRESHOLD.
"""

from __future__ import annotations

import numpy as np

__all__: list[str] = []

_LARGEST = 31 << 20  # bytes; larger ones are no hint for glibc


def keep_freed() -> None:
    """From now on memory that arrays free is kept for others."""
    np.empty(_LARGEST, np.uint8)
