"""The block of memory behind a tensor, as programs ask for it: to see who shares it, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..memory import storage_of
from ..tensor import Tensor, method

__all__: list[str] = []


class UntypedStorage:
    """The bytes behind a tensor. Source: PyTorch's `torch.UntypedStorage`."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._elements = array

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._elements.__array_interface__["data"][0]

    def nbytes(self) -> int:
        """How many bytes."""
        return self._elements.nbytes

    def size(self) -> int:
        """How many elements; of an untyped storage, bytes."""
        return self._elements.size

    def element_size(self) -> int:
        """Bytes per element; of an untyped storage 1."""
        return self._elements.itemsize

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._elements.tolist()

    __len__ = size

    def __getitem__(self, index: int) -> Any:
        return self._elements[index].item()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self.data_ptr() == other.data_ptr()

    def __hash__(self) -> int:
        return hash(self.data_ptr())


class TypedStorage(UntypedStorage):
    """The elements behind a tensor. Source: PyTorch's `torch.storage.TypedStorage`."""

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._elements.view(np.uint8))


def _untyped_storage(self: Tensor) -> UntypedStorage:
    """The whole block of memory of which this tensor is a part, as bytes."""
    return UntypedStorage(storage_of(self._array))


def _typed_storage(self: Tensor) -> TypedStorage:
    """The whole block of memory of which this tensor is a part, as elements."""
    return TypedStorage(storage_of(self._array).view(self._array.dtype))


method("untyped_storage", _untyped_storage)
method("storage", _typed_storage)
