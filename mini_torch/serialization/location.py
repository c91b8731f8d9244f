"""`map_location`: where tensors go. Here all of them end on the CPU, but what is asked for is checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtype import device
from ..ops.storage import UntypedStorage
from .storage import Storage

__all__ = ["default_restore_location", "placed"]


def placed(map_location: Any) -> Callable[[Storage, str], Storage]:
    """What to do with each storage and the name of the device that it was on.

    Errors: RuntimeError where `map_location` asks for a device that is not the CPU; TypeError where it is nothing that
    says a device.
    """
    if map_location is None:
        return lambda storage, location: storage
    if isinstance(map_location, str | device):
        _check(map_location)
        return lambda storage, location: storage
    if isinstance(map_location, bytes):
        return placed(map_location.decode("ascii"))
    if isinstance(map_location, dict):
        for target in map_location.values():
            _check(target)
        return lambda storage, location: storage
    if not callable(map_location):
        raise TypeError(
            f"map_location is a device, its name, a dict of names or a function, got {type(map_location).__name__}"
        )
    return lambda storage, location: _by_function(map_location, storage, location)


def _check(target: str | device) -> None:
    if device(target).type != "cpu":
        raise RuntimeError(
            f"Attempting to deserialize object on the device {str(target)!r}, but mini_torch computes on the CPU. "
            "Please use torch.load with map_location=torch.device('cpu'), or leave map_location out."
        )


def _by_function(function: Callable[..., Any], storage: Storage, location: str) -> Storage:
    given = UntypedStorage(storage.elements.view("u1"))
    result = function(given, location)
    if result is None or result is given:
        return storage
    if not isinstance(result, UntypedStorage):
        raise TypeError(f"map_location returned a {type(result).__name__}; it returns the storage, or None")
    elements = result._elements.view(storage.elements.dtype)
    return Storage(storage.dtype, elements.size, elements)


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage itself, wherever it was: all is on the CPU.

    PyTorch's `torch.serialization.default_restore_location`, for programs that call it from a `map_location`.
    """
    return storage
