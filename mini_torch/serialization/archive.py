"""The zip archive that a checkpoint is, read: where each record lies, and its bytes straight into their place.

Source: PKWARE's "APPNOTE.TXT", and PyTorch's `caffe2/serialize/inline_container.h` for what is in the archive.
"""

from __future__ import annotations

import errno
import mmap
import pickle
import struct
from bisect import bisect_right
from io import BufferedReader
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from ..errors import CheckpointError, MissingCheckpointError

__all__ = ["Archive", "opened", "read_into", "starts_as_pickle", "starts_as_tar", "starts_as_zip"]

Array = np.ndarray[Any, Any]

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_NEWEST_VERSION = 10


def opened(path: str) -> BufferedReader:
    """The file at `path`, open to be read. Errors: `MissingCheckpointError`, `CheckpointError`."""
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise MissingCheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None


class Archive:
    """The records of a checkpoint in an open file.

    Errors: CheckpointError, here for an archive that is damaged, and later for a record that is: records must be
    stored as they are, must not overlap, and must lie within the file. So all of them together have no more bytes
    than the file.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            with ZipFile(file) as archive:
                entries, end = archive.infolist(), archive.start_dir
        except (BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError) as error:
            raise CheckpointError(f"not a whole checkpoint: {error}") from None
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise CheckpointError("not a whole checkpoint: its directory is not in the file") from None
        if not entries:
            raise CheckpointError("a zip archive with nothing in it")
        if any(not 0 <= entry.header_offset < end for entry in entries):
            raise CheckpointError("not a whole checkpoint: a record is said to begin outside of the file")
        self._folder = entries[0].filename.partition("/")[0]
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise CheckpointError("a record is in it twice")
        self._bounds = [*sorted(entry.header_offset for entry in entries), end]
        self._mapped: memoryview | None = None

    def __contains__(self, record: str) -> bool:
        return f"{self._folder}/{record}" in self._entries

    def check_kind(self) -> None:
        """CheckpointError unless this is what `torch.save` writes, of a version that is known."""
        if "constants.pkl" in self:
            raise CheckpointError("a TorchScript archive, which holds a program; save the state_dict() of the module")
        if "data.pkl" not in self:
            raise CheckpointError("a zip archive, but not one that torch.save wrote: it has no data.pkl")
        version = self.read("version").strip() if "version" in self else b"3"
        if not version.isdigit() or not 0 < len(version) < 4 or int(version) > _NEWEST_VERSION:
            raise CheckpointError(f"of the version {version[:20]!r}; versions up to {_NEWEST_VERSION} are known")

    def read(self, record: str) -> bytes:
        """All bytes of a record."""
        start, size = self._place(record)
        data = np.empty(size, np.uint8)
        read_into(self._file, start, data)
        return data.tobytes()

    def check(self, record: str, size: int) -> None:
        """CheckpointError unless the record is there and has `size` bytes."""
        self._sized(record, size)

    def read_into(self, record: str, out: Array) -> None:
        """The bytes of a record, which must be as many as `out` has, written there."""
        read_into(self._file, self._sized(record, out.size), out)

    def map(self, record: str, size: int) -> Array:
        """The `size` bytes of a record as an array on the mapped file. Writing into it does not change the file."""
        start = self._sized(record, size)
        if self._mapped is None:
            self._mapped = memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY))
        return np.frombuffer(self._mapped[start : start + size], np.uint8)

    def _sized(self, record: str, size: int) -> int:
        start, found = self._place(record)
        if found != size:
            raise CheckpointError(f"its record {record} has {found} bytes, where {size} belong")
        return start

    def _place(self, record: str) -> tuple[int, int]:
        """Where in the file the record's bytes are, and how many."""
        entry = self._entries.get(f"{self._folder}/{record}")
        if entry is None:
            raise CheckpointError(f"its record {record} is missing")
        if entry.compress_type != ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise CheckpointError(f"its record {record} is compressed or encrypted, which torch.save never does")
        start = entry.header_offset + self._header_size(entry, record)
        bound = self._bounds[min(bisect_right(self._bounds, entry.header_offset), len(self._bounds) - 1)]
        if start + entry.file_size > bound:
            raise CheckpointError(f"its record {record} is damaged: it reaches into the next one")
        return start, entry.file_size

    def _header_size(self, entry: ZipInfo, record: str) -> int:
        if entry.header_offset < 0:
            raise CheckpointError(f"its record {record} is not in the file")
        self._file.seek(entry.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise CheckpointError(f"its record {record} is missing: the file is cut short")
        magic, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        if magic != b"PK\x03\x04" or self._file.read(name_size) != entry.filename.encode():
            raise CheckpointError(f"its record {record} is damaged: it does not begin where it should")
        return _LOCAL_HEADER.size + name_size + extra_size


def read_into(file: IO[bytes], start: int | None, out: Array) -> None:
    """The bytes from `start` (or from where the file stands) on, written into all of `out`."""
    if start is not None:
        file.seek(start)
    left = out.data
    while left:
        if hasattr(file, "readinto"):
            count = file.readinto(left)
        else:
            part = file.read(len(left))
            count = len(part)
            left[:count] = part
        if not count:
            raise CheckpointError("the file is cut short")
        left = left[count:]


def starts_as_zip(file: IO[bytes]) -> bool:
    """Whether a zip archive begins where the file stands."""
    return _peek(file, 4) == b"PK\x03\x04"


def starts_as_tar(file: IO[bytes]) -> bool:
    """Whether a tar archive begins there."""
    return _peek(file, 262)[257:] == b"ustar"


def starts_as_pickle(file: IO[bytes]) -> bool:
    """Whether a pickle begins there, of a protocol that PyTorch ever wrote."""
    return _peek(file, 1) == pickle.PROTO


def _peek(file: IO[bytes], count: int) -> bytes:
    here = file.tell()
    data = file.read(count)
    file.seek(here)
    return data
