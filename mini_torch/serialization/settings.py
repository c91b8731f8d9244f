"""What a program sets for all that it saves and loads: byte order, checksums, whether numbers are written at all."""

from __future__ import annotations

import threading
from enum import Enum
from typing import Any

__all__ = ["LoadEndianness", "get_crc32_options", "get_default_load_endianness", "set_crc32_options",
           "set_default_load_endianness", "skip_data", "skips_data"]  # fmt: skip


class LoadEndianness(Enum):
    """The byte orders that a file may have that does not say its own."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_default_endianness: LoadEndianness | None = None
_computes_crc32 = True
_local = threading.local()


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order for files that do not say theirs; None stands for little."""
    return _default_endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Sets it. Errors: TypeError for anything but a `LoadEndianness` or None."""
    global _default_endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _default_endianness = endianness


def get_crc32_options() -> bool:
    """Whether `save` writes checksums."""
    return _computes_crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Sets it. Without checksums saving is faster; `load` reads such a file, other programs may call it damaged."""
    global _computes_crc32
    _computes_crc32 = bool(compute_crc32)


class skip_data:
    """Context manager in which `save` leaves room for numbers and does not write them: a file for a later program to
    fill. PyTorch's `torch.serialization.skip_data`.

    >>> import io
    >>> from mini_torch import load, ones, save
    >>> file = io.BytesIO()
    >>> with skip_data():
    ...     save(ones(3), file)
    >>> _ = file.seek(0)
    >>> load(file)
    tensor([0., 0., 0.])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        pass

    def __enter__(self) -> None:
        self._before = skips_data()
        _local.skips = True

    def __exit__(self, *_: Any) -> None:
        _local.skips = self._before


def skips_data() -> bool:
    """Whether `save` leaves numbers out, in this thread."""
    return getattr(_local, "skips", False)
