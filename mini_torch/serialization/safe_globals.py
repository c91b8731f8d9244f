"""The classes that a program declares safe to load. `load` runs no code and makes no objects of them; the list is kept
for programs that write `with torch.serialization.safe_globals([...])`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

_declared: list[Any] = []


def add_safe_globals(safe_globals: Sequence[Any]) -> None:
    """Adds classes or functions, or (one, its full name). PyTorch's `torch.serialization.add_safe_globals`."""
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
