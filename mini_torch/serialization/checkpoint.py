"""`save` and `load`: nested dicts, lists and tuples of tensors and numbers, in a file that anybody can look into.

The file is a zip archive, stored without compression: `structure.json` describes the object, and each tensor is
a NumPy `.npy` member whose name says where in the object it is. So `unzip -p f structure.json` and
`np.load(f)["network/0.weight"]` both work, and reading one needs no code from it: nothing is ever unpickled.

A file is written beside its place and then renamed: what has the name is always whole. Reading takes no more
memory than the file is long, whatever the file claims.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..dtype import Size, device, dtype, from_numpy_dtype
from ..errors import CheckpointError, MissingCheckpointError
from ..network import Parameter
from ..tensor import Tensor, wrap
from .whole_file import replacing

__all__ = ["load", "save"]

FORMAT, VERSION = "mini_torch", 1
STRUCTURE = "structure.json"
TAG = "$"  # a JSON object with this key is no plain dict: the key's value says what it is

Array = np.ndarray[Any, Any]


# ---- writing -----------------------------------------------------------------------------------------------
def save(obj: Any, f: Any) -> None:
    """Writes `obj` to the path or the open binary file `f`.

    `obj` may hold tensors, arrays, numbers, strings, None, and lists, tuples, sizes and dicts of such, for
    example `model.state_dict()`. A tensor that is there twice is written once. Errors: TypeError for anything
    else, with its place in `obj`; OSError where the file cannot be written, and then an old one of this name is
    still there. PyTorch's `torch.save`, with a format of its own.

    >>> import io
    >>> from mini_torch import ones
    >>> file = io.BytesIO()
    >>> save({"weight": ones(2), "epoch": 3}, file)
    >>> load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    encoder = _Encoder()
    structure = {"format": FORMAT, "version": VERSION, "object": encoder.encode(obj, ())}
    if hasattr(f, "write"):
        _write(f, structure, encoder.arrays)
        return
    with replacing(os.fspath(f)) as file:
        _write(file, structure, encoder.arrays)


def _write(file: IO[bytes], structure: dict[str, Any], arrays: dict[str, Array]) -> None:
    import json
    from zipfile import ZipFile, ZipInfo

    with ZipFile(file, "w") as archive:
        archive.writestr(ZipInfo(STRUCTURE), json.dumps(structure, indent=1, allow_nan=False))
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


