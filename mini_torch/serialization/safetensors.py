"""Tensors in safetensors files, through the package of that name: PyTorch's side of it is `safetensors.torch`.

A file is a table of names, number types and shapes, and then the numbers, with no code in it. Reading maps the file:
numbers come from the disk when they are first looked at, and writing into a tensor does not change the file.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..dtype import check_device
from ..errors import CheckpointError, MissingExtraError
from ..memory import storage_of
from ..network import Module
from ..tensor import Tensor, wrap
from .archive import opened
from .narrow_floats import FLOAT8, from_bfloat16, from_float8
from .storage import room
from .whole_file import beside

__all__ = ["load", "load_file", "load_model", "safe_open", "save", "save_file", "save_model"]

Array = np.ndarray[Any, Any]

_PLAIN = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "C64": np.complex64,
    "I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8,
    "U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8,
}  # fmt: skip
_STORED: dict[str, Any] = {**_PLAIN, "BOOL": np.uint8, "BF16": np.uint16, **dict.fromkeys(FLOAT8, np.uint8)}


def _package() -> ModuleType:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise MissingExtraError("safetensors", "safetensors", "a safetensors file") from None
    return safetensors


# ---- reading -----------------------------------------------------------------------------------------------
def load_file(filename: str | os.PathLike[str], device: Any = "cpu", *, backend: str = "mmap") -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name, in the order in which they lie there.

    They are mapped: the numbers are read when they are first used, from a file that may be replaced (as `save_file`
    does) but not written over meanwhile. `backend="pread"` reads them all at once. bfloat16 comes in as float32 where
    the package ml_dtypes is missing, and 8-bit floats always do; the numbers are the same.

    Errors: CheckpointError, which is a FileNotFoundError too where there is no file; ImportError without the package
    safetensors. As `safetensors.torch.load_file`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"weight": mini_torch.ones(2)}, f"{folder}/model.safetensors")
    ...     load_file(f"{folder}/model.safetensors")
    {'weight': tensor([1., 1.])}
    """
    with safe_open(filename, "pt", device, backend=backend) as file:
        return file.get_tensors()


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors of the content of a safetensors file. As `safetensors.torch.load`."""
    package = _package()
    try:
        found = package.deserialize(bytes(data))
    except package.SafetensorError as error:
        raise CheckpointError(f"the given bytes: not safetensors: {error}") from None
    out = {}
    for name, view in found:
        kind = _stored("the given bytes", name, view["dtype"])
        with _shape_checked("the given bytes", name, view["shape"]):
            raw = np.ndarray(view["shape"], kind, bytearray(view["data"]))
        out[name] = wrap(_numbers(raw, view["dtype"]))
    return out


def _stored(where: str, name: str, kind: str) -> np.dtype[Any]:
    """NumPy's type for the bits of one of the format's."""
    if kind not in _STORED:
        raise CheckpointError(f"{where}: {name!r} is of type {kind}, which is not read; known: {', '.join(_STORED)}")
    return np.dtype(_STORED[kind])


@contextmanager
def _shape_checked(where: str, name: str, shape: Iterable[int]) -> Iterator[None]:
    """Around the making of an array: a shape beyond NumPy's limits is the file's fault."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{where}: {name!r} of shape {list(shape)}: {error}") from None


def _numbers(raw: Array, kind: str) -> Array:
    """What the bits are as numbers."""
    if not raw.flags.aligned:
        raw = raw.copy()
    if sys.byteorder == "big":
        raw = raw.byteswap()
    if kind == "BOOL":
        return raw != 0
    if kind == "BF16":
        return from_bfloat16(raw)
    return from_float8(raw, kind) if kind in FLOAT8 else raw


class _Entry(NamedTuple):
    """One tensor, as the file's header has it."""

    kind: str
    shape: tuple[int, ...]
    start: int  # of its bytes, from the beginning of the file


