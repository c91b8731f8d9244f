"""`load`: what `torch.save` wrote, here or in PyTorch."""

from __future__ import annotations

import io
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import IO, Any

from ..errors import CheckpointError, UnpicklingError, printable
from .archive import Archive, opened, starts_as_pickle, starts_as_tar, starts_as_zip
from .homes import at_home
from .legacy import read_legacy
from .location import placed
from .machine import INSTRUCTIONS, Machine, Source, of_python_3
from .names import ALLOWED
from .safe_globals import find
from .settings import LoadEndianness, get_default_load_endianness
from .storage import Storage, StorageType

__all__ = ["get_unsafe_globals_in_checkpoint", "load"]

Unpickle = Callable[[IO[bytes], Callable[[Any], Any]], Any]


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """The object that `save` wrote to the path or the open binary file `f`, here or in PyTorch (any version).

    Tensors, numbers, strings, and lists, tuples, dicts and sets of them come back; classes and functions only if
    `add_safe_globals` allows them. No code from the file is run. With `weights_only=False` anything is loaded that
    can be pickled, also a whole module, **and the file can run any program on your computer while it is loaded**: use
    that for files that you trust as you trust a program.

    `mmap=True` maps a file: its numbers are read when they are first used, and writing into a tensor does not change
    the file. `map_location` may be given as in PyTorch. Everything ends on the CPU, also what was on another device
    and has no `map_location`, which PyTorch would refuse on such a computer. bfloat16 comes in as float32 unless the
    package ml_dtypes is installed. The checksums of the numbers are not compared, as in PyTorch, for speed. A path that
    ends in .safetensors is read as such a file.

    Errors: `CheckpointError` (a RuntimeError) with the file's name and what is wrong with it; it is also a
    `pickle.UnpicklingError` where the file asks for what is not allowed, and a FileNotFoundError where there is
    none. PyTorch's `torch.load`.
    """
    if weights_only is None or weights_only:
        if pickle_module is not None:
            raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
        if set(pickle_load_args) - {"encoding"}:
            warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
        unpickle = _by_machine(pickle_load_args.get("encoding", "utf-8"))
    else:
        unpickle = _by_pickle(pickle_module or pickle, {"encoding": "utf-8", **pickle_load_args})
    place = placed(map_location)
    if not isinstance(f, str | os.PathLike):
        if mmap:
            raise ValueError("f must be a file path in order to use the mmap argument")
        return _load(_seekable(f), getattr(f, "name", "the given file"), place, unpickle, False)
    path = os.fspath(f)
    if str(path).endswith(".safetensors"):
        from .safetensors import load_file  # what few programs need; the package behind it is asked for there

        return load_file(path)
    with opened(path) as file:
        return _load(file, path, place, unpickle, bool(mmap))


def _seekable(file: Any) -> Any:
    try:
        file.seek(file.tell())
    except (OSError, AttributeError) as error:
        kind = AttributeError if isinstance(error, AttributeError) else io.UnsupportedOperation
        raise kind(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer "
            "like io.BytesIO and try to load from it instead."
        ) from None
    return file


