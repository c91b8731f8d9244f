"""What a recorded program took for granted: modes of modules, and what the function's names stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from ..graph import changes
from ..network.module import Module
from ..settings import threads_asked

__all__ = ["Guard"]

_NUMBERS = (bool, int, float, complex, str, bytes, type(None))


class Guard:
    """Facts about modules and about the names that a function uses, as they were when it was recorded."""

    def __init__(self, function: Callable[..., Any], modules: list[Module]) -> None:
        self.modules = modules
        self.facts = [*map(_facts, modules)]
        self.seen, self.threads = changes[0], threads_asked()
        function = getattr(function, "__func__", function)
        function = getattr(function, "__wrapped__", function)
        self.cells = list(getattr(function, "__closure__", None) or ())
        code = getattr(function, "__code__", None)
        space = getattr(function, "__globals__", {})
        self.space = space
        self.names = [name for name in dict.fromkeys(_names(code)) if name in space] if code else []
        self.values = self._values()

    def _values(self) -> list[Any]:
        space = self.space
        return [*map(_content, self.cells), *[space.get(name) for name in self.names]]

    def holds(self) -> bool:
        """Whether all is as it was."""
        for now, then in zip(self._values(), self.values):
            if now is not then and (type(now) is not type(then) or type(now) not in _NUMBERS or now != then):
                return False
        if changes[0] != self.seen:
            if [*map(_facts, self.modules)] != self.facts or threads_asked() != self.threads:
                return False
            self.seen = changes[0]
        return True


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty one
        return None


def _names(code: CodeType) -> Iterator[str]:
    """The names that the code and the functions in it look up."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _facts(module: Module) -> list[Any]:
    """What a module's forward may go by, without its tensors: those have guards of their own."""
    facts: list[Any] = []
    for name, value in vars(module).items():
        if isinstance(value, _NUMBERS):
            facts.append((name, type(value), value))
        elif isinstance(value, tuple) and all(isinstance(x, _NUMBERS) for x in value):
            facts.append((name, value))
        elif isinstance(value, dict):
            facts.append((name, [(key, id(each)) for key, each in value.items()]))
    return facts