class safe_open:
    """A safetensors file, of which single tensors and parts of them can be read.

    Errors as `load_file`. `framework` is "pt"; the package's own `safetensors.safe_open` serves the others.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"rows": mini_torch.arange(6)}, f"{folder}/model.safetensors", {"by": "me"})
    ...     with safe_open(f"{folder}/model.safetensors", framework="pt") as file:
    ...         file.keys(), file.metadata(), file.get_slice("rows")[1:4]
    (['rows'], {'by': 'me'}, tensor([1, 2, 3]))
    """

    def __init__(
        self, filename: str | os.PathLike[str], framework: str = "pt", device: Any = "cpu", *, backend: str = "mmap"
    ) -> None:
        if framework not in ("pt", "torch", "pytorch"):
            raise ValueError(f"framework={framework!r}: tensors of this library come with 'pt'")
        if backend not in ("mmap", "pread"):
            raise ValueError(f"backend={backend!r}: expected 'mmap', which maps the file, or 'pread', which reads it")
        check_device(f"cuda:{device}" if isinstance(device, int) else device)
        self._name, self._closed, package = os.fspath(filename), False, _package()
        with ExitStack() as stack:
            self._file = stack.enter_context(opened(self._name))
            self._check(package)
            self._entries, self._metadata = self._header()
            self._memory = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) if backend == "mmap" else None
            if self._memory is None:
                stack.pop_all()  # the file stays open

    def _check(self, package: ModuleType) -> None:
        """Has the package find that the entries cover the file, each byte once."""
        try:
            package.safe_open(self._name, "np")
        except OSError as error:
            raise CheckpointError(f"{self._name}: cannot be read: {error.strerror or error}") from None
        except package.SafetensorError as error:
            raise CheckpointError(f"{self._name}: not a safetensors file, or not a whole one: {error}") from None

    def _header(self) -> tuple[dict[str, _Entry], dict[str, str] | None]:
        first = 8 + int.from_bytes(self._file.read(8), "little")
        header = json.loads(self._file.read(first - 8))
        metadata = header.pop("__metadata__", None)
        entries = [(name, _Entry(entry["dtype"], tuple(entry["shape"]), first + entry["data_offsets"][0]))
                   for name, entry in header.items()]  # fmt: skip
        return dict(sorted(entries, key=lambda pair: pair[1].start)), metadata

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *_: Any) -> None:
        self._closed = True  # what is mapped stays: the tensors hold it
        self._file.close()

    def keys(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._entries)

    def offset_keys(self) -> list[str]:
        """The names, in the order in which the tensors lie in the file."""
        return list(self._entries)

    def metadata(self) -> dict[str, str] | None:
        """The texts that were saved with the tensors."""
        return self._metadata

    def get_tensor(self, name: str) -> Tensor:
        """One tensor."""
        return self.get_slice(name)[...]

    def get_tensors(self) -> dict[str, Tensor]:
        """All of them, by name."""
        return {name: self.get_tensor(name) for name in self._entries}

    def get_slice(self, name: str) -> _Slice:
        """One tensor, to be indexed: only what is asked for is read."""
        if self._closed:
            raise CheckpointError(f"{self._name}: is closed")
        if name not in self._entries:
            raise CheckpointError(f"{self._name}: no tensor {name!r} in it; there are {', '.join(self.keys())}")
        entry = self._entries[name]
        with _shape_checked(self._name, name, entry.shape):
            return _Slice(self._raw(entry, _stored(self._name, name, entry.kind)), entry.kind)

    def _raw(self, entry: _Entry, kind: np.dtype[Any]) -> Array:
        if self._memory is not None:
            return np.ndarray(entry.shape, kind, self._memory, entry.start)
        array = room(math.prod(entry.shape), kind).reshape(entry.shape)
        self._file.seek(entry.start)
        if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            raise CheckpointError(f"{self._name}: ends before its last number: it was written over just now")
        return array


class _Slice:
    """A tensor in a file, to be indexed."""

    def __init__(self, raw: Array, kind: str) -> None:
        self._raw, self._kind = raw, kind

    def get_shape(self) -> list[int]:
        """The whole tensor's."""
        return list(self._raw.shape)

    def get_dtype(self) -> str:
        """The number type as the format calls it, "F32" or so."""
        return self._kind

    def __getitem__(self, index: Any) -> Tensor:
        part = np.asarray(self._raw[index])
        return wrap(_numbers(part.copy() if any(s < 0 for s in part.strides) else part, self._kind))


