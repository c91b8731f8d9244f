"""`save`: objects with tensors in them, to a file that PyTorch reads."""

from __future__ import annotations

import io
import os
import pickle
import sys
from typing import IO, Any

from .archive_writer import ALIGNMENT, ArchiveWriter
from .legacy import save_legacy
from .pickler import SavedStorage, dump
from .settings import skips_data
from .whole_file import replacing

__all__ = ["DEFAULT_PROTOCOL", "save"]

DEFAULT_PROTOCOL = 2


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Writes `obj` to the path or the open binary file `f`, in PyTorch's own format.

    What holds only tensors, numbers, strings, and lists, tuples, dicts and sets of them, such as
    `model.state_dict()`, is read by `load` here and in PyTorch. Tensors that share memory share it again when they
    come back, and for that the whole memory behind a tensor is written: of a small part of a large tensor, save
    `.clone()`. A path holds the old file until the new one is complete.

    Errors: what `pickle` raises for what it cannot write, such as a lambda; OSError where the file cannot be
    written. PyTorch's `torch.save`; `_use_new_zipfile_serialization=False` is its format before version 1.6.

    >>> import io
    >>> from mini_torch import load, ones
    >>> file = io.BytesIO()
    >>> save({"weight": ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if not isinstance(f, str | os.PathLike):
        if not callable(getattr(f, "write", None)):
            raise AttributeError(
                f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {type(f)}"
            )
        _write(obj, f, "archive", pickle_module, pickle_protocol, _use_new_zipfile_serialization,
               not _disable_byteorder_record)  # fmt: skip
        f.flush()
        return
    path = os.fspath(f)
    with replacing(path) as file:
        _write(obj, file, _archive_name(path), pickle_module, pickle_protocol, _use_new_zipfile_serialization,
               not _disable_byteorder_record)  # fmt: skip


def _write(
    obj: Any, file: IO[bytes], name: str, module: Any, protocol: int, as_zip: bool, says_byteorder: bool
) -> None:
    if not as_zip:
        save_legacy(obj, file, module, protocol)
        return
    storages = Storages()
    data = io.BytesIO()
    dump(obj, data, module, protocol, storages.identify)
    archive = ArchiveWriter(file, name)
    archive.write("data.pkl", data.getbuffer())
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(ALIGNMENT).encode())
    if says_byteorder:
        archive.write("byteorder", sys.byteorder.encode())
    for key, storage in enumerate(storages.all):
        if skips_data():
            archive.leave_room(f"data/{key}", storage.raw.size)
        else:
            archive.write(f"data/{key}", storage.raw)
    archive.finish()


class Storages:
    """The storages that are in an object, each once, in the order in which they are met."""

    def __init__(self) -> None:
        self.all: list[SavedStorage] = []
        self._keys: dict[int, str] = {}

    def identify(self, storage: SavedStorage) -> tuple[Any, ...]:
        """The persistent id of a storage."""
        address = storage.raw.__array_interface__["data"][0] if storage.raw.size else -1 - len(self.all)
        key = self._keys.setdefault(address, str(len(self.all)))
        if int(key) == len(self.all):
            self.all.append(storage)
        first = self.all[int(key)]
        if first.kind is not storage.kind or first.raw.size != storage.raw.size:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return "storage", storage.kind, key, "cpu", storage.count


def _archive_name(path: str) -> str:
    """The folder in the archive: the file's name without its last ending, as in PyTorch."""
    name = os.path.basename(path)
    if not path.isascii():
        return "archive"
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name
