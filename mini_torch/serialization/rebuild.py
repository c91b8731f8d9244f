"""What a checkpoint may have built: the functions behind the names `torch._utils._rebuild_…` and their like.

These are all that loading ever calls, so each one checks what it is given.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import numpy as np

from ..dtype import Size, bfloat16, device, dtype, float32, strided
from ..errors import CheckpointError
from ..network import Buffer, Parameter
from ..tensor import Tensor, make, wrap
from .storage import Float8, Storage, view

__all__ = [
    "bytearray_of", "check_key", "complex_of", "counter", "device_of", "empty_tensor", "encoded", "layout_named",
    "new_parameter", "no_bytes", "ordered_dict", "rebuild_from_type_v2", "rebuild_moved_tensor", "rebuild_parameter",
    "rebuild_parameter_with_state", "rebuild_tensor", "rebuild_tensor_v2", "rebuild_tensor_v3", "set_attributes",
    "set_items", "set_of", "set_state", "size_of",
]  # fmt: skip


def _expect(value: Any, kind: Any, what: str) -> None:
    if not isinstance(value, kind):
        raise CheckpointError(f"{what} cannot be a {type(value).__name__}")


# ---- tensors ---------------------------------------------------------------------------------------------------------
def rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Tensor:
    """A tensor on a storage."""
    _expect(storage, Storage, "the storage of a tensor")
    _expect(size, tuple, "the size of a tensor")
    _expect(stride, tuple, "the stride of a tensor")
    return wrap(view(storage, storage_offset, size, stride))


def rebuild_tensor_v2(
    storage: Any, storage_offset: Any, size: Any, stride: Any, requires_grad: Any, backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """The same, with what the tensor knows of gradients. Hooks are not kept in files; the argument is empty."""
    _expect(storage, Storage, "the storage of a tensor")
    if metadata:
        _expect(metadata, dict, "the metadata of a tensor")
        for change, function in (("conj", np.conjugate), ("neg", np.negative)):
            if metadata.get(change):  # in the storage, since few numbers can be seen as a huge tensor
                storage = storage.changed(change, storage.dtype, function)
    tensor = rebuild_tensor(storage, storage_offset, size, stride)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def rebuild_tensor_v3(
    storage: Any, storage_offset: Any, size: Any, stride: Any, requires_grad: Any, backward_hooks: Any, kind: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """The same on a storage of bytes, for number types that have no storage of their own."""
    _expect(storage, Storage, "the storage of a tensor")
    _expect(kind, dtype | Float8, "the type of a tensor")
    storage = storage.as_type(kind)
    return rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata)


def rebuild_moved_tensor(data: Any, kind: Any, location: Any, requires_grad: Any) -> Tensor:
    """A tensor that was saved by way of the CPU, from a device with no storages."""
    _expect(data, Tensor, "the data of a tensor")
    _expect(kind, dtype, "the type of a tensor")
    if data.dtype is not kind and (data.dtype, kind) != (float32, bfloat16):  # as which bfloat16 may come in
        raise CheckpointError(f"a tensor of {data.dtype} is said to be of {kind}")
    return data.detach().requires_grad_(bool(requires_grad))


def rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Parameter:
    """A parameter on a tensor's memory."""
    _expect(data, Tensor, "the data of a parameter")
    out: Parameter = Parameter(data, bool(requires_grad))
    return out


def rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Parameter:
    """A parameter and the attributes that a program gave it."""
    return _with_attributes(rebuild_parameter(data, requires_grad, backward_hooks), state)


def rebuild_from_type_v2(function: Any, cls: Any, args: Any, state: Any) -> Tensor:
    """A tensor with attributes of its own, or one of a class of the program's."""
    if not any(function is one for one in _OF_TENSORS):
        raise CheckpointError("only a function that rebuilds tensors may be named there")
    _expect(args, tuple, "what a tensor is made from")
    tensor = function(*args)
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        shown = cls.__name__ if isinstance(cls, type) else f"value of type {type(cls).__name__}"
        raise CheckpointError(f"a tensor cannot become a {shown}")
    if isinstance(state, dict) and state.get("_is_buffer"):
        cls = Buffer
    if type(tensor) is not cls:
        requires_grad, tensor = tensor.requires_grad, make(cls, tensor._array)
        tensor._requires_grad = requires_grad
    if hasattr(cls, "__setstate__"):  # of an allowed class of the program's
        tensor.__setstate__(state)
        return tensor
    return _with_attributes(tensor, state)


_OF_TENSORS = (rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3, rebuild_parameter, rebuild_moved_tensor)


def _with_attributes(tensor: Any, state: Any) -> Any:
    """Sets the attributes of a tensor that its class has not: `_hooks` and its like are no business of a file."""
    slots: Any = {}
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    for part in (state or {}, slots or {}):
        _expect(part, dict, "the attributes of a tensor")
        tensor.__dict__.update({k: v for k, v in part.items() if isinstance(k, str) and not hasattr(type(tensor), k)})
    return tensor


def new_parameter(*args: Any) -> Parameter:
    """A parameter as old files begin it; `set_state` fills it."""
    for data in args[:1]:
        _expect(data, Tensor, "the data of a parameter")
    out: Parameter = Parameter(*args[:1], *map(bool, args[1:2]))
    return out


