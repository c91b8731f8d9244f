"""The source of functions, and of all that they use, for a file that is to run without this package.

A function's text is taken from its file, and each name in it that stands for something outside is looked up: NumPy and
the standard library are imported, numbers and other plain things are written out, and functions and classes of this
package are taken over in turn, under names that nobody else has.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import functools
import math
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NotExported
from ..graph import mode
from ..random import Generator
from ..tensor import Tensor
from .text import Edit, File, annotation_in, imports_in, is_ours, outer_names

__all__ = ["Inliner"]

_PACKAGE = __name__.partition(".")[0]
_PLAIN = (type(None), bool, int, str, bytes, type(Ellipsis))


class Inliner:
    """Collects definitions. `taken` are names that are not to be used; `arrays` goes into a file of its own.

    `array` says how an array is written; `imports` and `definitions` are lines for the head of the file.
    """

    def __init__(self, taken: set[str], array: Callable[[Any, str], str]) -> None:
        self.taken, self.array = taken, array
        self.imports: dict[str, None] = {"import numpy as np": None}
        self.definitions: list[str] = []
        self.generators: dict[str, Generator] = {}  # those that are drawn from, by their names
        self._names: dict[Any, str] = {}
        self._kept: list[Any] = []  # things are told apart by their ids, which are theirs as long as they live
        self._drawing: set[str] = set()  # the methods of generators that somebody calls
        self.path: list[str] = []  # what led to the thing at hand, for messages

    # ---- names -------------------------------------------------------------------------------------------------------
    def new(self, wish: str) -> str:
        """A name that nobody has, as near to the wish as can be."""
        base = re.sub(r"\W+", "_", wish).rstrip("_") or "x"
        name, count = base, 1
        while name in self.taken or hasattr(builtins, name) or (count == 1 and base[0].isdigit()):
            count += 1
            name = f"{base}_{count}" if not base[0].isdigit() else f"_{base}"
        self.taken.add(name)
        return name

    def refuse(self, what: str) -> NotExported:
        """The error for what cannot be exported."""
        way = f" (in {' → '.join(self.path)})" if self.path else ""
        return NotExported(f"export: {what} cannot be written into a file that runs without {_PACKAGE}{way}")

    # ---- things as expressions ---------------------------------------------------------------------------------------
    def expression(self, x: Any, wish: str = "thing") -> str:
        """How `x` is written; what that needs is imported or defined."""
        for kinds, write in self._ways():
            if isinstance(x, kinds):
                return write(x, wish)
        return self._object(x, wish)

    def _ways(self) -> Iterator[tuple[Any, Callable[[Any, str], str]]]:
        yield _PLAIN, lambda x, wish: repr(x)
        yield float, lambda x, wish: repr(x) if math.isfinite(x) else f'float("{x}")'
        yield np.ndarray, self.array
        yield np.generic, lambda x, wish: f"np.{type(x).__name__}({self.expression(x.item())})"
        yield np.dtype, lambda x, wish: f'np.dtype("{x}")' if x.names is None else f"np.dtype({x.descr})"
        yield np.ufunc, lambda x, wish: f"np.{x.__name__}"
        yield (tuple, list, set, frozenset), self._collection
        yield dict, self._dict
        yield slice, lambda x, wish: f"slice({', '.join(map(self.expression, (x.start, x.stop, x.step)))})"
        yield types.ModuleType, self._module
        yield functools.partial, self._partial
        yield type, self._class
        yield types.MethodType, lambda x, wish: f"{self._owner(x.__self__, x.__name__)}.{x.__name__}"
        yield types.FunctionType, self._function
        yield functools._lru_cache_wrapper, self._cached
        yield type(np.sum), lambda x, wish: self._from_elsewhere(x)
        yield (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType), self._builtin
        yield Generator, lambda x, wish: self._generator(x)
        yield Tensor, lambda x, wish: self.expression(x._array, wish)
        yield complex, lambda x, wish: repr(x)

    def _collection(self, x: Any, wish: str) -> str:
        if isinstance(x, tuple) and type(x) is not tuple:
            return f"{self.expression(type(x))}({', '.join(map(self.expression, x))})"
        parts = ", ".join(map(self.expression, x))
        if isinstance(x, tuple):
            return f"({parts},)" if len(x) == 1 else f"({parts})"
        if isinstance(x, list):
            return f"[{parts}]"
        return f"{type(x).__name__}([{parts}])"

    def _dict(self, x: dict[Any, Any], wish: str) -> str:
        return "{" + ", ".join(f"{self.expression(key)}: {self.expression(each)}" for key, each in x.items()) + "}"

    def _partial(self, x: Any, wish: str) -> str:
        parts = [x.func, *x.args]
        words = [f"{key}={self.expression(each)}" for key, each in x.keywords.items()]
        if not x.args and not words:
            return self.expression(x.func, wish)
        self.imports["import functools"] = None
        return f"functools.partial({', '.join([*map(self.expression, parts), *words])})"

    def _module(self, x: Any, wish: str) -> str:
        if x.__name__.partition(".")[0] == _PACKAGE:
            raise self.refuse(f"the module {x.__name__} as a whole")
        if x is np:
            return "np"
        self._import(x.__name__)
        return str(x.__name__)

    def _import(self, module: str) -> None:
        if module.partition(".")[0] not in {"numpy", *sys.stdlib_module_names}:
            raise self.refuse(f"the module {module}")
        self.imports[f"import {module}"] = None

    def _builtin(self, x: Any, wish: str) -> str:
        owner = getattr(x, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return f"{self.expression(owner)}.{x.__name__}"
        if hasattr(x, "__objclass__"):
            return f"{self.expression(x.__objclass__)}.{x.__name__}"
        return self._from_elsewhere(x)

    def _from_elsewhere(self, x: Any) -> str:
        """Something of NumPy or the standard library."""
        module, name = getattr(x, "__module__", None) or "builtins", getattr(x, "__qualname__", x.__name__)
        if getattr(builtins, name, None) is x:
            return str(name)
        if module.partition(".")[0] == "numpy":
            for path in ("", "linalg", "random", "fft", "lib.stride_tricks"):
                place = functools.reduce(getattr, path.split("."), np) if path else np
                if getattr(place, name.partition(".")[0], None) is not None and _found(place, name) is x:
                    return f"np.{path}.{name}" if path else f"np.{name}"
        found = _found(sys.modules.get(module), name)
        if found is not x or "<" in name:
            raise self.refuse(f"{module}.{name}")
        self._import(module)
        return f"{module}.{name}"

    def _named(self, x: Any, wish: str, define: Callable[[str], str]) -> str:
        """The name of a thing, which is defined when it is first asked for."""
        if id(x) not in self._names:
            name = self._names[id(x)] = self.new(wish)
            self._kept.append(x)
            self.path.append(wish)
            text = define(name)
            self.path.pop()
            self.definitions.append(text)
        return self._names[id(x)]

    def _object(self, x: Any, wish: str) -> str:
        """An instance of a class of ours: its class, and what it holds."""
        cls = type(x)
        if x is mode:  # nothing is recorded there, and no gradient is asked for
            self.imports["import types"] = None
            return self._named(x, wish, lambda name: f"{name} = types.SimpleNamespace(enabled=False, inference=False, "
                               "anomaly=False, hooks=(), recorder=None)")  # fmt: skip
        foreign = {"Module", "Optimizer", "LRScheduler", "Row", "Recorder"} & {c.__name__ for c in cls.__mro__}
        if foreign or cls.__module__.partition(".")[0] in {"builtins", "numpy", *sys.stdlib_module_names}:
            raise self.refuse(f"a {cls.__name__}")
        if dataclasses.is_dataclass(x):
            words = [f"{f.name}={self.expression(getattr(x, f.name), f.name)}" for f in dataclasses.fields(x) if f.init]
            return f"{self.expression(cls)}({', '.join(words)})"
        held = getattr(x, "__dict__", None)
        if held is None:
            names = [name for c in cls.__mro__ for name in getattr(c, "__slots__", ())]
            held = {name: getattr(x, name) for name in names if hasattr(x, name)}

        def define(name: str) -> str:
            lines = [f"{name} = object.__new__({self.expression(cls)})"]
            return "\n".join(lines + [f"{name}.{key} = {self.expression(each, key)}" for key, each in held.items()])

        return self._named(x, wish, define)

    # ---- functions ---------------------------------------------------------------------------------------------------
    def _function(self, x: Any, wish: str) -> str:
        x = unwrapped(x)
        if not isinstance(x, types.FunctionType):
            return self.expression(x, wish)
        if x.__module__.partition(".")[0] in {"numpy", *sys.stdlib_module_names}:
            return self._from_elsewhere(x)
        name = wish if x.__name__ == "<lambda>" else x.__name__
        if unwrapped(Generator.__dict__.get(name)) is x:
            self._drawing.add(name)
            return f"Generator.{name}"
        return self._named(x, name, lambda name: self._definition(x, name))

    def _cached(self, x: Any, wish: str) -> str:
        function = x.__wrapped__
        if x.__module__.partition(".")[0] in {"numpy", *sys.stdlib_module_names}:
            return self._from_elsewhere(x)
        self.imports["import functools"] = None
        size = x.cache_parameters()["maxsize"]
        kept = f"functools.lru_cache(maxsize={size})"
        if not isinstance(function, types.FunctionType):
            return self._named(x, wish, lambda name: f"{name} = {kept}({self.expression(function)})")
        return self._named(x, function.__name__, lambda name: f"@{kept}\n{self._definition(function, name)}")

    def define(self, x: Any, name: str) -> bool:
        """Takes over a function under a name that is its own already; False if it is none of this package."""
        x = unwrapped(x)
        if not isinstance(x, types.FunctionType) or x.__module__.partition(".")[0] != _PACKAGE or id(x) in self._names:
            return False
        self._names[id(x)] = name
        self._kept.append(x)
        self.path.append(name)
        self.definitions.append(self._definition(x, name))
        self.path.pop()
        return True

    def _definition(self, function: Any, name: str) -> str:
        """The function's own text, with names changed."""
        if function.__module__ in (f"{_PACKAGE}.tensor", f"{_PACKAGE}.backward"):
            raise self.refuse(f"{function.__module__}.{function.__qualname__}")
        file = File.of(function)
        node = file.node_of(function.__code__) if file else None
        if file is None or node is None:
            raise self.refuse(f"{function.__qualname__}, whose source is not to be found,")
        space = {**function.__globals__, **_cells(function)}
        edits = [*self._edits(file, node, space, function.__module__)]
        if isinstance(node, ast.Lambda):
            return f"{name} = {file.text(node, edits)}"
        at = file.at(node.lineno, node.col_offset)
        start = at + file.bytes[at:].index(node.name.encode())
        edits.append(Edit(start, start + len(node.name.encode()), name))
        return file.text(node, edits, keep_indent=True)

    # ---- generators: of their class, only what is needed is taken over -----------------------------------------------
    def _owner(self, x: Any, method: str) -> str:
        """The object that a bound method belongs to."""
        if not isinstance(x, Generator):
            return self.expression(x, type(x).__name__.lower())
        self._drawing.add(method)
        return self._generator(x)

    def _generator(self, x: Generator) -> str:
        if id(x) not in self._names:
            name = self._names[id(x)] = self.new("generator")
            self._kept.append(x)
            self.generators[name] = x
        return self._names[id(x)]

    def generator_class(self) -> str:
        """The class of generators, with the methods that somebody calls, and those that these call."""
        methods: dict[str, str] = {}
        while self._drawing - {*methods}:
            for name in sorted(self._drawing - {*methods}):
                text = self._definition(unwrapped(Generator.__dict__[name]), name)
                methods[name] = textwrap.indent(text, "    ")
        head = 'class Generator:\n    """Random numbers as PyTorch draws them."""'
        return "\n\n".join([head, *[methods[name] for name in sorted(methods)]])

    # ---- classes -----------------------------------------------------------------------------------------------------
    def _class(self, x: Any, wish: str) -> str:
        if issubclass(x, np.generic):
            return f"np.{x.__name__}"
        if x.__module__.partition(".")[0] in {"builtins", "numpy", *sys.stdlib_module_names}:
            return self._from_elsewhere(x)
        if x is Tensor:
            return self._named(x, "Tensor", lambda name: f'class {name}:\n    """There are none here."""')
        return self._named(x, x.__name__, lambda name: self._class_text(x, name))

    def _class_text(self, cls: Any, name: str) -> str:
        file = File.of(cls)
        node = next((n for n in ast.walk(file.tree) if isinstance(n, ast.ClassDef) and n.name == cls.__name__), None) \
            if file else None  # fmt: skip
        if file is None or node is None or cls.__module__ == f"{_PACKAGE}.tensor":
            raise self.refuse(f"the class {cls.__name__}")
        space = vars(sys.modules[cls.__module__])
        edits = [*self._edits(file, node, space, cls.__module__)]
        at = file.at(node.lineno, node.col_offset)
        start = at + file.bytes[at:].index(node.name.encode())
        return file.text(node, [*edits, Edit(start, start + len(node.name.encode()), name)], keep_indent=True)

    # ---- names in a text ---------------------------------------------------------------------------------------------
    def _edits(self, file: File, node: ast.AST, space: dict[str, Any], module: str) -> Iterator[Edit]:
        """What is to be changed: names of things outside, annotations, imports of this package."""
        space = {**space, **dict(imports_in(node, module))}
        own = {n.arg if isinstance(n, ast.arg) else n.id for n in ast.walk(node)
               if isinstance(n, ast.arg) or (isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))}  # fmt: skip
        for part, chain in outer_names(node):
            if part.id not in space:
                continue  # built in
            x, path, at = space[part.id], [part.id], part
            for above in chain:
                if not (isinstance(x, types.ModuleType) and x.__name__.partition(".")[0] == _PACKAGE):
                    break
                x, at = getattr(x, above.attr), above
                path.append(above.attr)
            if x is Tensor and len(chain) > len(path) - 1:  # to be asked whether something is one is all that it can
                raise self.refuse(f"Tensor.{chain[len(path) - 1].attr}")
            written = self._outer(x, path[-1])
            if written in own:  # the text has something else by this name
                other = self.new(written)
                self.definitions.append(f"{other} = {written}")
                written = other
            if written != ".".join(path):
                yield Edit(file.at(at.lineno, at.col_offset), file.at(at.end_lineno, at.end_col_offset), written)
        self._drawing |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr in _DRAWS}
        fields = [field for each in ast.walk(node) if isinstance(each, ast.ClassDef) for field in each.body]
        for each in ast.walk(node):
            if each not in fields:
                yield from annotation_in(file, each)
            if isinstance(each, ast.ImportFrom) and is_ours(each):
                yield Edit(file.at(each.lineno, each.col_offset), file.at(each.end_lineno, each.end_col_offset), "pass")

    def _outer(self, x: Any, wish: str) -> str:
        """How a thing that a text has a name for is written: a number or a collection by a name, too."""
        if isinstance(x, (*_PLAIN, float)) and x is not None:
            key = (wish, type(x), repr(x))
            if key not in self._names:
                self._names[key] = self.new(wish)
                self.definitions.append(f"{self._names[key]} = {self.expression(x)}")
            return self._names[key]
        if isinstance(x, dict | list | set | frozenset) or type(x) is tuple:
            return self._named(x, wish, lambda name: f"{name} = {self.expression(x)}")
        return self.expression(x, wish)


_DRAWS = {name for name, method in vars(Generator).items() if isinstance(method, types.FunctionType)} - {
    "get_state", "set_state", "clone_state", "manual_seed", "seed", "initial_seed", "place", "go_to",
}  # fmt: skip


def unwrapped(function: Any) -> Any:
    """The function behind what records it, silences it, or tells tensors from arrays."""
    while isinstance(function, types.FunctionType):
        cells, module = _cells(function), function.__module__
        if hasattr(function, "__wrapped__") and function.__code__.co_filename.startswith(_HERE):
            function = function.__wrapped__
        elif module in (f"{_PACKAGE}.op.table", f"{_PACKAGE}.op.several") and "forward" in cells:
            function = cells["forward"]
        else:
            break
    return function


_HERE = str(Path(__file__).parents[1])


def _cells(function: Any) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # an empty one
            continue
    return found


def _found(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name, None)
    return module
