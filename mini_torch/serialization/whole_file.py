"""Files that are either there in full or as they were before, whatever happens on the way."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

__all__ = ["beside", "replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when it is complete, and is gone when anything goes wrong.

    It is written beside its place, flushed to the disk and renamed: who opens `path`, even after a power cut, finds
    the old file or the new one. Symbolic links are followed, permissions are those that an ordinary write would leave;
    several writers at once do not meet, and the last one's file stays. Into what is no ordinary file, a device or a
    pipe, the whole content is copied. A writer that is killed leaves its unfinished file, `.name.….tmp`, behind.

    Errors: OSError as for `open(path, "wb")`, PermissionError for a file that may not be written.
    """
    with beside(path) as name, open(name, "wb") as file:
        yield file


@contextmanager
def beside(path: str | os.PathLike[str]) -> Iterator[str]:
    """`replacing`, for those who write to a name and not to an open file: yields the name of an empty file."""
    target = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(target)
    mode = os.stat(target).st_mode if os.path.exists(target) else None
    if mode is not None and not stat.S_ISREG(mode):
        yield from _copied_to(target)
        return
    if mode is not None and not os.access(target, os.W_OK):  # a rename would not ask
        raise PermissionError(13, "may not be written", target)
    temporary = os.path.join(folder, f".{name[:50]}.{secrets.token_hex(8)}.tmp")
    usual = _create(temporary, target)
    try:
        yield temporary
        _flush(temporary, stat.S_IMODE(usual if mode is None else mode))
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
    if os.name != "nt":  # Windows cannot open folders
        _flush(folder)


def _copied_to(target: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "content")
        yield name
        with open(name, "rb") as content, open(target, "wb") as file:
            shutil.copyfileobj(content, file)


def _create(temporary: str, target: str) -> int:
    """Makes an empty file; returns the mode that a new file has here."""
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        error.filename = target  # the name that the caller knows
        raise
    try:
        return os.fstat(handle).st_mode
    finally:
        os.close(handle)


def _flush(path: str, mode: int | None = None) -> None:
    """Has a file, or the names in a folder, on the disk; gives the file this mode."""
    handle = os.open(path, os.O_RDONLY if mode is None else os.O_RDWR)
    try:
        if mode is not None:
            os.chmod(path, mode)
        os.fsync(handle)
    finally:
        os.close(handle)
