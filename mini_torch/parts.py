"""Several results of one node: each has a `Pick` behind it, and their gradients travel together as `Parts`."""

from __future__ import annotations

from functools import cache
from typing import Any

from .graph import Node

__all__ = ["Parts", "Pick"]


class Parts:
    """Gradients of several results on their way to the node that they share, by the result's number."""

    base = None

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        """The sum, into this one: nobody else has it on its way, and there may be a thousand results."""
        for i, g in other.parts.items():
            self.parts[i] = self.parts[i] + g if i in self.parts else g
        return self


class _PickPlan:
    """Passes the gradient on as a part of the whole."""

    lends = keeps = saves_out = holomorphic = False

    def __init__(self, name: str) -> None:
        self.name = name

    def pull(self, node: Pick, g: Any) -> list[Any]:
        return [Parts({node.index: g})]

    def pull_tensors(self, node: Pick, g: Any, lift: Any) -> list[Any]:
        return self.pull(node, g)


_plan_named = cache(_PickPlan)  # a name is all there is to one


class Pick(Node):
    """One of the results of a node."""

    __slots__ = ("index",)

    def __init__(self, node: Node, index: int) -> None:
        super().__init__(_plan_named(node.name()), [node])
        self.index = index
