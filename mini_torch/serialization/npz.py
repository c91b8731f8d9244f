"""State dicts as NumPy's own files: what `np.load` opens, each array under its name."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from ..dtype import from_numpy_dtype
from ..errors import CheckpointError, printable
from ..tensor import Tensor, wrap
from .archive import opened
from .whole_file import replacing

__all__ = ["load_npz", "save_npz"]

Array = np.ndarray[Any, Any]


def save_npz(state_dict: Mapping[str, Any], path: Any) -> None:
    """Writes a state dict to the path or the open binary file, as `np.savez` would: each tensor under its name.

    Of dicts in the dict, the names are joined by "/": `{"network": net.state_dict()}` becomes "network/0.weight" and so
    on. Arrays and numbers may be in it, too, and come back as tensors. bfloat16, which NumPy has not, is written as
    float32: the same numbers, which `load_state_dict` makes bfloat16 again.

    Errors: TypeError for what is no tensor, array or number (`mini_torch.save` takes more), ValueError for a name that
    would not come back: an empty one, one with a "/", a dict with nothing in it. OSError where it cannot be written.

    >>> import io
    >>> file = io.BytesIO()
    >>> save_npz({"0.weight": mini_torch.ones(2), "step": 3}, file)
    >>> _ = file.seek(0)
    >>> dict(np.load(file))
    {'0.weight': array([1., 1.], dtype=float32), 'step': array(3)}
    """
    arrays = dict(_named_arrays(state_dict, ""))
    if hasattr(path, "write"):
        _write(path, arrays)
        return
    with replacing(path) as file:
        _write(file, arrays)


def _named_arrays(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Array]]:
    for key, value in tree.items():
        if not isinstance(key, str):
            raise TypeError(f"save_npz: names are strings, got {key!r} of type {type(key).__name__}")
        if not key or "/" in key:
            raise ValueError(f"save_npz: the name {key!r} is empty or has a '/', which joins the names of dicts")
        name = prefix + key
        if isinstance(value, Mapping):
            if not value:
                raise ValueError(f"save_npz: nothing is in the dict {name!r}, so that it would not come back")
            yield from _named_arrays(value, f"{name}/")
        else:
            yield name, _as_array(name, value)


def _as_array(name: str, value: Any) -> Array:
    if not isinstance(value, Tensor | np.ndarray | np.generic | bool | int | float | complex):
        raise TypeError(
            f"save_npz: {name!r} is a {type(value).__name__}; an .npz holds tensors, arrays, numbers and dicts of "
            "these. mini_torch.save takes lists and texts, too"
        )
    array = value._array if isinstance(value, Tensor) else np.asarray(value)
    kind = from_numpy_dtype(array.dtype)
    return array.astype(np.float32) if kind.name == "bfloat16" else array


def _write(file: IO[bytes], arrays: dict[str, Array]) -> None:
    with ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def load_npz(path: Any) -> dict[str, Any]:
    """The tensors of an .npz file, by name; names with a "/" make dicts in the dict.

    Also what `np.savez` and `np.savez_compressed` wrote, except Python objects, texts and dates. Each array is checked
    against the sum that was stored with it. Errors: `CheckpointError`, which is a FileNotFoundError too where there is
    no file, names the file and what is wrong.
    """
    if hasattr(path, "read"):
        return _read(path, getattr(path, "name", "the given file"))
    name = os.fspath(path)
    with opened(name) as file:
        return _read(file, name)


def _read(file: IO[bytes], name: Any) -> dict[str, Any]:
    try:
        length = file.seek(0, os.SEEK_END)
        with ZipFile(file) as archive:
            if strange := [each.filename for each in archive.infolist() if not _is_plain(each, length)]:
                raise CheckpointError(f"{strange[0]!r} claims more data than there is, or is packed in a strange way")
            if len(set(archive.namelist())) < len(archive.namelist()):
                raise CheckpointError("two arrays in it have the same name")
            found = {member.filename: _read_array(archive, member) for member in archive.infolist()}
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {printable(error)}") from None
    except BadZipFile as error:
        raise CheckpointError(f"{name}: not an .npz file, or not a whole one: {printable(error, 200)}") from None
    except Exception as error:  # whatever a damaged file may bring about on the way
        raise CheckpointError(f"{name}: damaged: {type(error).__name__}: {printable(error, 200)}") from None
    return _nested(found, name)


def _is_plain(member: ZipInfo, length: int) -> bool:
    """Whether a member can be what NumPy writes. zipfile would first allocate what is claimed here."""
    stored = member.compress_type == ZIP_STORED and member.file_size == member.compress_size
    return member.compress_size <= length and (stored or member.compress_type == ZIP_DEFLATED)


def _read_array(archive: ZipFile, member: ZipInfo) -> Tensor:
    """The array of one member, of what is there; `np.load` would first allocate what the header claims."""
    with archive.open(member) as file:
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        version = np.lib.format.read_magic(file)
        if version not in read_header:
            raise CheckpointError(f"{member.filename} is of version {version}; known are {sorted(read_header)}")
        shape, fortran, kind = read_header[version](file)
        if kind.hasobject:
            raise CheckpointError(f"{member.filename} holds Python objects, which are not read: they may run code")
        try:
            from_numpy_dtype(kind)
        except TypeError:
            raise CheckpointError(f"{member.filename} is of type {kind}, which no tensor has; see np.load") from None
        data = bytearray(file.read())  # to the end, so that the sum is checked
    if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != len(data):
        raise CheckpointError(f"{member.filename} has {len(data)} bytes, not those of shape {list(shape)}, type {kind}")
    array = np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")
    return wrap(array.astype(kind.newbyteorder("="), copy=False))


def _nested(tensors: dict[str, Tensor], file: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for member, tensor in tensors.items():
        *folders, name = member.removesuffix(".npy").split("/")
        place: Any = out
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                raise CheckpointError(f"{file}: {folder!r} in {member!r} is an array and a dict at once")
        if name in place:
            raise CheckpointError(f"{file}: there are two of {member!r}")
        place[name] = tensor
    return out