# ---- writing -----------------------------------------------------------------------------------------------
def save_file(
    tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes tensors by name, and perhaps texts by name, into a safetensors file: in full or not at all.

    Errors: ValueError for what is no dict of contiguous tensors and for types that the format has not, RuntimeError
    for tensors that share memory (`save_model` can handle these), OSError where the file cannot be written. As
    `safetensors.torch.save_file`.
    """
    arrays = _arrays(tensors)
    package = _package()
    with beside(filename) as name:
        try:
            package.numpy.save_file(arrays, name, metadata)
        except package.SafetensorError as error:
            raise CheckpointError(f"{os.fspath(filename)}: cannot be written: {error}") from None


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """The content of the file that `save_file` writes, with the same errors. As `safetensors.torch.save`."""
    arrays = _arrays(tensors)
    data: bytes = _package().numpy.save(arrays, metadata)
    return data


def _arrays(tensors: dict[str, Tensor]) -> dict[str, Array]:
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {type(tensor)}")
    shared = [group for group in _overlapping(tensors) if len(group) > 1]
    if shared:
        groups = ", ".join("{" + ", ".join(map(repr, sorted(group))) + "}" for group in shared)
        raise RuntimeError(
            "Some tensors share memory, this will lead to duplicate memory on disk and potential differences when "
            f"loading them again: [{groups}]. A potential way to correctly save your model is to use `save_model`, "
            "or .clone() all but one of them."
        )
    for name, tensor in tensors.items():
        if not tensor.is_contiguous():
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. Call `.contiguous()` "
                "on it before saving; of a part of another tensor save the whole, and take the part after loading."
            )
        if tensor.dtype.name == "complex128":
            raise ValueError(f"Key `{name}` is of type complex128, which safetensors has not; save `.to(complex64)`")
    return {name: tensor._array for name, tensor in tensors.items()}


def _overlapping(tensors: dict[str, Tensor]) -> list[list[str]]:
    """The names, in groups of tensors that have memory in common; a group for itself each that shares with none."""
    places = []
    for name, tensor in tensors.items():
        array = tensor._array
        if array.size:
            start = array.ctypes.data
            extent = sum((n - 1) * step for n, step in zip(array.shape, array.strides)) + array.itemsize
            places.append((start, start + extent, name))
    groups: list[list[str]] = []
    reached = 0
    for start, stop, name in sorted(places):
        if start < reached:
            groups[-1].append(name)
        else:
            groups.append([name])
        reached = max(reached, stop)
    return groups


# ---- whole models ------------------------------------------------------------------------------------------
def save_model(
    model: Module, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:  # fmt: skip
    """Writes a module's state dict; of tensors that share memory one, and in the metadata which one stands for which.

    Errors: as `save_file`, but RuntimeError only where none of those that share memory is the whole of it. As
    `safetensors.torch.save_model`.
    """
    state = model.state_dict()
    texts = dict(metadata or {})
    for kept, others in _to_leave_out(state).items():
        for name in others:
            texts.setdefault(name, kept)
            del state[name]
    if force_contiguous:
        state = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(dict(state), filename, texts or None)


def load_model(
    model: Module, filename: str | os.PathLike[str], strict: bool = True, device: Any = "cpu", *, backend: str = "mmap"
) -> tuple[set[str], list[str]]:
    """Copies a file's tensors into a module; returns what the file lacks, and what it has beyond the module.

    Tensors that share memory need be there only once. Errors: as `load_file`, and RuntimeError for other shapes and,
    with `strict`, for missing and unexpected names. As `safetensors.torch.load_model`.
    """
    given = load_file(filename, device, backend=backend)
    left_out = _to_leave_out(model.state_dict(), given)
    missing_keys, unexpected = model.load_state_dict(given, strict=False)
    missing = set(missing_keys)
    for name in (name for names in left_out.values() for name in names):
        if name in missing:
            missing.remove(name)
        else:
            unexpected.append(name)
    if strict and (missing or unexpected):
        raise RuntimeError(
            "\n    ".join(
                [f"Error(s) in loading state_dict for {type(model).__name__}:"]
                + [
                    f"{what} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in sorted(names))
                    for what, names in (("Missing", missing), ("Unexpected", unexpected))
                    if names
                ]
            )
        )
    return missing, unexpected


def _to_leave_out(state: dict[str, Tensor], preferred: Iterable[str] = ()) -> dict[str, list[str]]:
    """For each name that is kept, those that share its memory."""
    out = {}
    for group in _overlapping(state):
        if len(group) == 1:
            continue
        whole = sorted(name for name in group if _is_whole(state[name]._array))
        if not whole:
            raise RuntimeError(
                f"The tensors {', '.join(sorted(group))} share memory, and none of them is the whole of it, so that "
                "none can be saved for all; give the module tensors of their own (.clone()), or use save_file"
            )
        kept = next(iter([name for name in whole if name in preferred] or whole))
        out[kept] = sorted(name for name in group if name != kept)
    return out


def _is_whole(array: Array) -> bool:
    return array.nbytes == storage_of(array).nbytes