def set_state(tensor: Tensor, state: Any) -> None:
    """Fills a tensor as old files do: (storage, offset, size, stride), or (data, …, requires_grad, …)."""
    _expect(state, tuple, "the state of a tensor")
    if len(state) == 4:
        tensor._array = rebuild_tensor(*state)._array
        return
    if len(state) == 5:
        _expect(state[0], Tensor, "the data of a tensor")
        tensor._array = state[0]._array
        state = (state[3], state[4], state[2])
    if len(state) != 3:
        raise CheckpointError(f"the state of a tensor has 3, 4 or 5 parts, not {len(state)}")
    tensor.requires_grad = bool(state[0])


# ---- plain values ----------------------------------------------------------------------------------------------------
_PLAIN = frozenset([str, int, float, bool, type(None), bytes, complex, dtype, device])
_MOST_IN_A_KEY = 100


def check_key(key: Any) -> None:
    """CheckpointError unless `key` can be hashed in no time. A tuple of tuples that share their parts takes a file of
    a hundred bytes, and a hash of it that takes for ever; one nested too deep overflows the interpreter's stack."""
    if type(key) in _PLAIN or isinstance(key, Tensor | type):
        return
    left, seen = [(key, 0)], 0
    while left:
        part, depth = left.pop()
        if isinstance(part, tuple):
            seen += len(part)
            if seen > _MOST_IN_A_KEY or depth > 20:
                raise CheckpointError("the key of a dict, or an element of a set, is long or nested beyond reason")
            left.extend((inner, depth + 1) for inner in part)
        elif part.__hash__ is None:
            raise CheckpointError(f"a {type(part).__name__} cannot be the key of a dict or an element of a set")


def set_items(target: Any, items: Any) -> None:
    """`target[key] = value` for keys and values that follow each other in `items`."""
    for key, value in zip(items[::2], items[1::2]):
        check_key(key)
        target[key] = value


def ordered_dict(*args: Any) -> OrderedDict[Any, Any]:
    """An empty OrderedDict, or one of the pairs in a list."""
    out: OrderedDict[Any, Any] = OrderedDict()
    for pairs in args[:1]:
        _expect(pairs, list, "the items of an OrderedDict")
        for pair in pairs:
            _expect(pair, list | tuple, "an item of an OrderedDict")
            set_items(out, pair[:2])
    return out


def counter(*args: Any) -> Counter[Any]:
    """A Counter of a dict, whose keys were checked when it was made."""
    for counts in args[:1]:
        _expect(counts, dict, "the counts of a Counter")
    return Counter(*args[:1])


def set_of(*args: Any) -> set[Any]:
    """The set of a list's elements."""
    for elements in args[:1]:
        _expect(elements, list | tuple, "the elements of a set")
        for element in elements:
            check_key(element)
    return set(*args[:1])


def encoded(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes, which pickles of protocol 2 write as text in Latin 1."""
    _expect(text, str, "the text of bytes")
    _expect(encoding, str, "the encoding of bytes")
    if encoding not in ("latin1", "latin-1"):
        raise CheckpointError(f"bytes are encoded in latin1, not in {encoding!r:.40}")
    return text.encode("latin1")


def no_bytes() -> bytes:
    """Empty bytes, which pickles of protocol 2 write in a way of its own."""
    return b""


def bytearray_of(*args: Any) -> bytearray:
    """A bytearray of bytes, or of text in Latin 1; never of a number, which would be that many zeros."""
    if not args:
        return bytearray()
    return bytearray(args[0]) if isinstance(args[0], bytes) else bytearray(encoded(*args[:2]))


def complex_of(real: Any, imag: Any = 0.0) -> complex:
    """A complex number."""
    _expect(real, int | float, "a part of a complex number")
    _expect(imag, int | float, "a part of a complex number")
    return complex(real, imag)


def size_of(sizes: Any = ()) -> Size:
    """A torch.Size."""
    _expect(sizes, tuple | list, "what a torch.Size is made of")
    for n in sizes:
        _expect(n, int, "a part of a torch.Size")
    return Size(sizes)


def device_of(name: Any, index: Any = None) -> device:
    """A torch.device."""
    _expect(name, str, "the name of a device")
    _expect(index, int | None, "the number of a device")
    return device(name, index)


def layout_named(name: Any) -> Any:
    """A layout by its name; tensors here have only the one."""
    _expect(name, str, "the name of a layout")
    if name != "torch.strided":
        raise CheckpointError(f"tensors of the layout {name!r:.40} are not in mini_torch")
    return strided


def set_attributes(target: OrderedDict[Any, Any], state: Any) -> None:
    """Gives an OrderedDict its attributes, such as the `_metadata` of a state dict."""
    _expect(state, dict, "the attributes of an OrderedDict")
    target.__dict__.update({k: v for k, v in state.items() if isinstance(k, str) and not hasattr(OrderedDict, k)})


def empty_tensor(*args: Any) -> Tensor:
    """A tensor as old files begin it; `set_state` fills it."""
    if args:
        raise CheckpointError("a tensor is not made from numbers that are in the pickle")
    return wrap(np.empty(0, np.float32))
