"""The table of translations: what says how an operation is said in ONNX.

A translation is a function `f(b, *inputs, *options)` with a `Builder` and a `Wire` in each array's place, which gives
the wire of the result (several results: a list). It is found under

- the name of a row, as `op.table.rows` has it: `@row("softmax")`;
- the name of an operation that is a unit: `@kernel("convolution")`;
- the name of a NumPy function: `@numpy("concatenate")`; a ufunc's reduction is "add.reduce".

Where a row has none, the NumPy calls of its forward are translated, one by one. So there is a translation of a row
where ONNX has a node of its own for it, and of NumPy's functions for all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["kernel", "kernels", "numpy", "numpy_calls", "row", "rows"]

Translation = Callable[..., Any]
F = TypeVar("F", bound=Translation)

rows: dict[str, Translation] = {}
kernels: dict[str, Translation] = {}
numpy_calls: dict[str, Translation] = {}


def _entering(table: dict[str, Translation], names: tuple[str, ...]) -> Callable[[F], F]:
    def enter(function: F) -> F:
        table.update(dict.fromkeys(names, function))
        return function

    return enter


def row(*names: str) -> Callable[[F], F]:
    """Decorator: the translation of the rows of these names."""
    return _entering(rows, names)


def kernel(*names: str) -> Callable[[F], F]:
    """Decorator: the translation of the units of these names."""
    return _entering(kernels, names)


def numpy(*names: str) -> Callable[[F], F]:
    """Decorator: the translation of NumPy's functions of these names."""
    return _entering(numpy_calls, names)
