"""The format of `torch.save` before PyTorch 1.6: pickles one after the other, then the bytes of the storages."""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..errors import CheckpointError
from .archive import read_into
from .pickler import SavedStorage, dump
from .storage import Storage, StorageType

__all__ = ["LegacyStorages", "read_legacy", "save_legacy"]

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
_SIZES = {"short": 2, "int": 4, "long": 4}


def save_legacy(obj: Any, file: IO[bytes], module: Any, protocol: int) -> None:
    """Writes `obj` in that format."""
    storages: dict[str, SavedStorage] = {}

    def identify(storage: SavedStorage) -> tuple[Any, ...]:
        raw = storage.raw
        key = str(raw.__array_interface__["data"][0] if raw.size else id(storage))
        first = storages.setdefault(key, storage)
        if first.kind is not storage.kind or first.raw.size != raw.size:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return "storage", storage.kind, key, "cpu", storage.count, None

    system = {"protocol_version": PROTOCOL_VERSION, "little_endian": sys.byteorder == "little", "type_sizes": _SIZES}
    for part in (MAGIC_NUMBER, PROTOCOL_VERSION, system):
        pickle.dump(part, file, protocol=protocol)
    dump(obj, file, module, protocol, identify)
    keys = sorted(storages)
    pickle.dump(keys, file, protocol=protocol)
    for key in keys:
        storage = storages[key]
        numbers = storage.raw.view(storage.kind.dtype.numpy)
        file.write(struct.pack("<q", storage.count))
        file.write(_little_endian(numbers).view(np.uint8).data)


def _little_endian(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return numbers if sys.byteorder == "little" else numbers.byteswap()


class LegacyStorages:
    """The storages that a legacy file has behind its pickles. They get their memory when they are met, which the rest
    of the file must be long enough for, and their numbers at the end."""

    def __init__(self, file: IO[bytes], place: Callable[[Storage, str], Storage]) -> None:
        self._file, self._place = file, place
        here = file.tell()
        self._left = file.seek(0, 2) - here
        file.seek(here)
        self._storages: dict[str, Storage] = {}
        self._views: dict[tuple[str, str], Storage] = {}

    def load(self, identity: Any) -> Any:
        """What a persistent id stands for."""
        if not isinstance(identity, tuple) or len(identity) != 6 or identity[0] not in ("storage", b"storage"):
            raise CheckpointError("its pickle asks for something that is no storage")
        _, kind, key, location, count, seen = identity
        key, location = _text(key), _text(location)
        if not isinstance(kind, StorageType) or type(count) is not int or count < 0:
            raise CheckpointError(f"its storage {key} has no type or size that make sense")
        if key not in self._storages:
            self._left -= count * kind.dtype.itemsize + 8
            if self._left < 0:
                raise CheckpointError(f"the file is cut short, or damaged: its storage {key} claims {count} elements")
            self._storages[key] = self._place(Storage(kind.dtype, count), location)
        storage = self._storages[key]
        if storage.dtype is not kind.dtype:
            raise CheckpointError(f"its storage {key} is said to be of two types")
        return storage if seen is None else self._part(key, storage, seen)

    def _part(self, root: str, storage: Storage, seen: Any) -> Storage:
        if not isinstance(seen, tuple) or len(seen) != 3 or any(type(n) is not int for n in seen[1:]):
            raise CheckpointError(f"its storage {root} is seen in a way that makes no sense")
        key, offset, count = _text(seen[0]), seen[1], seen[2]
        if not 0 <= offset <= offset + count <= storage.elements.size or count < 0:
            raise CheckpointError(f"the part {key} reaches outside of the storage {root}")
        part = Storage(storage.dtype, count, storage.elements[offset : offset + count], is_part=True)
        return self._views.setdefault((root, key), part)

    def fill(self, keys: Any) -> None:
        """Reads the numbers of all storages, which follow in the order of `keys`."""
        names = [_text(key) for key in keys] if isinstance(keys, list) else []
        if sorted(names) != sorted(self._storages):
            raise CheckpointError("the storages behind its pickles are not those that the pickles speak of")
        for key in names:
            storage = self._storages[key]
            head = np.empty(8, np.uint8)
            read_into(self._file, None, head)
            if int(head.view("<i8")[0]) != storage.count:
                raise CheckpointError(f"its storage {key} has another size than its pickle says")
            storage.fill(lambda out: read_into(self._file, None, out))
            if sys.byteorder == "big":
                storage.swap()
            storage.change_again()


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii")
    if not isinstance(value, str):
        raise CheckpointError(f"a {type(value).__name__} stands where a name belongs")
    return value


def read_legacy(
    file: IO[bytes],
    place: Callable[[Storage, str], Storage],
    unpickle: Callable[[IO[bytes], Callable[[Any], Any]], Any],
) -> Any:
    """The object in a legacy file. `unpickle(file, load_storage)` reads one pickle from where the file stands."""

    def refuse(identity: Any) -> Any:
        raise CheckpointError("its head asks for a storage")

    if unpickle(file, refuse) != MAGIC_NUMBER:
        raise CheckpointError("it does not begin as a checkpoint does")
    version = unpickle(file, refuse)
    if version != PROTOCOL_VERSION:
        shown = version if type(version) is int else f"of type {type(version).__name__}"
        raise CheckpointError(f"of the protocol version {shown}; {PROTOCOL_VERSION} is known")
    unpickle(file, refuse)  # the byte order and sizes of the writer, which PyTorch does not go by either
    storages = LegacyStorages(file, place)
    result = unpickle(file, storages.load)
    storages.fill(unpickle(file, refuse))
    return result
