"""Nested tuples, lists and dicts by the names of PyTorch's `torch.utils._pytree`, which libraries use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tree import Structure, flatten, map_leaves, unflatten

__all__ = ["TreeSpec", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map", "tree_map_only",
           "tree_structure", "tree_unflatten"]  # fmt: skip


class TreeSpec:
    """The shape of a tree, without its leaves."""

    def __init__(self, structure: Structure, num_leaves: int) -> None:
        self.structure, self.num_leaves = structure, num_leaves

    def unflatten(self, leaves: Any) -> Any:
        """The tree of this shape with these leaves."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self.structure == other.structure

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"TreeSpec({self.structure})"


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves in order, and the shape.

    >>> tree_flatten({"a": 1, "b": (2, [3])})
    ([1, 2, 3], TreeSpec({'a': None, 'b': (None, [None])}))
    """
    leaves, structure = flatten(tree)
    return leaves, TreeSpec(structure, len(leaves))


def tree_unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """The tree of that shape with these leaves. Errors: ValueError unless there are as many as it has places."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten: {len(leaves)} leaves for a tree of {treespec.num_leaves}: {treespec!r}")
    return unflatten(leaves, treespec.structure)


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves in order."""
    return flatten(tree)[0]


def tree_structure(tree: Any) -> TreeSpec:
    """The shape."""
    return tree_flatten(tree)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any) -> Any:
    """The tree with `func` of each leaf, and of the leaves in the same places of the other trees.

    Errors: ValueError for trees of different shapes.
    """
    leaves, spec = tree_flatten(tree)
    others = []
    for rest in rests:
        theirs, shape = tree_flatten(rest)
        if shape != spec:
            raise ValueError(f"tree_map: trees of different shapes, {spec!r} and {shape!r}")
        others.append(theirs)
    return tree_unflatten([func(*items) for items in zip(leaves, *others)], spec)


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `func` of each leaf of that class, the others as they are."""
    return map_leaves(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_all(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether it holds for all leaves."""
    return all(map(pred, tree_leaves(tree)))


def tree_any(pred: Callable[[Any], bool], tree: Any) -> bool:
    """Whether it holds for any leaf."""
    return any(map(pred, tree_leaves(tree)))
