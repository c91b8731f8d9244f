"""The text of functions and classes in their files: where it is, and which names in it are bound elsewhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

__all__ = ["Edit", "File", "annotation_in", "imports_in", "is_ours", "outer_names"]

_PACKAGE = __name__.partition(".")[0]
_FOR_TOOLS = re.compile(r"  # (fmt: skip|type: ignore\S*|noqa\S*)( .*)?$", re.MULTILINE)
_Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Edit(NamedTuple):
    """What is written in place of a stretch of a file, in bytes."""

    start: int
    end: int
    text: str


class File:
    """A file's text and tree."""

    _known: ClassVar[dict[str, File]] = {}

    def __init__(self, path: str) -> None:
        self.bytes = Path(path).read_bytes()
        self.tree = ast.parse(self.bytes)
        self.lines = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    @classmethod
    def of(cls, x: Any) -> File | None:
        """That of a function or a class; None if there is none."""
        try:
            path = inspect.getsourcefile(x)
        except TypeError:
            return None
        if path is None or not Path(path).is_file():
            return None
        if path not in cls._known:
            cls._known[path] = cls(path)
        return cls._known[path]

    def at(self, line: Any, column: Any) -> int:
        """The place of a line and column, in bytes."""
        return int(self.lines[line - 1] + column)

    def node_of(self, code: types.CodeType) -> Any:
        """The function or lambda that the code was made of."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
                if min([node.lineno, *[d.lineno for d in node.decorator_list]]) == code.co_firstlineno:
                    return node
            elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
                found.append(node)
        alike = [node for node in found if _is_code_of(node, code)]
        return alike[0] if alike else None

    def text(self, node: Any, edits: list[Edit], keep_indent: bool = False) -> str:
        """The node's text with the edits made."""
        decorators = node.decorator_list if isinstance(node, ast.ClassDef) else []
        first = min([node.lineno, *[d.lineno for d in decorators]])
        start = self.at(first, 0 if keep_indent else node.col_offset)
        end = self.at(node.end_lineno, node.end_col_offset)
        out = self.bytes[start:end]
        for edit in sorted(edits, reverse=True):
            if start <= edit.start and edit.end <= end:
                out = out[: edit.start - start] + edit.text.encode() + out[edit.end - start :]
        return _FOR_TOOLS.sub("", textwrap.dedent(out.decode()))


def _is_code_of(node: ast.Lambda, code: types.CodeType) -> bool:
    """Whether a lambda's code is this one: the names in it tell neighbours on a line apart."""
    made = compile(ast.Expression(node), "<lambda>", "eval").co_consts
    own = next(c for c in made if isinstance(c, types.CodeType))
    plain = [[c for c in each.co_consts if not isinstance(c, types.CodeType)] for each in (own, code)]
    return own.co_varnames == code.co_varnames and plain[0] == plain[1] \
        and {*own.co_names} == {*code.co_names, *code.co_freevars}  # fmt: skip


# ---- names -----------------------------------------------------------------------------------------------------------
def is_ours(node: ast.ImportFrom) -> bool:
    """Whether an import is one of this package."""
    return bool(node.level) or (node.module or "").partition(".")[0] == _PACKAGE


def imports_in(node: ast.AST, module: str) -> Iterator[tuple[str, Any]]:
    """The names that are imported from this package inside of a function."""
    for each in ast.walk(node):
        if isinstance(each, ast.ImportFrom) and is_ours(each):
            package = sys.modules[module].__package__
            source = importlib.import_module("." * each.level + (each.module or ""), package)
            for alias in each.names:
                found = getattr(source, alias.name, None)
                yield alias.asname or alias.name, found or importlib.import_module(f"{source.__name__}.{alias.name}")


def _bound(node: Any) -> set[str]:
    """The names that a function, a lambda or a comprehension binds itself."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
    arguments = node.args
    names = {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg,
                             arguments.kwarg] if a is not None}  # fmt: skip
    outer: set[str] = set()
    stack = [] if isinstance(node, ast.Lambda) else [*node.body]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            names.add(part.id)
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
            continue
        elif isinstance(part, ast.Import) or (isinstance(part, ast.ImportFrom) and not is_ours(part)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.Global | ast.Nonlocal):
            outer |= {*part.names}
        elif isinstance(part, ast.ExceptHandler) and part.name:
            names.add(part.name)
        if not isinstance(part, ast.Lambda):
            stack += ast.iter_child_nodes(part)
    return names - outer


def outer_names(node: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The names in a function's or class's text that are bound outside of it, each with the attributes asked of it.

    Annotations, and the decorators of the whole, are left out.
    """

    def walk(part: Any, bound: frozenset[str], chain: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        if isinstance(part, ast.Attribute):
            yield from walk(part.value, bound, (part, *chain))
        elif isinstance(part, ast.Name):
            if part.id not in bound:
                yield part, chain
        else:
            for child, inside in _children(part, bound, part is node):
                yield from walk(child, inside)

    yield from walk(node, frozenset())


def _children(part: Any, bound: frozenset[str], whole: bool) -> Iterator[tuple[Any, frozenset[str]]]:
    """The parts of a part of a program, each with the names that are bound there."""
    if isinstance(part, _Function):
        arguments = part.args
        decorators = [] if whole else getattr(part, "decorator_list", [])
        for each in [*arguments.defaults, *filter(None, arguments.kw_defaults), *decorators]:
            yield each, bound
        for each in part.body if isinstance(part.body, list) else [part.body]:
            yield each, bound | _bound(part)
    elif isinstance(part, ast.ClassDef):
        own = {n.name for n in part.body if isinstance(n, ast.FunctionDef)}
        own |= {n.id for s in part.body if not isinstance(s, ast.FunctionDef) for n in ast.walk(s)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        for each in [*part.bases, *[k.value for k in part.keywords], *part.decorator_list]:
            yield each, bound
        for each in part.body:  # methods do not see the class's names
            yield each, bound if isinstance(each, ast.FunctionDef) else bound | own
    elif isinstance(part, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for each in ast.iter_child_nodes(part):
            yield each, bound | _bound(part)
    elif isinstance(part, ast.AnnAssign):
        yield part.target, bound
        if part.value is not None:
            yield part.value, bound
    else:
        for each in ast.iter_child_nodes(part):
            yield each, bound


def annotation_in(file: File, node: ast.AST) -> Iterator[Edit]:
    """Leaves annotations out of functions: their names are not there."""
    if isinstance(node, ast.arg) and node.annotation is not None:
        start = file.at(node.lineno, node.col_offset) + len(node.arg.encode())
        yield Edit(start, file.at(node.annotation.end_lineno, node.annotation.end_col_offset), "")
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield Edit(file.at(node.target.end_lineno, node.target.end_col_offset),
                   file.at(node.annotation.end_lineno, node.annotation.end_col_offset), "")  # fmt: skip
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        start = file.at(node.returns.lineno, node.returns.col_offset)
        arrow = file.bytes.rindex(b"->", 0, start)
        space = 1 if file.bytes[arrow - 1 : arrow] == b" " else 0
        yield Edit(arrow - space, file.at(node.returns.end_lineno, node.returns.end_col_offset), "")
