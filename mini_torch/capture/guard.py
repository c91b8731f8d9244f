"""What a recorded program took for granted: modes of modules, and what the function's names stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import getattr_static
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..graph import changes
from ..network.module import Module
from ..settings import threads_asked

__all__ = ["Guard"]

_NUMBERS = (bool, int, float, complex, str, bytes, type(None))
_MOST = 64  # elements of a list that is looked at, functions that are followed
_GROUPS = ["the options of an optimizer's groups"]
_PACKAGE = __name__.partition(".")[0]


class Guard:
    """Facts about modules, and about what the function goes by, as they were when it was recorded: what its names and
    those of the functions that it calls stand for, and the numbers in lists, dicts and objects behind these names."""

    def __init__(self, function: Callable[..., Any], modules: list[Module], tensors: list[Any]) -> None:
        self.modules, self.tensors = modules, tensors
        self.facts = self._facts()
        self.seen, self.threads = changes[0], threads_asked()
        self.cells: list[Any] = []
        self.names: list[tuple[dict[str, Any], str]] = []
        used = self._read(function)
        self.values = self._values()
        behind = [getattr(function, "__self__", None), *self.values]
        written = [m for m in modules if not _is_ours(type(m))]
        behind += [value for m in written for key, value in vars(m).items() if key[0] != "_"]
        self.contents = [each for each in (_contents(x, used) for x in behind) if each is not None]

    def _read(self, function: Callable[..., Any]) -> set[str]:
        """Finds what the function, and those of the program that it calls, look up; gives all names in them."""
        kinds = dict.fromkeys(map(type, (*self.modules, getattr(function, "__self__", None))))
        written = [cls for kind in kinds for cls in kind.__mro__ if not _is_ours(cls) and cls is not object]
        methods = [x for cls in written for x in vars(cls).values() if isinstance(x, FunctionType)]
        waiting: list[Any] = [function, *methods]
        seen: set[int] = set()
        used: set[str] = set()
        while waiting and len(seen) < _MOST:
            each = waiting.pop()
            each = getattr(each, "__func__", each)
            each = getattr(each, "__wrapped__", each)
            code = getattr(each, "__code__", None)
            if code is None or id(code) in seen or _is_ours(each):
                continue
            seen.add(id(code))
            cells, space, names = list(each.__closure__ or ()), each.__globals__, [*dict.fromkeys(_names(code))]
            self.cells += cells
            self.names += [(space, name) for name in names if name in space]
            used.update(names)
            found = [*map(_content, cells), *[space.get(name) for name in names]]
            waiting += [x for x in found if isinstance(x, FunctionType)]
        return used

    def _values(self) -> list[Any]:
        return [*map(_content, self.cells), *[space.get(name) for space, name in self.names]]

    def _facts(self) -> list[Any]:
        return [*map(_facts, self.modules), *[(*(x._hooks or ()), None, *(x._post_hooks or ())) for x in self.tensors]]

    def knows(self, x: Any) -> bool:
        """Whether the function has this tensor by another way than as its argument."""
        own = [p for m in self.modules for p in (*m._parameters.values(), *m._buffers.values())]
        return any(x is other for other in (*self.values, *own))

    def holds(self) -> bool:
        """Whether all is as it was."""
        for now, then in zip(self._values(), self.values) if self.values else ():
            if now is not then and (type(now) is not type(then) or type(now) not in _NUMBERS or now != then):
                return False
        for thing, keys, then in self.contents:
            if _look(thing, keys) != then:
                return False
        if changes[0] != self.seen:
            if self._facts() != self.facts or threads_asked() != self.threads:
                return False
            self.seen = changes[0]
        return True


def _is_ours(x: Any) -> bool:
    """Whether a class or function is one of this package, which knows when what it goes by changes."""
    return (getattr(x, "__module__", None) or "").partition(".")[0] == _PACKAGE


def _contents(x: Any, used: set[str]) -> tuple[Any, Any, Any] | None:
    """What is looked at, under which keys (None: whole), and what that is now: of lists, dicts and sets of numbers, and
    of the attributes of objects."""
    if isinstance(x, list | dict | set):
        plain = all(isinstance(each, _NUMBERS) for each in (x.values() if isinstance(x, dict) else x))
        return (x, None, x.copy()) if plain and len(x) <= _MOST else None
    if "param_groups" in used and isinstance(getattr(x, "param_groups", None), list):
        return x, _GROUPS, _look(x, _GROUPS)
    if "get_last_lr" in used and isinstance(getattr(x, "_last_lr", None), list):
        return x, ["_last_lr"], [[*x._last_lr]]
    if isinstance(x, type | FunctionType | ModuleType) or _is_ours(type(x)) or not hasattr(x, "__dict__"):
        return None
    keys = [key for key in sorted(used) if type(getattr_static(x, key, _contents)) in _NUMBERS]
    return (x, keys, [getattr(x, key) for key in keys]) if keys else None


def _look(thing: Any, keys: Any) -> Any:
    """What is now where `_contents` has looked."""
    if keys is _GROUPS:
        return [[value for value in group.values() if type(value) in _NUMBERS] for group in thing.param_groups]
    return thing if keys is None else [getattr(thing, key, None) for key in keys]


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
