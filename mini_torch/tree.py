"""Nested tuples, lists and dicts of tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Structure", "flatten", "map_leaves", "unflatten"]

Structure = Any  # a tree whose leaves are None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves in order (a dict's in the order of its keys), and the shape of the tree."""
    leaves: list[Any] = []

    def walk(x: Any) -> Any:
        if isinstance(x, dict):
            return type(x)((k, walk(v)) for k, v in x.items())
        if isinstance(x, tuple | list):
            return _rebuilt(x, [walk(v) for v in x])
        leaves.append(x)
        return None

    return leaves, walk(tree)


def unflatten(leaves: Any, structure: Structure) -> Any:
    """The tree of that shape with these leaves."""
    rest: Iterator[Any] = iter(leaves)

    def walk(x: Any) -> Any:
        if isinstance(x, dict):
            return type(x)((k, walk(v)) for k, v in x.items())
        if isinstance(x, tuple | list):
            return _rebuilt(x, [walk(v) for v in x])
        return next(rest)

    return walk(structure)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with the function applied to each leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(x) for x in leaves], structure)


def _rebuilt(like: Any, items: list[Any]) -> Any:
    """A tuple, list or named tuple of the same kind (a Size, whose items are numbers, becomes a tuple)."""
    if hasattr(like, "_fields"):
        return type(like)(*items)
    return items if isinstance(like, list) else tuple(items)
