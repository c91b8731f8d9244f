"""Writes mini_torch/methods.pyi, what type checkers and editors see of Tensor's methods: `python tests/stubs.py`.

Tensor's operators and most of its methods come from the table of operations, so no source file spells them out.
The stub's class `Methods` does; `tensor.py` names it as Tensor's base where types are checked. `test_stubs.py`
fails when the file is not what this script writes.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mini_torch import late, op
from mini_torch.tensor import Tensor

late.open_all()
STUB = Path(__file__).parents[1] / "mini_torch" / "methods.pyi"
HEAD = '''"""Made by tests/stubs.py: Tensor's methods that come from the table of operations."""

import builtins
from collections.abc import Sequence
from typing import Any, TypeAlias

from .dtype import Size
from .tensor import Tensor

Dims: TypeAlias = builtins.int | Sequence[builtins.int] | None

class Methods:
'''
KNOWN = {"Any", "None", "Sequence", "Size", "Tensor", "Dims", "tuple", "list", "dict", "str", "int", "float", "bool"}
TRUTH = {"__eq__", "__ne__"}  # object has them with another type


def own_names() -> set[str]:
    """What the class statement in tensor.py spells out itself."""
    tree = ast.parse((STUB.parent / "tensor.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Tensor")
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assigned = [node.targets if isinstance(node, ast.Assign) else [node.target]
                for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]  # fmt: skip
    return names | {node.id for group in assigned for t in group for node in ast.walk(t) if isinstance(node, ast.Name)}


def added() -> dict[str, Any]:
    """Tensor's methods and properties from the table, in alphabetical order."""
    skipped = own_names() | {"__module__", "__doc__", "__slots__", "__dict__", "__weakref__", "__annotations__"}
    members = {name: member for name, member in sorted(vars(Tensor).items()) if name not in skipped}
    return {name: member for name, member in members.items() if callable(member) or isinstance(member, property)}


class Spelled(ast.NodeTransformer):
    """An annotation as the stub may write it: `float` is a method there, so the type is `builtins.float`."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in KNOWN:
            return ast.Name("Any")
        is_type = isinstance(getattr(builtins, node.id, None), type)
        return ast.Attribute(ast.Name("builtins"), node.id) if is_type else node


def spelled(annotation: Any, unsaid: str = "Any") -> str:
    if annotation is inspect.Parameter.empty:
        return unsaid
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return ast.unparse(Spelled().visit(ast.parse(text.replace("builtins.", ""), mode="eval")))


def parameter(p: inspect.Parameter) -> str:
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    default = "" if p.default is p.empty else " = ..."
    return f"{stars}{p.name}: {spelled(p.annotation)}{default}"


def signature_of(name: str, function: Callable[..., Any]) -> inspect.Signature:
    """An in-place method takes what its counterpart takes."""
    base = getattr(Tensor, name.removesuffix("_"), None) if name.endswith("_") and name[:2] != "__" else None
    return inspect.signature(function if base is None else base)


def declaration(name: str, member: Any) -> str:
    if isinstance(member, property):
        result = spelled(inspect.signature(member.fget).return_annotation, "Tensor")
        return f"    @property\n    def {name}(self) -> {result}: ...\n"
    signature = signature_of(name, member)
    first, *others = signature.parameters.values()
    shown = ["self"] if first.kind is not first.VAR_POSITIONAL else ["self", parameter(first)]
    keyword_only = False
    for p in others:
        if p.name.startswith("_") and p.kind is not p.VAR_KEYWORD:
            continue
        if p.kind is p.KEYWORD_ONLY and not keyword_only and not any(s.startswith("*") for s in shown):
            shown.append("*")
        keyword_only |= p.kind is p.KEYWORD_ONLY
        shown.append(parameter(p))
    result = spelled(signature.return_annotation, "Tensor")
    if (name.startswith("__") and result == "Any") or (name.endswith("_") and not name.startswith("_")):
        result = "Tensor"
    ignore = "  # type: ignore[override]" if name in TRUTH else ""
    return f"    def {name}({', '.join(shown)}) -> {result}: ...{ignore}\n"


def stub() -> str:
    return HEAD + "".join(declaration(name, member) for name, member in added().items())


def undescribed() -> list[str]:
    """Public functions without a docstring of their own."""
    return sorted(name for name, function in op.functions.items() if not inspect.getdoc(function))


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
    print(f"{STUB}: {len(added())} methods")
