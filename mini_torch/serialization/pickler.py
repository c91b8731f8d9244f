"""The pickle of a checkpoint, written with the names that PyTorch has for things.

It is Python's own pickler, the one that is written in Python: what it does for a class, a tensor or a number type is
said anew here, all else stays. So lists, dicts, and objects of a program's own classes are written as always.
"""

from __future__ import annotations

import codecs
import pickle
from collections import OrderedDict
from collections.abc import Callable
from types import FunctionType
from typing import IO, Any

import numpy as np

from ..dtype import device, from_numpy_dtype, layout
from ..memory import offset_of, storage_of
from ..network import Buffer, Parameter
from ..network.parameter import is_lazy
from ..ops.storage import TypedStorage, UntypedStorage
from ..tensor import Tensor, wrap
from .homes import home_of
from .names import STORAGE_TYPES, UNTYPED, name_of
from .rebuild import (
    layout_named,
    rebuild_from_type_v2,
    rebuild_parameter,
    rebuild_parameter_with_state,
    rebuild_tensor_v2,
    rebuild_tensor_v3,
)
from .storage import StorageType

__all__ = ["SavedStorage", "dump"]

Array = np.ndarray[Any, Any]


class SavedStorage:
    """A storage to be written: `raw` is its bytes."""

    def __init__(self, raw: Array, kind: StorageType) -> None:
        self.raw, self.kind = raw, kind

    @property
    def count(self) -> int:
        return self.raw.size // self.kind.dtype.itemsize


def _tensor_parts(x: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """The function that rebuilds the tensor, and its arguments."""
    array = x._array
    raw = storage_of(array) if array.size else np.empty(0, np.uint8)
    kind = from_numpy_dtype(array.dtype)
    seen: Any = (offset_of(array) if array.size else 0), tuple(x.size()), x.stride(), x.requires_grad, OrderedDict()
    if kind in STORAGE_TYPES:
        return rebuild_tensor_v2, (SavedStorage(raw, STORAGE_TYPES[kind][1]), *seen)
    return rebuild_tensor_v3, (SavedStorage(raw, UNTYPED), *seen, kind)


def _attributes(x: Tensor) -> dict[str, Any]:
    """What a program has set on the tensor, beside what the class has."""
    return {name: value for name, value in vars(x).items() if not hasattr(Tensor, name)}


def _reduced_tensor(x: Tensor) -> tuple[Any, tuple[Any, ...]]:
    state = _attributes(x)
    if type(x) is Parameter:
        data = wrap(x._array)
        if state:
            return rebuild_parameter_with_state, (data, x.requires_grad, OrderedDict(), state)
        return rebuild_parameter, (data, x.requires_grad, OrderedDict())
    function, args = _tensor_parts(x)
    if type(x) is Tensor and not state:
        return function, args
    if isinstance(x, Buffer):
        state["_is_buffer"] = True
    return rebuild_from_type_v2, (function, Tensor if isinstance(x, Buffer) else type(x), args, state)


_Pickler: Any = pickle._Pickler


class TorchNames(_Pickler):
    """A pickler of Python's that knows tensors. `identify` gives each storage its persistent id."""

    identify: Callable[[SavedStorage], Any]

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, TypedStorage):
            obj = SavedStorage(obj.untyped()._elements, STORAGE_TYPES[from_numpy_dtype(obj._elements.dtype)][1])
        elif isinstance(obj, UntypedStorage):
            obj = SavedStorage(obj._elements, UNTYPED)
        return self.identify(obj) if isinstance(obj, SavedStorage) else None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor) and not is_lazy(obj):
            return _reduced_tensor(obj)
        if isinstance(obj, device):
            name = str(obj.type.encode(), "ascii")  # a new string, as PyTorch has it, so the memo does not know it
            return device, (name,) if obj.index is None else (name, obj.index)
        if isinstance(obj, layout):
            return layout_named, (repr(obj),)
        if type(obj) is bytes and not obj and self.proto < 3:
            return codecs.encode, ("", "latin1")  # as other bytes; PyTorch refuses to read what pickle has for none
        if not isinstance(obj, type | FunctionType) and (known := name_of(obj)):  # a number type, a kind of storage
            return known[1]
        return NotImplemented

    def save_global(self, obj: Any, name: str | None = None) -> None:
        home = name_of(obj) or home_of(obj)
        if home is None:
            super().save_global(obj, name)
            return
        if self.proto >= 4:
            self.save(home[0])
            self.save(home[1])
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{home[0]}\n{home[1]}\n".encode())
        self.memoize(obj)


def dump(obj: Any, file: IO[bytes], module: Any, protocol: int, identify: Callable[[SavedStorage], Any]) -> None:
    """Writes the pickle of `obj` with the pickler of `module`, which must be one that is written in Python.

    Errors: TypeError where it is not; what the pickler raises for an object that cannot be pickled.
    """
    base = pickle._Pickler if module is pickle else getattr(module, "Pickler", None)
    if not (isinstance(base, type) and issubclass(base, pickle._Pickler)):
        raise TypeError(
            f"pickle_module={getattr(module, '__name__', module)!r} has no Pickler that says in Python how it writes a "
            "class, so tensors cannot get their names in it; leave pickle_module out"
        )
    dispatch = {**base.dispatch, FunctionType: TorchNames.save_global}
    cls: Any = type("Pickler", (TorchNames, base), {"dispatch": dispatch})
    pickler = cls(file, protocol=protocol)
    pickler.identify = identify
    pickler.dump(obj)
