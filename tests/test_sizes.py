"""The ruler: how long functions and files are, how much is docstring and comment. `pytest -rP` prints it.

Fails on hard limits only; the ranges in brackets are what we aim at.
"""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "mini_torch"
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
Function = ast.FunctionDef | ast.AsyncFunctionDef


def docstring_lines(node: ast.AST) -> int:
    """The lines that a module's, class's or function's own docstring takes."""
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body or not isinstance(body[0], ast.Expr):
        return 0
    value = body[0].value
    is_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return (value.end_lineno or value.lineno) - value.lineno + 1 if is_text else 0


def comment_lines(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return len({token.start[0] for token in tokens if token.type == tokenize.COMMENT})


def function_lengths(tree: ast.AST) -> dict[str, int]:
    """Lines of each function, without its docstring."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno)
        - node.lineno
        + 1
        - docstring_lines(node)
        for node in functions
    }


def test_the_ruler() -> None:
    files = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")
    }
    trees = {name: ast.parse(text) for name, text in files.items()}
    lines = {name: len(text.splitlines()) for name, text in files.items()}
    functions = {f"{name}:{f}": n for name, tree in trees.items() for f, n in function_lengths(tree).items()}
    lengths = sorted(functions.values())
    total = sum(lines.values())
    docstrings = sum(docstring_lines(node) for tree in trees.values() for node in ast.walk(tree))
    comments = sum(map(comment_lines, files.values()))

    def largest(sizes: dict[str, int]) -> list[str]:
        return [f"\n    {sizes[name]:4d} {name}" for name in sorted(sizes, key=lambda name: -sizes[name])[:5]]

    print(f"{len(files)} files, {total} lines, {len(functions)} functions")
    print(f"function, median          {statistics.median(lengths):5.0f}   (2-5)")
    print(f"function, 95th percentile {lengths[len(lengths) * 95 // 100]:5d}   (under 25)")
    print(f"longest file              {max(lines.values()):5d}   (100-400)")
    print(f"docstrings                {docstrings / total:5.0%}   (15-25 %)")
    print(f"comments                  {comments / total:5.0%}   (2-5 %)")
    print("longest files and functions:", *largest(lines), *largest(functions))

    assert {name: n for name, n in lines.items() if n > LONGEST_FILE} == {}
    assert {name: n for name, n in functions.items() if n > LONGEST_FUNCTION} == {}
