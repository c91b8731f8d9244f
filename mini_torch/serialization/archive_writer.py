"""The zip archive that a checkpoint is, written byte for byte as PyTorch's writer does.

Python's `zipfile` cannot place the records where PyTorch has them: at multiples of 64 bytes, so that a mapped file can
be computed with. Each record is a local header, filled up to there, the bytes, and a descriptor with their checksum; a
directory of all ends the file. Source: PKWARE's "APPNOTE.TXT"; PyTorch's `caffe2/serialize/inline_container.cc`.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

from .settings import get_crc32_options

__all__ = ["ALIGNMENT", "ArchiveWriter"]

ALIGNMENT = 64
_VERSION = b"3\n"
_FULL = 0xFFFFFFFF  # what does not fit in four bytes is written in eight, in an extra field
_NAMES_IN_UTF8, _SIZES_FOLLOW = 0x0800, 0x0008


def _long_numbers(*numbers: int) -> bytes:
    """The extra field with the numbers that do not fit in four bytes; nothing if all do."""
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""


class ArchiveWriter:
    """Writes records one after the other into `file`, under the folder `name`; `finish` completes the archive."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._position = 0
        self._directory: list[bytes] = []
        self._checksums = 0  # of all records, mixed

    def write(self, record: str, data: Any) -> None:
        """One record of the bytes `data`."""
        data = memoryview(data).cast("B")
        crc = zlib.crc32(data) if get_crc32_options() else 0
        self._header(record, data.nbytes, crc)
        self._put(data)
        self._end_record(data.nbytes, crc)

    def leave_room(self, record: str, size: int) -> None:
        """One record of `size` bytes that are not written now."""
        self._header(record, size, 0)
        self._file.seek(size, 1)
        self._position += size
        self._end_record(size, 0)

    def finish(self) -> None:
        """Writes the version, the number of the archive, and the directory."""
        self.write("version", _VERSION)
        self.write(".data/serialization_id", f"{self._mixed_names():020d}{self._checksums:020d}".encode())
        start, count = self._position, len(self._directory)
        for entry in self._directory:
            self._put(entry)
        size = self._position - start
        self._put(struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 0x031E, 45, 0, 0, count, count, size, start))
        self._put(struct.pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1))
        few = min(count, 0xFFFF)
        self._put(
            struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, few, few, min(size, _FULL), min(start, _FULL), 0)
        )

    def _header(self, record: str, size: int, crc: int) -> None:
        name, start = f"{self._name}/{record}".encode(), self._position
        flags = _NAMES_IN_UTF8 | (_SIZES_FOLLOW if size else 0)
        long_sizes = [size, size] if size >= _FULL else []
        long_start = [start] if start >= _FULL else []
        extra = _long_numbers(*long_sizes, *long_start)
        fill = -(start + 30 + len(name) + len(extra) + 4) % ALIGNMENT
        extra_size = len(extra) + 4 + fill
        self._put(struct.pack("<4s5H3I2H", b"PK\x03\x04", 0, flags, 0, 0, 0, 0, 0, 0, len(name), extra_size))
        self._put(name + extra + struct.pack("<2sH", b"FB", fill) + b"Z" * fill)
        shown = min(size, _FULL)
        self._directory.append(
            struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 0, 0, flags, 0, 0, 0, crc, shown, shown, len(name), len(extra), 0,
                        0, 0, 0, min(start, _FULL)) + name + extra
        )  # fmt: skip
        self._is_long = bool(extra)
        if size:
            self._checksums = _mix(self._checksums, crc)

    def _end_record(self, size: int, crc: int) -> None:
        if size:
            form = "<4sI2Q" if self._is_long else "<4s3I"
            self._put(struct.pack(form, b"PK\x07\x08", crc, size, size))

    def _put(self, data: Any) -> None:
        self._file.write(data)
        self._position += len(data)

    def _mixed_names(self) -> int:
        mixed = 0
        for entry in self._directory:
            mixed = _mix(mixed, zlib.crc32(entry[46:]))
        return mixed


def _mix(seed: int, value: int) -> int:
    return (seed ^ (value + 0x9E3779B9 + (seed << 6) + (seed >> 2))) & 0xFFFFFFFFFFFFFFFF