def _load(file: IO[bytes], name: Any, place: Callable[..., Storage], unpickle: Unpickle, mapped: bool) -> Any:
    try:
        if starts_as_zip(file):
            return _read_archive(Archive(file), place, unpickle, mapped)
        if mapped:
            raise CheckpointError("only files that torch.save wrote as zip archives, its default, can be mapped")
        if starts_as_tar(file):
            raise CheckpointError("a tar archive, as PyTorch wrote before 0.1.10: load it there and save it again")
        if not starts_as_pickle(file):
            raise UnpicklingError("not a checkpoint: neither a zip archive nor a pickle begins where it stands")
        return read_legacy(file, place, unpickle)
    except CheckpointError as error:
        raise type(error)(f"{name}: {printable(error)}") from error.__cause__
    except (OSError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file may bring about on the way
        raise CheckpointError(f"{name}: damaged: {type(error).__name__}: {printable(error)}") from error


# ---- the archive -----------------------------------------------------------------------------------------------------
def _read_archive(archive: Archive, place: Callable[..., Storage], unpickle: Unpickle, mapped: bool) -> Any:
    archive.check_kind()
    swapped = _byteorder(archive) != sys.byteorder
    storages: dict[str, tuple[StorageType, int, Storage]] = {}

    def load_storage(identity: Any) -> Storage:
        kind, key, location, count = _parts(identity)
        if key not in storages:
            storage = _read_storage(archive, kind, f"data/{key}", count, mapped)
            if swapped:
                storage.swap()
            storages[key] = kind, count, place(storage, location)
        if storages[key][:2] != (kind, count):
            raise CheckpointError(f"its storage {key} is said to be of two types or sizes")
        return storages[key][2]

    return unpickle(io.BytesIO(archive.read("data.pkl")), load_storage)


def _parts(identity: Any) -> tuple[StorageType, str, str, int]:
    """Of the persistent id of a storage: its type, key, device and number of elements."""
    if not isinstance(identity, tuple) or len(identity) != 5 or identity[0] not in ("storage", b"storage"):
        raise UnpicklingError("its pickle asks for something that is no storage")
    kind, key, location, count = identity[1:]
    if not isinstance(kind, StorageType) or not isinstance(key, str) or type(count) is not int or count < 0:
        raise UnpicklingError("its pickle asks for a storage without a type, name and size that make sense")
    if not isinstance(location, str | bytes):
        raise UnpicklingError(f"its storage {key} was on a device whose name is a {type(location).__name__}")
    return kind, key, location.decode("ascii") if isinstance(location, bytes) else location, count


def _read_storage(archive: Archive, kind: StorageType, record: str, count: int, mapped: bool) -> Storage:
    if mapped and count:
        return Storage.mapped(kind.dtype, archive.map(record, count * kind.dtype.itemsize))
    archive.check(record, count * kind.dtype.itemsize)  # before memory is taken for it
    storage = Storage(kind.dtype, count)
    storage.fill(lambda out: archive.read_into(record, out))
    return storage


def _byteorder(archive: Archive) -> str:
    """In which order the bytes of each number are."""
    if "byteorder" in archive:
        said = archive.read("byteorder")
        if said not in (b"little", b"big"):
            raise CheckpointError(f"of the byte order {said[:20]!r}, which is neither little nor big")
        return said.decode()
    default = get_default_load_endianness()
    if default is LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if default is LoadEndianness.BIG else "little"


# ---- the pickle ------------------------------------------------------------------------------------------------------
def _by_machine(encoding: str) -> Unpickle:
    return lambda file, load_storage: Machine(Source(file), find, load_storage, encoding).run()


def _by_pickle(module: Any, options: dict[str, Any]) -> Unpickle:
    """By Python's own reader, or another's, which does what the file says."""

    class Unpickler(module.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            allowed = ALLOWED.get(f"{module}.{name}")
            if allowed is not None:
                return allowed.value if allowed.call is None or isinstance(allowed.value, type) else allowed.call
            if module.partition(".")[0] == "torch":
                return at_home(module, name)
            return super().find_class(module, name)

    def unpickle(file: IO[bytes], load_storage: Callable[[Any], Any]) -> Any:
        unpickler = Unpickler(file, **options)
        unpickler.persistent_load = lambda identity: _class_with_source(identity) or load_storage(identity)
        return unpickler.load()

    return unpickle


def _class_with_source(identity: Any) -> Any:
    """The class in a persistent id of a legacy file, where the source of a module's class stands beside it."""
    is_class = isinstance(identity, tuple) and len(identity) == 4 and identity[0] == "module"
    return identity[1] if is_class else None


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names that a checkpoint asks for and `load` would refuse, so that a program can say which it allows.

    Errors: ValueError for a file in the legacy format, CheckpointError for one that is damaged.
    PyTorch's `torch.serialization.get_unsafe_globals_in_checkpoint`.
    """
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    if not starts_as_zip(f):
        raise ValueError("the format before PyTorch 1.6 cannot be searched for names; load it and save it again")
    refused: dict[str, None] = {}
    for instruction, argument in _instructions(Archive(f).read("data.pkl")):
        if instruction.code.encode("latin1") not in {*INSTRUCTIONS, pickle.STOP}:
            raise UnpicklingError(f"its pickle has the instruction {instruction.name}, which is not allowed")
        if instruction.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            full = of_python_3(module, name)
            try:
                find(*full)
            except UnpicklingError:
                refused[".".join(full)] = None
    return list(refused)


def _instructions(data: bytes) -> Iterator[tuple[Any, Any]]:
    """What a pickle says, and with which arguments; nothing is done."""
    import pickletools  # a thousand lines that no other program needs

    try:
        for instruction, argument, _ in pickletools.genops(data):
            yield instruction, argument
    except ValueError as error:
        raise UnpicklingError(f"its pickle is damaged: {printable(error)}") from None
