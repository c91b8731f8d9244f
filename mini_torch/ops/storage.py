"""The block of memory behind a tensor, as programs ask for it: to see who shares it, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtype import strided
from ..memory import layout_of, storage_of
from ..op import public
from ..tensor import Tensor, alias, method

__all__ = ["get_device", "is_same_size"]


class UntypedStorage:
    """The bytes behind a tensor. Source: PyTorch's `torch.UntypedStorage`."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._elements = array

    @staticmethod
    def from_file(filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` bytes of a file, mapped, not read. What is written goes to the file if `shared`.

        Source: PyTorch's `torch.UntypedStorage.from_file`.
        """
        return UntypedStorage(np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,)))

    def untyped(self) -> UntypedStorage:
        """This one."""
        return self

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

    def __getitem__(self, index: int | slice) -> Any:
        """A number, or for a slice the storage of that part, which shares the memory."""
        found = self._elements[index]
        return type(self)(found) if isinstance(index, slice) else found.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self._elements if dtype is None else self._elements.astype(dtype)

    def __dlpack__(self, **options: Any) -> Any:
        return self._elements.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._elements.__dlpack_device__()

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


@public
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape. Source: PyTorch's `torch.is_same_size`."""
    return input._array.shape == other._array.shape


@public
def get_device(input: Tensor) -> int:
    """-1, which stands for the CPU. Source: PyTorch's `torch.get_device`."""
    return -1


def _dim_order(self: Tensor) -> tuple[int, ...]:
    """The dimensions as they lie in memory, outermost first. Source: PyTorch's `Tensor.dim_order`."""
    strides = self.stride()
    return tuple(sorted(range(len(strides)), key=lambda axis: -strides[axis]))


def _is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both see the same memory by the same size and stride. Source: PyTorch's `Tensor.is_set_to`."""
    return layout_of(self._array) == layout_of(tensor._array) and self.data_ptr() == tensor.data_ptr()


def _as_subclass(self: Tensor, cls: type) -> Any:
    """The same memory and place in the graph as an object of a class that inherits from Tensor.

    Errors: TypeError for a class that does not. Source: PyTorch's `Tensor.as_subclass`.
    """
    if not issubclass(cls, Tensor):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure "
            f"your class inherits from Tensor, got {cls}."
        )
    out = alias(self)
    out.__class__ = cls
    return out


method("as_subclass", _as_subclass)
method("untyped_storage", _untyped_storage)
method("storage", _typed_storage)
method("dim_order", _dim_order)
method("is_set_to", _is_set_to)
method("const_data_ptr", lambda self: self.data_ptr())
method("layout", property(lambda self: strided, doc="Always `torch.strided`."))
method("is_pinned", lambda self, device=None: False)
method("is_shared", lambda self: False)
