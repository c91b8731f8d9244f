"""Where PyTorch has the classes that mini_torch has elsewhere: a whole module in a file is named by that."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from ..errors import UnpicklingError
from .names import check_here

__all__ = ["at_home", "home_of"]

_PACKAGE = __package__.rpartition(".")[0]
_DOORS = ("nn.modules", "optim")  # whose files are named as PyTorch's


def at_home(module: str, name: str) -> Any:
    """What `torch.….name` is here. Errors: UnpicklingError, where there is no such thing."""
    if f"{module}.{name}" == "torch.nn.backends.thnn._get_thnn_function_backend":
        return lambda: None  # modules of PyTorch before 1.5 have what it gave, and nobody uses that
    check_here(f"{module}.{name}")
    try:  # by name, since the file says which: these are rooms above this one
        found: Any = import_module(_PACKAGE + module.removeprefix("torch"))
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise UnpicklingError(f"it asks for {module}.{name}, which mini_torch has not got") from None
    return found


@cache
def _homes() -> dict[Any, tuple[str, str]]:
    homes: dict[Any, tuple[str, str]] = {}
    for door in _DOORS:
        package = import_module(f"{_PACKAGE}.{door}")
        for each in iter_modules(package.__path__):
            room = import_module(f"{package.__name__}.{each.name}")
            for name, value in vars(room).items():
                if isinstance(value, type):
                    homes[value] = f"torch.{door}.{each.name}", name
    return homes


def home_of(value: Any) -> tuple[str, str] | None:
    """(module, name) where PyTorch has this class of ours; None for a class that is not ours, or not there."""
    if not isinstance(value, type) or value.__module__.partition(".")[0] != _PACKAGE:
        return None
    return _homes().get(value)
