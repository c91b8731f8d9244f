"""Memory for large arrays: what one array frees, the next one gets.

glibc takes the memory of an array of more than 128 KB from the system and gives it back when the array is gone. So at
every step of training the system hands out all pages anew, filled with zeros, which takes as long as the arithmetic: a
quarter of a step of an LSTM or a convolutional net. The limit moves, though: it is the size of the largest array that
was ever freed, up to 32 MB (and twice that may lie unused before something is given back). So one large array is freed
ahead of all. It costs nothing, as no page of it is ever touched; other C libraries do not notice.

NumPy also asks the system for pages of 2 MB, not 4 KB, behind arrays of 4 MB and more: the processor has to look up
fewer addresses, and a step over 40 MB takes 3 % less time. The system remembers that of the place, not of the array. So
two arrays lie for a moment where the next ones will, and all of these have such pages, as far as they are touched.

Source: the manual page mallopt(3), M_MMAP_THRESHOLD; madvise(2), MADV_HUGEPAGE.
"""

from __future__ import annotations

import numpy as np

__all__: list[str] = []

_LARGEST = 31 << 20  # bytes; larger ones are no hint for glibc
_HALF = 28 << 20  # two of them are still less than what may lie unused


def keep_freed() -> None:
    """From now on memory that arrays free is kept for others, in large pages where the system has them."""
    np.empty(_LARGEST, np.uint8)
    np.empty(_HALF, np.uint8), np.empty(_HALF, np.uint8)  # both at once
