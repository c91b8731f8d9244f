"""The classes and functions that a program declares safe to load: `load` may then make objects of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import UnpicklingError
from .homes import home_of
from .names import ALLOWED, Allowed, check_here

__all__ = ["add_safe_globals", "clear_safe_globals", "find", "get_safe_globals", "safe_globals"]

_BLOCKED = ("sys", "os", "posix", "nt")  # never, whatever a program declares

_declared: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Adds classes or functions, or pairs (one of them, the full name that a file has for it).

    What you add is called when a file asks for it, with arguments that the file says. PyTorch's
    `torch.serialization.add_safe_globals`. Errors: ValueError or TypeError for a pair that is none.
    """
    for each in safe_globals:
        _full_name(each)
    _declared.extend(each for each in safe_globals if each not in _declared)


def get_safe_globals() -> list[Any]:
    """What was added."""
    return list(_declared)


def clear_safe_globals() -> None:
    """Forgets what was added."""
    _declared.clear()


class safe_globals:
    """Context manager that adds them, and afterwards has those that were there before.

    >>> with safe_globals([complex]):
    ...     get_safe_globals()
    [<class 'complex'>]
    >>> get_safe_globals()
    []
    """

    def __init__(self, safe_globals: Sequence[Any]) -> None:
        self._added = list(safe_globals)

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self._added)

    def __exit__(self, *_: Any) -> None:
        _declared[:] = self._before


def _full_name(declared: Any) -> str:
    """The name that a file has for what was declared."""
    if not isinstance(declared, tuple):
        return ".".join(home_of(declared) or (declared.__module__, declared.__qualname__))
    if len(declared) != 2:
        raise ValueError(f"Expected tuple of length 2 (global, str of callable full path), but got: {len(declared)}")
    if type(declared[1]) is not str:
        raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(declared[1])}")
    return declared[1]


def _declared_by_name() -> dict[str, Any]:
    return {_full_name(each): each[0] if isinstance(each, tuple) else each for each in _declared}


def is_declared(value: Any) -> bool:
    """Whether the program has declared this very class or function safe."""
    return any(value is each for each in _declared_by_name().values())


def find(module: str, name: str) -> Allowed:
    """What a file may have by this name. Errors: UnpicklingError, with the name and what can be done."""
    full = f"{module}.{name}"
    if module in _BLOCKED:
        raise UnpicklingError(f"it asks for {full}; nothing of the module {module} is ever loaded from a file")
    if full in ALLOWED:
        return ALLOWED[full]
    declared = _declared_by_name()
    if full in declared:
        value = declared[full]
        return Allowed(value, value, lambda *args: value.__new__(value, *args))
    check_here(full)
    shown = full.removeprefix("builtins.")
    raise UnpicklingError(
        f"it asks for {shown}, which is not allowed with weights_only=True. If you trust the file and this class or "
        f"function, allow it: mini_torch.serialization.add_safe_globals([{shown}]), or for one call "
        f"`with mini_torch.serialization.safe_globals([{shown}]):`. (weights_only=False would run whatever is in the "
        "file.)"
    )
