"""A storage: the block of memory behind tensors, as a checkpoint has it.

A file says a tensor in two parts: which storage, and by what size, stride and offset the tensor sees it. So two
tensors over one memory are still two over one memory when they come back.
"""

from __future__ import annotations

import math
import mmap
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..dtype import bfloat16, dtype, float32, uint8
from ..errors import CheckpointError, MissingExtraError
from ..ops.storage import TypedStorage
from .narrow_floats import from_bfloat16, from_float8

__all__ = ["Float8", "Storage", "StorageType", "room", "view"]

Array = np.ndarray[Any, Any]


class StorageType:
    """What `torch.FloatStorage` and its like stand for: the number type of a storage."""

    def __init__(self, kind: dtype) -> None:
        self.dtype = kind

    def __repr__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


_MOST_DIMENSIONS = 64  # PyTorch's
_LARGE = 4 << 20  # bytes, from which on NumPy asks for pages of 2 MB


def room(count: int, kind: np.dtype[Any]) -> Array:
    """An array for numbers that are about to be read.

    A large one gets its pages at once, of the ordinary size: pages of 2 MB, for which NumPy asks, the system must
    first make free, and that takes several times as long as reading the file where memory has been in use for a while.
    """
    size = count * kind.itemsize
    if size < _LARGE or not hasattr(mmap, "MAP_POPULATE"):
        return np.empty(count, kind)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
    return np.frombuffer(memoryview(pages), np.uint8).view(kind)


@cache
def _in_memory(kind: dtype) -> np.dtype[Any]:
    """NumPy's type for the numbers; float32 for bfloat16 where NumPy has none."""
    try:
        return kind.numpy
    except MissingExtraError:
        return np.dtype(np.float32)


class Float8(NamedTuple):
    """A floating type of 8 bits, by its name in `narrow_floats.FLOAT8`."""

    name: str
    itemsize: int = 1


class Storage(TypedStorage):
    """`count` numbers of type `kind`: `elements` is the array of them, `fill` reads them from a file.

    bfloat16 without the package ml_dtypes becomes float32, which holds the same numbers.
    """

    def __init__(self, kind: dtype, count: int, elements: Array | None = None, is_part: bool = False) -> None:
        self.dtype, self.count, self._is_part = kind, count, is_part
        self.elements = room(count, _in_memory(kind)) if elements is None else elements
        super().__init__(self.elements)  # a storage that was saved by itself comes back as this
        self._is_swapped = False
        self._as_type: dict[dtype | Float8, Storage] = {}  # of bytes, what tensors of other types see
        self._changed: dict[str, tuple[Storage, Callable[[Array], Array]]] = {}

    @property
    def size_in_file(self) -> int:
        """How many bytes the numbers take in a file."""
        return self.count * self.dtype.itemsize

    @classmethod
    def mapped(cls, kind: dtype, raw: Array) -> Storage:
        """A storage on the bytes `raw` themselves, where these can be used as they are."""
        count = raw.size // kind.itemsize
        elements = from_bfloat16(raw.view(np.uint16)) if kind is bfloat16 else raw.view(kind.numpy)
        return cls(kind, count, elements)

    def fill(self, read_into: Callable[[Array], None]) -> None:
        """Has `read_into` write the bytes of the numbers, straight into their place."""
        if self.elements.nbytes == self.size_in_file:
            read_into(self.elements.view(np.uint8))
            return
        raw = np.empty(self.size_in_file, np.uint8)
        read_into(raw)
        self.elements[:] = from_bfloat16(raw.view(np.uint16))

    def swap(self) -> None:
        """Turns the bytes of each number round; a complex number is two numbers. Of mere bytes, when it is known what
        numbers they are."""
        if self.dtype is uint8:
            self._is_swapped = True
        elif self.dtype.is_complex:
            self.elements.view(self.elements.real.dtype).byteswap(inplace=True)
        elif self.elements.itemsize == self.dtype.itemsize:
            self.elements.byteswap(inplace=True)
        else:
            raise CheckpointError("bfloat16 of the other byte order needs the package ml_dtypes")

    def as_type(self, kind: dtype | Float8) -> Storage:
        """The same memory as numbers of another type; those of 8-bit floats are made float32."""
        if kind is self.dtype:
            return self
        if self.dtype is not uint8 or self.elements.size % kind.itemsize:
            raise CheckpointError(f"a storage of {self.count} {self.dtype} cannot be taken as {kind}")
        if kind not in self._as_type:
            self._as_type[kind] = self._seen_as(kind)
        return self._as_type[kind]

    def _seen_as(self, kind: dtype | Float8) -> Storage:
        if isinstance(kind, Float8):
            return self.changed(kind.name, float32, lambda codes: from_float8(codes, kind.name))
        seen = Storage.mapped(kind, self.elements)
        if self._is_swapped:
            seen.swap()
        return seen

    def changed(self, name: str, kind: dtype, change: Callable[[Array], Array]) -> Storage:
        """What `change` makes of the elements, numbers of type `kind`: one copy, for all tensors that see it.

        Errors: CheckpointError for a part of a storage; many parts may lie on each other, so the copies would have no
        bound, and PyTorch wrote parts only before it had such tensors.
        """
        if self._is_part:
            raise CheckpointError("a part of a storage is seen as other numbers, which PyTorch never wrote")
        if name not in self._changed:
            elements = change(self.elements)
            self._changed[name] = Storage(kind, elements.size, elements), change
        return self._changed[name][0]

    def change_again(self) -> None:
        """Has `changed` storages follow this one, which in legacy files is filled after they were made."""
        for storage, change in self._changed.values():
            storage.elements[:] = change(self.elements)
            storage.change_again()


def view(storage: Storage, offset: int, size: Any, stride: Any) -> Array:
    """The array that sees the storage by this offset, size and stride, counted in elements.

    Errors: CheckpointError where that makes no sense or reaches outside.
    """
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or len(size) > _MOST_DIMENSIONS or any(type(n) is not int for n in numbers):
        raise CheckpointError(
            f"a tensor of {len(size)} sizes and {len(stride)} strides, where as many of both, numbers all, and at most "
            f"{_MOST_DIMENSIONS} belong"
        )
    if min(numbers) < 0:
        raise CheckpointError(f"a tensor of size {size}, stride {stride} and offset {offset}: no such tensor")
    elements = storage.elements
    if 0 in size:
        return np.empty(size, elements.dtype)
    needed = offset + sum((n - 1) * s for n, s in zip(size, stride)) + 1
    if needed > elements.size:
        raise CheckpointError(
            f"a tensor of size {list(size)}, stride {list(stride)} and offset {offset} needs a storage of {needed} "
            f"elements; its storage has {elements.size}"
        )
    if math.prod(size) > sys.maxsize // 16:  # repeats of few elements, but NumPy must be able to count them
        raise CheckpointError(f"a tensor of size {list(size)} has too many elements")
    itemsize = elements.itemsize
    return np.ndarray(size, elements.dtype, elements, offset * itemsize, [s * itemsize for s in stride])