class _Encoder:
    """Makes of an object what JSON can hold, and collects the arrays by the names they get."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.names: dict[int, str] = {}  # of those, by id

    def encode(self, value: Any, place: tuple[str, ...]) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            finite = value == value and abs(value) != float("inf")
            return float(value) if finite else {TAG: "float", "value": repr(float(value))}
        if isinstance(value, complex):
            return {TAG: "complex", "value": repr(complex(value))}
        if isinstance(value, Tensor):
            kind = "parameter" if isinstance(value, Parameter) else "tensor"
            return {TAG: kind, "file": self._file(value._array, place), "requires_grad": value.requires_grad}
        if isinstance(value, np.ndarray):
            return {TAG: "array", "file": self._file(value, place)}
        return self._encode_container(value, place)

    def _encode_container(self, value: Any, place: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            if all(isinstance(key, str) and key != TAG for key in value) and not isinstance(value, OrderedDict):
                return {key: self.encode(item, (*place, key)) for key, item in value.items()}
            kind = "ordered dict" if isinstance(value, OrderedDict) else "dict"
            items = [[self.encode(k, (*place, "key")), self.encode(v, (*place, str(k)))] for k, v in value.items()]
            return {TAG: kind, "items": items}
        if isinstance(value, list | tuple):
            items = [self.encode(item, (*place, str(i))) for i, item in enumerate(value)]
            if isinstance(value, list):
                return items
            return {TAG: "size" if isinstance(value, Size) else "tuple", "items": items}
        if isinstance(value, dtype):
            return {TAG: "dtype", "value": value.name}
        if isinstance(value, device):
            return {TAG: "device", "value": str(value)}
        raise TypeError(
            f"cannot save a {type(value).__name__} (at {'/'.join(place) or 'the top'}): a file holds tensors, numbers, "
            "strings, None, and lists, tuples and dicts of them; of a module save module.state_dict()"
        )

    def _file(self, array: Array, place: tuple[str, ...]) -> str:
        """The name of the member that holds `array`, in words of ASCII."""
        if id(array) not in self.names:
            from_numpy_dtype(array.dtype)
            words = name = "/".join(map(_in_ascii, place)) or "tensor"
            count = 1
            while name in self.arrays:
                count += 1
                name = f"{words}~{count}"
            self.arrays[name] = array
            self.names[id(array)] = name
        return self.names[id(array)]


def _in_ascii(word: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in word)


# ---- reading -----------------------------------------------------------------------------------------------
def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None) -> Any:
    """The object that `save` wrote to the path or the open binary file `f`.

    `map_location`, `weights_only` and `mmap` are there because PyTorch has them: all is on the CPU, and no code
    is ever run. Errors: `CheckpointError` (a RuntimeError) that names the file and the cause where it is
    damaged or not ours; where there is none, that is a FileNotFoundError, too. PyTorch's `torch.load`.
    """
    if hasattr(f, "read"):
        return _read(f, getattr(f, "name", "the given file"))
    path = os.fspath(f)
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below; only a failure to open it is a missing file
    except FileNotFoundError:
        raise MissingCheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        return _read(file, path)


def _read(file: IO[bytes], name: Any) -> Any:
    from zipfile import BadZipFile

    try:
        return _Decoder(file).object()
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from None
    except BadZipFile as error:
        raise CheckpointError(f"{name}: not a checkpoint, or not a whole one: {error}") from None
    except Exception as error:  # whatever a damaged file may bring about on the way
        raise CheckpointError(f"{name}: damaged: {type(error).__name__}: {error}") from error


class _Decoder:
    """Reads an archive back into the object."""

    def __init__(self, file: IO[bytes]) -> None:
        from zipfile import ZIP_STORED, ZipFile

        length = file.seek(0, os.SEEK_END)
        self.archive = ZipFile(file)
        members = self.archive.infolist()
        if any(member.compress_type != ZIP_STORED for member in members) or sum(m.file_size for m in members) > length:
            raise CheckpointError("its members claim more data than the file has")
        self.arrays: dict[str, Array] = {}
        self.tensors: dict[tuple[str, str], Tensor] = {}
        self.kinds: dict[str, Callable[[dict[str, Any]], Any]] = {
            "float": lambda node: float(node["value"]),
            "complex": lambda node: complex(node["value"]),
            "tensor": self._tensor,
            "parameter": self._tensor,
            "array": lambda node: self._array(node["file"]),
            "tuple": lambda node: tuple(map(self.decode, node["items"])),
            "size": lambda node: Size(map(self.decode, node["items"])),
            "dict": lambda node: {self.decode(k): self.decode(v) for k, v in node["items"]},
            "ordered dict": lambda node: OrderedDict((self.decode(k), self.decode(v)) for k, v in node["items"]),
            "dtype": lambda node: from_numpy_dtype(np.dtype(node["value"])),
            "device": lambda node: device(node["value"]),
        }

    def object(self) -> Any:
        import json

        if STRUCTURE not in self.archive.namelist():
            raise CheckpointError(f"not written by mini_torch.save: it has no {STRUCTURE}")
        structure = json.loads(self.archive.read(STRUCTURE))
        if not isinstance(structure, dict) or structure.get("format") != FORMAT:
            raise CheckpointError("not written by mini_torch.save")
        if structure.get("version") != VERSION:
            raise CheckpointError(f"of version {structure.get('version')}; this mini_torch reads version {VERSION}")
        return self.decode(structure["object"])

    def decode(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        if TAG not in node:
            return {key: self.decode(item) for key, item in node.items()}
        return self.kinds[node[TAG]](node)

    def _tensor(self, node: dict[str, Any]) -> Tensor:
        key = node["file"], node[TAG]
        if key not in self.tensors:
            tensor = wrap(self._array(node["file"]), bool(node["requires_grad"]))
            self.tensors[key] = Parameter(tensor, tensor.requires_grad) if node[TAG] == "parameter" else tensor
        return self.tensors[key]

    def _array(self, name: str) -> Array:
        if name not in self.arrays:
            self.arrays[name] = self._read_array(name)
        return self.arrays[name]

    def _read_array(self, name: str) -> Array:
        """The array of one member, of what is there; `np.load` would first allocate what the header claims."""
        with self.archive.open(f"{name}.npy") as member:
            read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, fortran, kind = read_header[np.lib.format.read_magic(member)](member)
            from_numpy_dtype(kind)
            data = bytearray(member.read())
        count = 1
        for n in shape:
            count *= n
        if min(shape, default=0) < 0 or count * kind.itemsize != len(data):
            raise CheckpointError(f"{name} has {len(data)} bytes, not those of shape {list(shape)} and type {kind}")
        return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")
